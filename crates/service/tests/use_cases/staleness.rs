//! Answers from stale cache entries while the store is unavailable.

use std::{sync::Arc, time::Duration};

use crate::{
    one_token::{OneToken, STALENESS, away, event, events_at, found, no_events},
    support::moment,
};
use latchkey_domain::{EventKind, NewEvent, Principal, Reason, Subject};
use latchkey_ports::{MockTokenRepository, StoreError};
use latchkey_service::{AuthenticationError, Authenticator, PrincipalIndex, Verification, WhenStale};

/// A process with one cached token, a stale feed and a store that became unavailable.
struct Outage {
    one: OneToken,
    index: Arc<PrincipalIndex>,
    authenticator: Arc<Authenticator>,
    verification: Verification,
}

impl Outage {
    /// The store expects exactly that many failing lookups.
    async fn of(one: OneToken, when_stale: WhenStale, in_vain: usize) -> Self {
        let mut tokens = MockTokenRepository::new();
        let stored = one.stored.clone();
        tokens.expect_find_token_by_digest().times(1).returning(move |_| Ok(Some(found(&stored))));
        tokens.expect_find_token_by_digest().times(in_vain).returning(|_| Err(away()));
        let index = one.index_that(when_stale);
        let authenticator = Arc::new(one.authenticator(Arc::new(tokens), &index, Arc::default()));
        let verification = Verification::new(authenticator.clone());
        index.follow(&events_at(5)).await.expect("followed");
        verification.verify(one.secret.reveal(), None).await.expect("accepted");
        let outage = Self { one, index, authenticator, verification };
        outage.pass(STALENESS + Duration::from_millis(1));
        outage
    }

    fn pass(&self, span: Duration) {
        self.one.clock.advance(span);
    }

    async fn verify(&self) -> Result<Arc<Principal>, AuthenticationError> {
        self.verification.verify(self.one.secret.reveal(), None).await
    }

    fn stale_answers(&self) -> u64 {
        self.authenticator.metrics().from_stale_memory.total()
    }
}

#[track_caller]
fn assert_unavailable(answer: &Result<Arc<Principal>, AuthenticationError>) {
    assert!(matches!(answer, Err(AuthenticationError::Store(StoreError::Unavailable(_)))), "{answer:?}");
}

#[tokio::test]
async fn a_stale_entry_is_refused_if_so_configured() {
    let outage = Outage::of(OneToken::new(), WhenStale::Refuse, 2).await;
    assert_unavailable(&outage.verify().await);
    assert!(outage.index.follow(&no_events()).await.is_err());
    assert_unavailable(&outage.verify().await);
    assert_eq!(outage.stale_answers(), 0);
}

#[tokio::test]
async fn a_stale_entry_is_served_and_counted_if_so_configured() {
    let outage = Outage::of(OneToken::new(), WhenStale::Serve, 1).await;
    outage.verify().await.expect("served, after the store was asked in vain");
    assert_eq!(outage.stale_answers(), 1);

    // Once the store is known to be unavailable, no request waits for it.
    assert!(outage.index.follow(&no_events()).await.is_err());
    let secret = outage.one.secret.reveal();
    let found = outage.verification.verify_all(&[secret, secret], None).await.expect("served");
    assert!(found.iter().all(Option::is_some));
    outage.pass(Duration::from_secs(86_400));
    outage.verify().await.expect("served, a day later too");
    assert_eq!(outage.stale_answers(), 4);

    // The store is back, and nothing has changed.
    outage.index.follow(&events_at(5)).await.expect("followed");
    outage.verify().await.expect("from memory that is fresh again");
    let figures = outage.authenticator.metrics();
    let sources = [figures.from_stale_memory, figures.from_memory, figures.from_store];
    assert_eq!(sources.map(|answers| (answers.valid, answers.invalid)), [(4, 0), (1, 0), (1, 0)]);
    assert_eq!(figures.feed_age, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_stale_entry_authenticates_no_action() {
    let outage = Outage::of(OneToken::new(), WhenStale::Serve, 2).await;
    assert_unavailable(&outage.authenticator.authenticate(outage.one.secret.reveal(), None).await);
    assert!(outage.index.follow(&no_events()).await.is_err());
    assert_unavailable(&outage.authenticator.authenticate(outage.one.secret.reveal(), None).await);
    assert_eq!(outage.stale_answers(), 0);
}

#[tokio::test]
async fn an_invalidated_entry_is_not_served() {
    let outage = Outage::of(OneToken::new(), WhenStale::Serve, 1).await;
    outage.index.invalidate(&NewEvent {
        subject: Some(Subject::Token(outage.one.stored.token.id)),
        ..event(EventKind::ApiTokenDeleted)
    });
    assert_unavailable(&outage.verify().await);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let mut one = OneToken::new();
    // The clock of the test began at one second.
    one.stored.token.expires_at = Some(moment(11_000));
    let outage = Outage::of(one, WhenStale::Serve, 2).await;
    outage.pass(Duration::from_millis(4_998));
    outage.verify().await.expect("a millisecond before");
    outage.pass(Duration::from_millis(1));
    let refused = outage.verify().await;
    assert!(
        matches!(refused, Err(AuthenticationError::Refused { reason: Reason::Expired, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_unknown_secret_is_unavailable() {
    let outage = Outage::of(OneToken::new(), WhenStale::Serve, 2).await;
    assert_unavailable(&outage.verification.verify("never-seen", None).await);
    assert!(outage.index.follow(&no_events()).await.is_err());
    assert_unavailable(&outage.verification.verify("never-seen", None).await);
}

#[tokio::test]
async fn a_process_that_never_followed_the_feed_serves_nothing() {
    let one = OneToken::new();
    let mut tokens = MockTokenRepository::new();
    let stored = one.stored.clone();
    tokens.expect_find_token_by_digest().times(1).returning(move |_| Ok(Some(found(&stored))));
    tokens.expect_find_token_by_digest().times(1).returning(|_| Err(away()));
    let index = one.index_that(WhenStale::Serve);
    let verification =
        Verification::new(Arc::new(one.authenticator(Arc::new(tokens), &index, Arc::default())));
    verification.verify(one.secret.reveal(), None).await.expect("accepted");
    assert_unavailable(&verification.verify(one.secret.reveal(), None).await);
}
