//! Verification from a replica: how far it is behind counts as age, and bounds what its lookups are worth.

use std::{sync::Arc, time::Duration};

use crate::{
    one_token::{INDEX, OneToken, STALENESS, found},
    support::{TestEnv, client_of, settings},
};
use latchkey_domain::{EventId, ProjectScope};
use latchkey_ports::{FeedReading, MockEventRepository, MockTokenRepository, StoreError};
use latchkey_service::{
    AuthenticationError, Authenticator, FlushedUsage, IndexSettings, Lookups, PrincipalIndex, Reveal,
    Verification, WhenStale,
};

const MS: Duration = Duration::from_millis(1);
/// A millisecond less than [`STALENESS`].
const NEARLY_STALE: Duration = Duration::from_millis(4_999);

/// A replica whose feed has no new change.
fn feed(newest: i64, lag: Duration, origin: &str) -> MockEventRepository {
    let (mut events, origin) = (MockEventRepository::new(), Some(origin.to_owned()));
    events.expect_changes_since().returning(move |position, limit| {
        let origin = origin.clone();
        let reading = FeedReading { newest: EventId(newest), lag, origin, ..FeedReading::default() };
        Ok(position.advance(reading, limit))
    });
    events
}

/// A process that verifies from a replica, which has one token.
struct Replica {
    one: OneToken,
    index: Arc<PrincipalIndex>,
    authenticator: Arc<Authenticator>,
    verification: Verification,
}

impl Replica {
    /// The replica expects that many lookups.
    fn of(when_stale: WhenStale, lookups: usize) -> Self {
        let one = OneToken::new();
        let mut tokens = MockTokenRepository::new();
        let stored = one.stored.clone();
        tokens
            .expect_find_token_by_digest()
            .times(lookups)
            .returning(move |digests| Ok(digests.contains(&stored.secret.digest).then(|| found(&stored))));
        let stored = one.stored.clone();
        tokens.expect_find_tokens_by_digests().returning(move |_| Ok(vec![found(&stored)]));
        let settings = IndexSettings { when_stale, lookups: Lookups::OfReplica, ..INDEX };
        let index = Arc::new(PrincipalIndex::new(settings, one.clock.clone()));
        let authenticator = Arc::new(one.authenticator(Arc::new(tokens), &index, Arc::default()));
        let verification = Verification::new(authenticator.clone());
        Self { one, index, authenticator, verification }
    }

    async fn follow(&self, lag: Duration) -> Result<(), StoreError> {
        self.index.follow(&feed(5, lag, "a")).await
    }

    async fn verify(&self) -> &'static str {
        self.verify_secret(self.one.secret.reveal()).await
    }

    async fn verify_secret(&self, secret: &str) -> &'static str {
        match self.verification.verify(secret, None).await {
            Ok(_) => "valid",
            Err(AuthenticationError::Unknown) => "invalid",
            Err(AuthenticationError::Store(StoreError::Unavailable(_))) => "unavailable",
            Err(_) => "another error",
        }
    }

    fn age(&self) -> Option<Duration> {
        self.authenticator.metrics().feed_age
    }
}

#[tokio::test]
async fn the_lag_of_the_replica_counts_as_age() {
    let replica = Replica::of(WhenStale::Refuse, 1);
    // The process is younger than the state that it reads.
    replica.follow(NEARLY_STALE).await.expect("fresh enough");
    assert_eq!(replica.age(), Some(NEARLY_STALE));
    assert_eq!(replica.authenticator.metrics().replication_lag, Some(NEARLY_STALE));
    assert_eq!(replica.verify().await, "valid");
    replica.one.clock.advance(MS);
    assert_eq!(replica.verify().await, "valid", "from memory");
    replica.one.clock.advance(MS);
    assert_eq!(replica.verify().await, "unavailable");
    // What was known before stays known, so a page that is further behind makes nothing older.
    replica.follow(MS).await.expect("fresh");
    replica.follow(3 * MS).await.expect("fresh");
    assert_eq!(replica.age(), Some(MS));
    assert_eq!(replica.verify().await, "valid", "from memory");
}

#[tokio::test]
async fn a_replica_that_is_too_far_behind_counts_as_unavailable() {
    for lag in [STALENESS + MS, Duration::MAX] {
        let replica = Replica::of(WhenStale::Refuse, 1);
        assert_eq!(replica.verify().await, "unavailable", "it was never followed");
        let followed = replica.follow(lag).await;
        assert!(matches!(followed, Err(StoreError::Unavailable(_))), "{followed:?}");
        // The lookup would find a token that may have been revoked since, so there is none.
        assert_eq!(replica.verify().await, "unavailable");
        let secret = replica.one.secret.reveal();
        let batch = replica.verification.verify_all(&[secret], None).await;
        assert!(matches!(batch, Err(AuthenticationError::Store(StoreError::Unavailable(_)))), "{batch:?}");
        replica.follow(MS).await.expect("it has caught up");
        assert_eq!(replica.verify().await, "valid");
    }
    let replica = Replica::of(WhenStale::Refuse, 0);
    replica.follow(Duration::MAX).await.expect_err("not known");
    assert_eq!(replica.authenticator.metrics().replication_lag, None);
}

#[tokio::test]
async fn stale_lookups_are_served_and_counted_if_so_configured() {
    let replica = Replica::of(WhenStale::Serve, 4);
    assert_eq!(replica.verify().await, "unavailable", "it was never followed");
    replica.follow(STALENESS + MS).await.expect_err("too far behind");
    assert_eq!(replica.verify().await, "valid", "as the replica last knew it");
    let secret = replica.one.secret.reveal();
    let batch = replica.verification.verify_all(&[secret], None).await.expect("served");
    assert!(batch.iter().all(Option::is_some));
    assert_eq!(replica.authenticator.metrics().from_stale_memory.valid, 2);
    // It may have been created since.
    assert_eq!(replica.verify_secret("default:development.new").await, "unavailable");
    let action = replica.authenticator.authenticate("default:development.new", None).await;
    assert!(matches!(action, Err(AuthenticationError::Store(StoreError::Unavailable(_)))), "{action:?}");
}

#[tokio::test]
async fn another_replica_begins_anew() {
    let replica = Replica::of(WhenStale::Refuse, 2);
    replica.follow(Duration::ZERO).await.expect("fresh");
    assert_eq!(replica.verify().await, "valid");
    // It is behind the first one, whose state is of no use any more.
    let other = |lag| feed(5, lag, "b");
    replica.index.follow(&other(STALENESS + MS)).await.expect_err("too far behind");
    assert_eq!(replica.age(), Some(STALENESS + MS));
    assert_eq!(replica.verify().await, "unavailable");
    replica.index.follow(&other(MS)).await.expect("it has caught up");
    assert_eq!(replica.verify().await, "valid", "looked up once more");
}

#[tokio::test]
async fn without_a_store_to_write_to_last_uses_are_dropped() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::All)).await;
    let secret = token.secret.expect("shown");
    let replica = env.replica(settings(Reveal::Always));
    replica.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    replica.use_cases.heartbeat().await.expect("nothing to do");
    replica.use_cases.flush_rekeyings().await.expect("nothing to do");
    assert_eq!(replica.use_cases.flush_usage().await.expect("dropped"), FlushedUsage::Dropped(1));
    assert_eq!(replica.use_cases.flush_usage().await.expect("nothing left"), FlushedUsage::Dropped(0));
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    assert_eq!(env.use_cases.flush_usage().await.expect("written"), FlushedUsage::Written(1));
}
