//! Tokens that are in memory while the database is away for longer than `verify.max_staleness`: refused, or served and
//! counted, as `verify.when_stale` says.

use crate::{
    far::{Far, assert_unavailable},
    ground::{Ground, Store},
    server::{Server, TOKENS},
    waiting::until_true,
    wire::Call,
};

const MEMORY: &str = r#"latchkey_verifications_total{from="memory"}"#;
const STALE: &str = r#"latchkey_verifications_total{from="stale"}"#;

fn ground(when_stale: &str) -> Ground {
    Ground::on(Store::Postgres)
        .with("LATCHKEY__VERIFY__MAX_STALENESS", "300ms")
        .with("LATCHKEY__VERIFY__POLL_INTERVAL", "20ms")
        .with("LATCHKEY__VERIFY__WHEN_STALE", when_stale)
}

fn verify(server: &Server, secret: &str) -> u16 {
    server.send(&Call::get("/auth/verify").by(secret)).status
}

/// Verifies the token until that is answered from memory. A server's first look at the feed makes it forget what it knew
/// before, and may come after the first request.
fn until_remembered(server: &Server, secret: &str) {
    until_true("the token is in memory", || {
        let before = server.number(MEMORY);
        assert_eq!(verify(server, secret), 200);
        server.number(MEMORY) > before
    });
}

#[test]
fn stale_memory_is_no_answer_where_it_is_to_be_refused() {
    let far = Far::of(ground("refuse"));
    let secret = far.server.create("known");
    until_remembered(&far.server, &secret);

    far.proxy.cut();
    let call = Call::get("/auth/verify").by(&secret);
    assert_unavailable(&far.answer_when_dead(&call), "the first that is not from memory");
    for _ in 0..5 {
        assert_unavailable(&far.server.send(&call), "all others");
    }
    assert!(far.server.number("latchkey_feed_age_seconds") > 0.3);
    assert!(far.server.number(STALE).abs() < 0.5);

    assert!(far.proxy.restore());
    until_true("the token is good again", || verify(&far.server, &secret) == 200);
}

#[test]
fn stale_memory_is_served_and_counted_where_that_is_allowed() {
    let mut far = Far::of(ground("serve"));
    let [kept, revoked] = ["kept", "revoked"].map(|name| far.server.create(name));
    // Another process, whose way to the database stays open.
    let direct = far.ground.postgres_url().to_owned();
    far.ground.set("DATABASE_URL", &direct);
    let near = far.ground.serve();
    for secret in [&kept, &revoked] {
        until_remembered(&far.server, secret);
    }

    far.proxy.cut();
    until_true("stale answers", || {
        assert_eq!(verify(&far.server, &kept), 200, "never refused in the meantime");
        far.server.number(STALE) > 2.0
    });
    assert_eq!(near.delete(&revoked).status, 200);
    assert_eq!(verify(&far.server, &revoked), 200, "it cannot know");
    let both = serde_json::json!({ "tokens": [kept, revoked] });
    let validated = far.server.send(&Call::post("/edge/validate", &both)).json();
    assert_eq!(validated["tokens"].as_array().expect("a list").len(), 2);

    // What is not known cannot be served, and nobody acts on what may not be true any more.
    let unknown = Call::get("/auth/verify").by("default:development.never-seen");
    assert_unavailable(&far.server.send(&unknown), "a token never seen before");
    assert_unavailable(&far.server.as_admin(Call::get(TOKENS)), "an admin who was known");

    assert!(far.proxy.restore());
    until_true("the revocation arrives", || verify(&far.server, &revoked) == 401);
    assert_eq!(verify(&far.server, &kept), 200);
    let counted = far.server.number(STALE);
    until_true("the end is told", || far.server.said().contains("and are no longer"));
    assert!((far.server.number(STALE) - counted).abs() < 0.5, "nothing is stale any more");
    let said = far.server.stop();
    assert_eq!(said.matches("verified from stale cache entries, as").count(), 1, "{said}");
    let end = said.lines().find(|line| line.contains("and are no longer")).expect("the end");
    let end: serde_json::Value = serde_json::from_str(end).expect("a line of JSON");
    let told = end["count"].as_f64().expect("a count");
    // An answer that was under way when the database came back is told later.
    assert!((3.0..=counted).contains(&told), "{told} of {counted}");
}

#[test]
fn a_database_that_falls_silent_is_as_good_as_away() {
    let far = Far::of(ground("serve").with("LATCHKEY__DATABASE__STATEMENT_TIMEOUT", "1s"));
    let secret = far.server.create("known");
    until_remembered(&far.server, &secret);

    far.proxy.freeze();
    until_true("the server notices", || far.server.said().contains("the database is unavailable; cache"));
    let stale = far.server.number(STALE);
    for _ in 0..20 {
        assert_eq!(verify(&far.server, &secret), 200);
    }
    assert!(
        far.server.number(STALE) > stale + 19.0,
        "served from memory, without a question to the database"
    );
    // The database's own limit and a moment, not the fifteen seconds that a request may take.
    let unknown = Call::get("/auth/verify").by("default:development.never-seen");
    let answer = far.server.send(&unknown);
    assert_unavailable(&answer, "a token never seen before");
    assert!(!answer.text().contains("took too long"), "{}", answer.text());
    assert_unavailable(&far.server.send(&Call::get("/ready")), "ready");

    far.proxy.thaw();
    until_true("it answers again", || far.server.said().contains("the database is available again"));
    until_true("writing too", || far.server.as_admin(Call::get(TOKENS)).status == 200);
}
