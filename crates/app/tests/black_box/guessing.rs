//! Guessing passwords is slowed down, but not for the owner of the account
//! (`docs/design/decisions/0007-login-throttling.md`).

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::Server,
};
use serde_json::json;

const PASSWORD: &str = "correct horse";
const GUESSER: &str = "203.0.113.7";
const OWNER: &str = "198.51.100.9";

/// More attempts than needed: on a slow machine the first waits pass in the meantime.
const ENOUGH: usize = 12;

fn sign_in(server: &Server, password: &str, address: &str) -> Response {
    let body = json!({ "username": "ed", "password": password });
    server.send(&Request::post("/auth/simple/login", &body).header("x-forwarded-for", address))
}

fn guessing_is_slowed_down_by_address(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__SERVER__TRUSTED_PROXIES", "127.0.0.1");
    let server = env.serve();
    let user = json!({ "username": "ed", "password": PASSWORD, "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);

    let tries: Vec<Response> = (0..ENOUGH)
        .map(|_| sign_in(&server, "battery staple", GUESSER))
        .take_while(|answer| answer.status == 401)
        .collect();
    assert!((5..ENOUGH).contains(&tries.len()), "{} tries were free", tries.len());
    assert!(tries.iter().all(|answer| answer.kind() == "PasswordMismatch"));

    // The response states the wait, and not even the right password is checked.
    let refused = sign_in(&server, PASSWORD, GUESSER);
    assert_eq!((refused.status, refused.kind().as_str()), (429, "RateLimitError"), "{}", refused.text());
    let seconds: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=30).contains(&seconds), "{seconds}");

    // Other addresses do not wait, and an unknown account behaves like any other.
    assert_eq!(sign_in(&server, PASSWORD, OWNER).status, 200);
    let body = json!({ "username": "unknown", "password": PASSWORD });
    let request = Request::post("/auth/simple/login", &body).header("x-forwarded-for", OWNER);
    let refused = server.send(&request);
    assert_eq!((refused.status, refused.kind().as_str()), (401, "PasswordMismatch"));
}

#[test]
fn guessing_is_slowed_down_by_address_in_memory() {
    guessing_is_slowed_down_by_address(Store::Memory);
}

#[test]
fn guessing_is_slowed_down_by_address_on_sqlite() {
    guessing_is_slowed_down_by_address(Store::Sqlite);
}

#[test]
fn guessing_is_slowed_down_by_address_on_postgres() {
    guessing_is_slowed_down_by_address(Store::Postgres);
}
