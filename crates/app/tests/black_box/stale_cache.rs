//! Cached tokens while the database is unavailable for longer than `verify.max_staleness`: refused, or served and counted,
//! as `verify.when_stale` says.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    wait::until_true,
};

use crate::remote_server::{RemoteServer, assert_unavailable};

const MEMORY: &str = r#"latchkey_verifications_total{result="valid",source="memory"}"#;
const STALE: &str = r#"latchkey_verifications_total{result="valid",source="stale"}"#;

fn env(when_stale: &str) -> TestEnv {
    TestEnv::on(Store::Postgres)
        .with("LATCHKEY__VERIFY__MAX_STALENESS", "300ms")
        .with("LATCHKEY__VERIFY__POLL_INTERVAL", "20ms")
        .with("LATCHKEY__VERIFY__WHEN_STALE", when_stale)
}

fn verify(server: &Server, secret: &str) -> u16 {
    server.send(&Request::get("/auth/verify").by(secret)).status
}

/// Verifies the token until the cache answers. The first poll of the change feed empties the cache and may come after the
/// first request.
fn until_cached(server: &Server, secret: &str) {
    until_true("the token is cached", || {
        let before = server.metric(MEMORY);
        assert_eq!(verify(server, secret), 200);
        server.metric(MEMORY) > before
    });
}

#[test]
fn stale_entries_are_refused_if_configured() {
    let remote = RemoteServer::of(env("refuse"));
    let secret = remote.server.create_token("known");
    until_cached(&remote.server, &secret);

    remote.proxy.cut();
    let request = Request::get("/auth/verify").by(&secret);
    assert_unavailable(&remote.answer_when_dead(&request), "the first that is not from memory");
    for _ in 0..5 {
        assert_unavailable(&remote.server.send(&request), "all others");
    }
    assert!(remote.server.metric("latchkey_feed_age_seconds") > 0.3);
    assert!(remote.server.metric(STALE).abs() < 0.5);

    assert!(remote.proxy.restore());
    until_true("the token is good again", || verify(&remote.server, &secret) == 200);
}

#[test]
fn stale_entries_are_served_and_counted_if_configured() {
    let mut remote = RemoteServer::of(env("serve"));
    let [kept, revoked] = ["kept", "revoked"].map(|name| remote.server.create_token(name));
    // Another process that keeps its connection to the database.
    let direct = remote.env.postgres_url().to_owned();
    remote.env.set("DATABASE_URL", &direct);
    let near = remote.env.serve();
    for secret in [&kept, &revoked] {
        until_cached(&remote.server, secret);
    }

    remote.proxy.cut();
    until_true("stale answers", || {
        assert_eq!(verify(&remote.server, &kept), 200, "never refused in the meantime");
        remote.server.metric(STALE) > 2.0
    });
    assert_eq!(near.delete_token(&revoked).status, 200);
    assert_eq!(verify(&remote.server, &revoked), 200, "it cannot know");
    let both = serde_json::json!({ "tokens": [kept, revoked] });
    let validated = remote.server.send(&Request::post("/edge/validate", &both)).json();
    assert_eq!(validated["tokens"].as_array().expect("a list").len(), 2);

    // Unknown secrets cannot be served, and stale permissions authorize nothing.
    let unknown = Request::get("/auth/verify").by("default:development.never-seen");
    assert_unavailable(&remote.server.send(&unknown), "a token never seen before");
    assert_unavailable(&remote.server.as_admin(Request::get(TOKENS)), "an admin who was known");

    assert!(remote.proxy.restore());
    until_true("the revocation arrives", || verify(&remote.server, &revoked) == 401);
    assert_eq!(verify(&remote.server, &kept), 200);
    let counted = remote.server.metric(STALE);
    until_true("the end is told", || remote.server.output().contains("and are no longer"));
    assert!((remote.server.metric(STALE) - counted).abs() < 0.5, "nothing is stale any more");
    let said = remote.server.stop();
    assert_eq!(said.matches("verified from stale cache entries, as").count(), 1, "{said}");
    let end = said.lines().find(|line| line.contains("and are no longer")).expect("the end");
    let end: serde_json::Value = serde_json::from_str(end).expect("a line of JSON");
    let told = end["count"].as_f64().expect("a count");
    // A response in progress when the database came back is counted later.
    assert!((3.0..=counted).contains(&told), "{told} of {counted}");
}

#[test]
fn a_database_that_stops_responding_counts_as_unavailable() {
    let remote = RemoteServer::of(env("serve").with("LATCHKEY__DATABASE__STATEMENT_TIMEOUT", "1s"));
    let secret = remote.server.create_token("known");
    until_cached(&remote.server, &secret);

    remote.proxy.freeze();
    until_true("the server notices", || {
        remote.server.output().contains("the database is unavailable; cache")
    });
    let stale = remote.server.metric(STALE);
    for _ in 0..20 {
        assert_eq!(verify(&remote.server, &secret), 200);
    }
    assert!(
        remote.server.metric(STALE) > stale + 19.0,
        "served from memory, without a question to the database"
    );
    // About the statement timeout, not the fifteen seconds that a request may take.
    let unknown = Request::get("/auth/verify").by("default:development.never-seen");
    let answer = remote.server.send(&unknown);
    assert_unavailable(&answer, "a token never seen before");
    assert!(!answer.text().contains("took too long"), "{}", answer.text());
    assert_unavailable(&remote.server.send(&Request::get("/ready")), "ready");

    remote.proxy.thaw();
    until_true("it answers again", || remote.server.output().contains("the database is available again"));
    until_true("writing too", || remote.server.as_admin(Request::get(TOKENS)).status == 200);
}
