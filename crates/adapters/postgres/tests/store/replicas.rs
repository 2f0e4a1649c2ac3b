//! A store that only reads, as over a standby. Real standbys are in `crates/app/tests/black_box/verifiers.rs`.

use std::time::Duration;

use latchkey_ports::{
    Continuity, EventRepository, FeedPosition, Health, PersonalTokenRepository, SecretDigest,
    SessionRepository, StoreError, TokenRepository,
};
use latchkey_postgres::{Access, PostgresSettings, PostgresStore};
use latchkey_storage_conformance::samples;

use crate::databases::migrated;

fn read_only(url: &str) -> PostgresStore {
    let settings = PostgresSettings { access: Access::ReadOnly, ..PostgresSettings::new(url) };
    PostgresStore::connect(&settings).expect("a good URL")
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_writes_nothing() {
    let (store, database) = migrated().await;
    let reader = read_only(database.url());
    assert_eq!(reader.schema_state().await.expect("known").pending, 0);
    assert_unavailable(&reader.create_first_tokens(&[samples::new_token(samples::admin_token(1))]).await);
    assert_unavailable(&reader.forget_events(samples::moment(1)).await);
    assert_unavailable(&reader.sweep(samples::moment(1)).await);
    assert!(reader.migrate().await.is_err(), "also where nothing is pending");
    assert!(!store.has_tokens().await.expect("known"));
    // It can still read, over other connections.
    reader.ping().await.expect("the server answers");
    assert!(!reader.announces_events());
}

/// What a follower knows of one server says nothing of another, which may be further behind.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_looked_up_at_a_server_that_is_not_followed() {
    let (store, database) = migrated().await;
    let reader = read_only(database.url());
    let digests = [SecretDigest([7; 32])];
    let all_refuse = async || {
        assert_unavailable(&reader.find_token_by_digest(&digests).await);
        assert_unavailable(&reader.find_tokens_by_digests(&digests).await);
        assert_unavailable(&reader.find_personal_token_by_digest(&digests).await);
        assert_unavailable(&reader.find_session_by_digest(&digests).await);
    };
    all_refuse().await;
    let elsewhere = store.changes_since(&FeedPosition::default(), 1).await.expect("a page").position;
    let page = reader.changes_since(&elsewhere, 1).await.expect("a page");
    assert_eq!((page.continuity, page.lag), (Continuity::OtherHistory, Duration::ZERO));
    all_refuse().await;
    // The follower has been told.
    reader.changes_since(&page.position, 1).await.expect("a page");
    assert!(reader.find_token_by_digest(&digests).await.expect("looked up").is_none());
    assert!(reader.find_session_by_digest(&digests).await.expect("looked up").is_none());

    let other = read_only(database.url());
    other.changes_since(&FeedPosition::default(), 1).await.expect("a page");
    assert!(other.find_token_by_digest(&digests).await.expect("nothing was known before").is_none());
}
