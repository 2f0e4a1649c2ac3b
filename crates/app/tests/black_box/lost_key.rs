//! What `docs/operate/recovery.md` promises to an operator who has lost the master key.

use latchkey_testkit::{
    env::{NewToken, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::json;

const OLD_KEY: &str = "6f6c642d6b65792d6f6c642d6b65792d6f6c642d6b65792d6f6c642d6b657921";
const NEW_KEY: &str = "6e65772d6b65792d6e65772d6b65792d6e65772d6b65792d6e65772d6b657921";

fn what_a_new_key_can_keep_is_kept(store: Store) {
    let mut env = TestEnv::on(store);
    let server = env.serve();
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);
    let lost = server.create_token("of the lost key");
    server.stop();

    env.set("LATCHKEY_MASTER_KEY", NEW_KEY);
    let error = env.fail("serve --port 0 --log-level off", 1);
    assert!(error.contains("set secrets.accept_unknown_key = true to go on without those"), "{error}");
    let error = env.fail("token create --type admin --name ops", 1);
    assert!(error.contains("secrets.accept_unknown_key"), "{error}");
    let mut env = env.with("LATCHKEY__SECRETS__ACCEPT_UNKNOWN_KEY", "true");
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

    // With a token under the new key, the setting is not needed any more.
    env.set("LATCHKEY__SECRETS__ACCEPT_UNKNOWN_KEY", "false");
    env.serve().stop();

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

/// Two replicas that start on an empty database, with different keys.
#[test]
fn a_replica_with_another_key_is_not_ready() {
    let env = TestEnv::on(Store::Postgres).without("INIT_ADMIN_API_TOKENS");
    let mut env = env.with("LATCHKEY_MASTER_KEY", OLD_KEY);
    let first = env.serve();
    env.set("LATCHKEY_MASTER_KEY", NEW_KEY);
    // Without tokens, its key may be that of the database.
    let second = env.serve();
    env.set("LATCHKEY_MASTER_KEY", OLD_KEY);
    let ready = |server: &Server| server.send(&Request::get("/ready")).status;
    assert_eq!([ready(&first), ready(&second)], [200, 200]);
    let admin = env.create_token(&NewToken { kind: "admin", environment: None, ..NewToken::default() });
    assert_eq!(first.status(TOKENS, &admin), 200);
    assert_eq!([ready(&first), ready(&second)], [200, 503]);
    until_true("the reason is logged", || second.output().contains("which is not configured"));
    env.set("LATCHKEY_MASTER_KEY", NEW_KEY);
    let error = env.fail("serve --port 0 --log-level off", 1);
    assert!(error.contains("the tokens of the database are under the master key "), "{error}");
    // In a rotation, processes have both keys, in either order.
    env.set("LATCHKEY_MASTER_KEY", &format!("{NEW_KEY},{OLD_KEY}"));
    let both = env.serve();
    assert_eq!(both.status(TOKENS, &admin), 200);
    assert_eq!(ready(&both), 200);
}
