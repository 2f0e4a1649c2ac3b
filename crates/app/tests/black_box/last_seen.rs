//! When a token was last used is written in batches: a stop loses nothing of it, a crash no more than one batch.

use crate::{
    database::Records,
    ground::{Ground, Store},
    server::Server,
    waiting::until_true,
    wire::Call,
};

/// Longer than the test takes: nothing is written but at the end.
const NEVER: &str = "1h";
const AT_ONCE: &str = "50ms";

fn use_token(server: &Server, secret: &str) {
    let answer = server.send(&Call::get("/auth/verify").by(secret));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// How many tokens of the default project have been seen, by the answer to the admin.
fn seen(server: &Server) -> usize {
    server.tokens().iter().filter(|token| token["seenAt"].is_string()).count()
}

fn a_stop_loses_nothing(store: Store) {
    let ground = Ground::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", NEVER);
    let server = ground.serve();
    let secrets: Vec<String> = (0..20).map(|number| server.create(&format!("token-{number}"))).collect();
    for secret in &secrets {
        use_token(&server, secret);
    }
    assert_eq!(seen(&server), 0, "written on the way of a request");
    // Used, and stopped without a pause between the two.
    server.stop();
    let server = ground.serve();
    assert_eq!(seen(&server), 20);
}

#[test]
fn a_stop_loses_nothing_on_sqlite() {
    a_stop_loses_nothing(Store::Sqlite);
}

#[test]
fn a_stop_loses_nothing_on_postgres() {
    a_stop_loses_nothing(Store::Postgres);
}

fn a_stop_in_the_middle_of_writing_loses_nothing(store: Store) {
    // Always writing, so that most stops come upon it.
    let ground = Ground::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "1ms");
    let mut server = ground.serve();
    let secrets: Vec<String> = (0..10).map(|number| server.create(&format!("token-{number}"))).collect();
    for (before, secret) in secrets.iter().enumerate() {
        assert_eq!(seen(&server), before);
        use_token(&server, secret);
        server.stop();
        server = ground.serve();
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

fn a_crash_loses_what_came_after_the_last_writing(store: Store) {
    let ground = Ground::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", AT_ONCE);
    let server = ground.serve();
    let [first, second] = ["first", "second"].map(|name| server.create(name));
    use_token(&server, &first);
    let written = |name: &str| {
        Records::of(&ground).count(&format!("api_tokens WHERE name = '{name}' AND last_used_at IS NOT NULL"))
            == 1
    };
    until_true("the first use is written", || written("first"));
    use_token(&server, &second);
    server.crash();
    let server = ground.serve();
    let tokens = server.tokens();
    assert!(tokens[0]["seenAt"].is_string(), "{tokens:?}");
    // The second may have been lost; used again, it is written again.
    use_token(&server, &second);
    until_true("the second use is written", || written("second"));
}

#[test]
fn a_crash_loses_what_came_after_the_last_writing_on_sqlite() {
    a_crash_loses_what_came_after_the_last_writing(Store::Sqlite);
}

#[test]
fn a_crash_loses_what_came_after_the_last_writing_on_postgres() {
    a_crash_loses_what_came_after_the_last_writing(Store::Postgres);
}
