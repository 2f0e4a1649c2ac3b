//! What `docs/operate/master-key.md` promises to somebody whose master key is lost.

use serde_json::json;

use crate::{
    command_line::NewToken,
    ground::{Ground, Store},
    server::{TOKENS, percent_encoded},
    waiting::until_true,
    wire::Call,
};

const NEW_KEY: &str = "6e65772d6b65792d6e65772d6b65792d6e65772d6b65792d6e65772d6b657921";

fn what_a_new_key_can_keep_is_kept(store: Store) {
    let mut ground = Ground::on(store);
    let server = ground.serve();
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    assert_eq!(server.as_admin(Call::post("/api/admin/user-admin", &user)).status, 201);
    let lost = server.create("of the lost key");
    server.stop();

    ground.set("LATCHKEY_MASTER_KEY", NEW_KEY);
    let server = ground.serve();
    let warned =
        |said: &str| said.contains("is under the master key") && said.contains("not configured here");
    assert!(warned(&server.said()), "{}", server.said());
    assert_eq!(server.send(&Call::get(TOKENS).by(&lost)).status, 401);
    let admin = ground.make_token(&NewToken { kind: "admin", environment: None, ..NewToken::default() });
    let tokens = || server.send(&Call::get(TOKENS).by(&admin));
    let body = json!({ "tokenName": "of the new key", "type": "client" });
    let created = server.send(&Call::post(TOKENS, &body).by(&admin)).json();
    let listed = tokens();
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert_eq!(listed.json()["tokens"][1]["secret"], created["secret"], "others are shown as ever");
    // What is logged is read a moment after the answer.
    until_true("the reason is logged", || server.said().contains("is not among those configured"));
    let id = listed.json()["tokens"][0]["secret"].as_str().expect("an id").to_owned();
    let deletion = Call::delete(&format!("{TOKENS}/{}", percent_encoded(&id))).by(&admin);
    assert_eq!(server.send(&deletion).status, 200);

    let login = json!({ "username": "ed", "password": "correct horse" });
    assert_eq!(server.send(&Call::post("/auth/simple/login", &login)).status, 200);
}

#[test]
fn what_a_new_key_can_keep_is_kept_on_sqlite() {
    what_a_new_key_can_keep_is_kept(Store::Sqlite);
}

#[test]
fn what_a_new_key_can_keep_is_kept_on_postgres() {
    what_a_new_key_can_keep_is_kept(Store::Postgres);
}
