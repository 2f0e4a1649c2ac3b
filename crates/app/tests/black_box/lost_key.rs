//! What `docs/operate/recovery.md` promises to an operator who has lost the master key.

use latchkey_testkit::{
    env::{NewToken, Store, TestEnv},
    raw_http::Request,
    server::{TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::json;

const NEW_KEY: &str = "6e65772d6b65792d6e65772d6b65792d6e65772d6b65792d6e65772d6b657921";

fn what_a_new_key_can_keep_is_kept(store: Store) {
    let mut env = TestEnv::on(store);
    let server = env.serve();
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);
    let lost = server.create_token("of the lost key");
    server.stop();

    env.set("LATCHKEY_MASTER_KEY", NEW_KEY);
    let server = env.serve();
    let warned =
        |said: &str| said.contains("is under the master key") && said.contains("not configured here");
    assert!(warned(&server.output()), "{}", server.output());
    assert_eq!(server.send(&Request::get(TOKENS).by(&lost)).status, 401);
    let admin = env.create_token(&NewToken { kind: "admin", environment: None, ..NewToken::default() });
    let tokens = || server.send(&Request::get(TOKENS).by(&admin));
    let body = json!({ "tokenName": "of the new key", "type": "client" });
    let created = server.send(&Request::post(TOKENS, &body).by(&admin)).json();
    let listed = tokens();
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert_eq!(listed.json()["tokens"][1]["secret"], created["secret"], "others are shown as ever");
    // The log line may arrive after the response.
    until_true("the reason is logged", || server.output().contains("is not configured here"));
    let id = listed.json()["tokens"][0]["secret"].as_str().expect("an id").to_owned();
    let deletion = Request::delete(&format!("{TOKENS}/{}", percent_encoded(&id))).by(&admin);
    assert_eq!(server.send(&deletion).status, 200);

    let login = json!({ "username": "ed", "password": "correct horse" });
    assert_eq!(server.send(&Request::post("/auth/simple/login", &login)).status, 200);
}

#[test]
fn what_a_new_key_can_keep_is_kept_on_sqlite() {
    what_a_new_key_can_keep_is_kept(Store::Sqlite);
}

#[test]
fn what_a_new_key_can_keep_is_kept_on_postgres() {
    what_a_new_key_can_keep_is_kept(Store::Postgres);
}
