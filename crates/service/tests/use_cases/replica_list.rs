//! The list of the processes that serve one store.

use std::time::Duration;

use latchkey_domain::TokenAccess;
use latchkey_ports::Replica;
use latchkey_service::{NewReplica, ReadInstance, Reveal};

use crate::support::{TestEnv, sealer, settings, system};

fn named(host: &str) -> NewReplica {
    NewReplica { host: host.to_owned(), address: "0.0.0.0:4242".to_owned(), version: "1.2.3".to_owned() }
}

/// Another process on the same store.
async fn beside(env: &TestEnv) -> TestEnv {
    let other = env.beside(sealer(), settings(Reveal::Always));
    // Its random bytes would otherwise be those of the first.
    other.token(TokenAccess::Admin).await;
    other
}

async fn listed(env: &TestEnv) -> Vec<Replica> {
    env.use_cases.replicas.list(&system::<ReadInstance>()).await.expect("listed")
}

async fn hosts(env: &TestEnv) -> Vec<String> {
    listed(env).await.into_iter().map(|replica| replica.host).collect()
}

async fn report(env: &TestEnv) {
    env.use_cases.replicas.report().await.expect("reported");
}

#[tokio::test]
async fn each_process_lists_all_that_report_themselves_until_they_leave() {
    let one = TestEnv::new();
    let two = beside(&one).await;
    one.use_cases.replicas.join(named("one"));
    one.clock.advance(Duration::from_secs(1));
    two.use_cases.replicas.join(named("two"));
    assert_eq!(hosts(&one).await, [] as [&str; 0], "none has reported itself");
    report(&two).await;
    report(&one).await;
    for env in [&one, &two] {
        assert_eq!(hosts(env).await, ["one", "two"]);
    }
    let ids: Vec<_> = listed(&one).await.iter().map(|replica| Some(replica.id)).collect();
    assert_eq!(ids, [one.use_cases.replicas.this(), two.use_cases.replicas.this()]);
    one.use_cases.replicas.leave().await.expect("gone");
    assert_eq!(hosts(&two).await, ["two"]);
}

#[tokio::test]
async fn a_process_that_ends_without_leaving_is_left_out_after_a_while() {
    let one = TestEnv::new();
    let two = beside(&one).await;
    for (env, host) in [(&one, "one"), (&two, "two")] {
        env.use_cases.replicas.join(named(host));
        report(env).await;
    }
    one.clock.advance(Replica::GONE_AFTER);
    report(&one).await;
    assert_eq!(hosts(&one).await, ["one", "two"]);
    one.clock.advance(Duration::from_millis(1));
    assert_eq!(hosts(&one).await, ["one"]);
    // It was only cut off.
    report(&two).await;
    assert_eq!(hosts(&one).await, ["one", "two"]);
}

#[tokio::test]
async fn a_report_says_when_it_was_made_and_how_far_the_feed_was_read() {
    let env = TestEnv::new();
    let started = env.now();
    env.use_cases.replicas.join(named("one"));
    env.use_cases.replicas.join(named("another"));
    report(&env).await;
    let [first] = listed(&env).await.try_into().expect("one");
    assert_eq!(
        (first.host.as_str(), first.address.as_str(), first.version.as_str()),
        ("one", "0.0.0.0:4242", "1.2.3")
    );
    assert_eq!((first.started_at, first.seen_at, first.feed_age), (started, started, None));
    env.use_cases.follow_changes().await.expect("followed");
    env.clock.advance(Duration::from_millis(250));
    report(&env).await;
    let [second] = listed(&env).await.try_into().expect("one");
    let feed_age = Some(Duration::from_millis(250));
    assert_eq!(second, Replica { seen_at: env.now(), feed_age, ..first });
}

/// A command, and a verifier without a store that it can write to.
#[tokio::test]
async fn a_process_that_does_not_join_or_cannot_write_reports_nothing() {
    let env = TestEnv::new();
    let cannot_write = env.replica(settings(Reveal::Always));
    cannot_write.use_cases.replicas.join(named("verifier"));
    for env in [&env, &cannot_write] {
        report(env).await;
        env.use_cases.replicas.leave().await.expect("nothing to do");
        assert_eq!(hosts(env).await, [] as [&str; 0]);
    }
    assert_eq!(env.use_cases.replicas.this(), None);
}
