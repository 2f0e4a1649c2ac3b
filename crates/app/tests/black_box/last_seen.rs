//! Last use is written in batches: a stop loses nothing, a crash at most one batch.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
    wait::until_true,
};

use crate::database::Records;

/// Longer than the test takes: last use is only written at a stop.
const NEVER: &str = "1h";
const AT_ONCE: &str = "50ms";

fn use_token(server: &Server, secret: &str) {
    let answer = server.send(&Request::get("/auth/verify").by(secret));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Returns the number of tokens of the default project that were used.
fn seen(server: &Server) -> usize {
    server.tokens().iter().filter(|token| token["seenAt"].is_string()).count()
}

fn a_stop_loses_nothing(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", NEVER);
    let server = env.serve();
    let secrets: Vec<String> =
        (0..20).map(|number| server.create_token(&format!("token-{number}"))).collect();
    for secret in &secrets {
        use_token(&server, secret);
    }
    assert_eq!(seen(&server), 0, "written on the way of a request");
    // The stop follows the use immediately.
    let output = server.stop();
    let server = env.serve();
    assert_eq!(seen(&server), 20, "{output}");
}

#[test]
fn a_stop_loses_nothing_on_sqlite() {
    a_stop_loses_nothing(Store::Sqlite);
}

#[test]
fn a_stop_loses_nothing_on_postgres() {
    a_stop_loses_nothing(Store::Postgres);
}

fn a_stop_loses_no_count(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", NEVER);
    let server = env.serve();
    let secret = server.create_token("counted");
    for _ in 0..3 {
        use_token(&server, &secret);
    }
    assert_eq!(server.status("/auth/verify?project=nosuch", &secret), 403);
    server.stop();
    let server = env.serve();
    use_token(&server, &secret);
    server.stop();
    let server = env.serve();
    let told = server.as_admin(Request::get(&format!("/api/admin/api-tokens/{secret}/usage"))).json();
    let hours = told["usage"].as_array().expect("hours");
    let verified: u64 = hours.iter().filter_map(|hour| hour["verified"].as_u64()).sum();
    let refused: u64 = hours.iter().filter_map(|hour| hour["refused"]["wrong_project"].as_u64()).sum();
    assert_eq!((verified, refused), (4, 1), "{told}");
    assert_eq!(told["addresses"][0]["address"], "127.0.0.1", "{told}");
    let id = told_id(&server);
    let printed = env.succeed(&format!("token usage {id}"));
    assert!(printed.contains("1 wrong_project") && printed.contains("from 127.0.0.1"), "{printed}");
}

/// The id of the only token of the default project.
fn told_id(server: &Server) -> String {
    server.tokens()[0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_stop_loses_no_count_on_sqlite() {
    a_stop_loses_no_count(Store::Sqlite);
}

#[test]
fn a_stop_loses_no_count_on_postgres() {
    a_stop_loses_no_count(Store::Postgres);
}

fn a_stop_in_the_middle_of_writing_loses_nothing(store: Store) {
    // Constant writing, so that most stops interrupt it.
    let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "1ms");
    let mut server = env.serve();
    let secrets: Vec<String> =
        (0..10).map(|number| server.create_token(&format!("token-{number}"))).collect();
    for (before, secret) in secrets.iter().enumerate() {
        assert_eq!(seen(&server), before);
        use_token(&server, secret);
        server.stop();
        server = env.serve();
    }
    assert_eq!(seen(&server), secrets.len());
}

#[test]
fn a_stop_in_the_middle_of_writing_loses_nothing_on_sqlite() {
    a_stop_in_the_middle_of_writing_loses_nothing(Store::Sqlite);
}

#[test]
fn a_stop_in_the_middle_of_writing_loses_nothing_on_postgres() {
    a_stop_in_the_middle_of_writing_loses_nothing(Store::Postgres);
}

fn a_crash_loses_only_the_last_batch(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", AT_ONCE);
    let server = env.serve();
    let [first, second] = ["first", "second"].map(|name| server.create_token(name));
    use_token(&server, &first);
    let written = |name: &str| {
        Records::of(&env).count(&format!("api_tokens WHERE name = '{name}' AND seen_at IS NOT NULL")) == 1
    };
    until_true("the first use is written", || written("first"));
    use_token(&server, &second);
    server.crash();
    let server = env.serve();
    let tokens = server.tokens();
    assert!(tokens[0]["seenAt"].is_string(), "{tokens:?}");
    // The second use may be lost; another use is written again.
    use_token(&server, &second);
    until_true("the second use is written", || written("second"));
}

#[test]
fn a_crash_loses_only_the_last_batch_on_sqlite() {
    a_crash_loses_only_the_last_batch(Store::Sqlite);
}

#[test]
fn a_crash_loses_only_the_last_batch_on_postgres() {
    a_crash_loses_only_the_last_batch(Store::Postgres);
}
