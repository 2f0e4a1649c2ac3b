//! What API tokens may do with themselves, for every value of `tokens.self_service`.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::{Value, json};

/// The status of each request, by setting and type of the token: reading, rotating, revoking.
const TABLE: [(&str, &str, [u16; 3]); 12] = [
    ("off", "client", [403, 403, 403]),
    ("off", "frontend", [403, 403, 403]),
    ("off", "admin", [403, 403, 403]),
    ("read", "client", [200, 403, 403]),
    ("read", "frontend", [200, 403, 403]),
    ("read", "admin", [200, 403, 403]),
    ("rotate", "client", [200, 200, 403]),
    ("rotate", "frontend", [200, 403, 403]),
    ("rotate", "admin", [200, 200, 403]),
    ("all", "client", [200, 200, 200]),
    ("all", "frontend", [200, 403, 403]),
    ("all", "admin", [200, 200, 200]),
];

fn token_of(server: &Server, kind: &str) -> String {
    let scope = if kind == "admin" { json!(["*"]) } else { json!(["default"]) };
    let body = json!({ "tokenName": "own", "type": kind, "projects": scope });
    let created = server.as_admin(Request::post("/api/admin/api-tokens", &body));
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()["secret"].as_str().expect("text").to_owned()
}

fn every_setting_is_kept(store: Store) {
    for setting in ["off", "read", "rotate", "all"] {
        let env = TestEnv::on(store)
            .with("LATCHKEY__TOKENS__SELF_SERVICE", setting)
            .with("LATCHKEY__TOKENS__ALLOW_ADMIN", "true");
        let server = env.serve();
        for (_, kind, expected) in TABLE.into_iter().filter(|(of, ..)| *of == setting) {
            let mut secret = token_of(&server, kind);
            let send = |request: Request, secret: &str| server.send(&request.by(secret));
            let read = send(Request::get("/api/token"), &secret);
            let rotated = send(Request::post("/api/token/rotate", &json!({ "overlap": "PT0S" })), &secret);
            if rotated.status == 200 {
                let old = std::mem::replace(&mut secret, text(&rotated.json()));
                assert_eq!(send(Request::get("/api/token"), &old).status, 401, "it has ended");
            }
            let deleted = send(Request::delete("/api/token"), &secret);
            assert_eq!([read.status, rotated.status, deleted.status], expected, "{setting}, {kind}");
            let verified = if deleted.status == 200 { 401 } else { 200 };
            assert_eq!(server.status("/auth/verify", &secret), verified, "{setting}, {kind}");
        }
    }
}

fn text(answer: &Value) -> String {
    answer["secret"].as_str().expect("text").to_owned()
}

#[test]
fn every_setting_of_self_service_is_kept_on_sqlite() {
    every_setting_is_kept(Store::Sqlite);
}

#[test]
fn every_setting_of_self_service_is_kept_on_postgres() {
    every_setting_is_kept(Store::Postgres);
}
