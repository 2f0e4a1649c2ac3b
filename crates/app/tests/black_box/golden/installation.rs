//! What an Unleash installation has and a Latchkey has not, created over HTTP before a case begins; and the parts of
//! recorded requests that must differ here.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::{Value, json};

use crate::golden::{Case, fixtures};

/// The admin token of the Unleash installation.
const ADMIN: &str = "*:*.unleash4all";

/// Returns the tokens that the server of that name was started with.
fn first_tokens(server: &str) -> &'static [(&'static str, &'static str)] {
    match server {
        "init" => &[
            ("INIT_ADMIN_API_TOKENS", "*:*.adm1, *:*.adm2"),
            ("INIT_CLIENT_API_TOKENS", "default:development.cli1, *:production.cli2"),
            ("INIT_FRONTEND_API_TOKENS", "default:development.fe1"),
            ("LATCHKEY__LIMITS__API_TOKENS", "7"),
        ],
        "oss" | "multi" => &[("INIT_ADMIN_API_TOKENS", ADMIN)],
        other => panic!("no server is called {other}"),
    }
}

/// Returns the first admin token of the server that a case was recorded on.
pub(crate) fn admin_token(case: &Case) -> &'static str {
    let (_, tokens) = first_tokens(&case.server)[0];
    tokens.split(',').next().unwrap_or(tokens)
}

/// Starts a server on an empty SQLite store with all that an Unleash installation has: besides the usual values, the user
/// `admin` and the environment `default`.
pub(crate) fn install(case: &Case) -> (TestEnv, Server) {
    // Unleash takes short secrets.
    let mut env = TestEnv::on(Store::Sqlite).with("LATCHKEY__TOKENS__MIN_INIT_LENGTH", "1");
    for (name, value) in first_tokens(&case.server) {
        env.set(name, value);
    }
    let server = env.serve();
    // The trails of `oss` and `multi` were emptied before each case, as their recorded totals show; that of `init` was not.
    let traced = if case.server == "init" { fixtures::newest_event(&env) } else { 0 };
    for (path, body) in [
        (
            "/api/admin/user-admin",
            json!({ "username": "admin", "password": "unleash4all", "rootRole": "Admin" }),
        ),
        (
            "/api/admin/environments",
            json!({ "name": "default", "type": "production", "enabled": false, "sortOrder": 1 }),
        ),
    ] {
        let request = Request::post(path, &body_here(&body)).by(admin_token(case));
        let answer = server.send(&request);
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    }
    fixtures::forget_events_after(&env, traced);
    (env, server)
}

/// Recorded passwords that are too weak here, and their replacements. Passwords that a case is about, because they are weak
/// or wrong, are not among them.
const PASSWORDS: &[(&str, &str)] =
    &[("unleash4all", "Unlocks-4-all-of-them"), ("pw", "Plain-words-of-a-user")];

/// Returns a recorded body with the passwords that are used here.
pub(crate) fn body_here(recorded: &Value) -> Value {
    let mut body = recorded.clone();
    for member in ["password", "oldPassword", "confirmPassword"] {
        let Some(given) = body.get_mut(member) else { continue };
        if let Some((_, ours)) = PASSWORDS.iter().find(|(theirs, _)| given == theirs) {
            *given = json!(ours);
        }
    }
    body
}

/// The name of the session cookie.
pub(crate) const COOKIE: &str = "latchkey-session";
/// The name of the session cookie of Unleash.
pub(crate) const UNLEASH_COOKIE: &str = "unleash-session";

/// Returns a recorded header as it is sent here, with the name of the session cookie replaced.
pub(crate) fn header_here(name: &str, recorded: &str) -> String {
    match name {
        "cookie" => recorded.replace(UNLEASH_COOKIE, COOKIE),
        _ => recorded.to_owned(),
    }
}
