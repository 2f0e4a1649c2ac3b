//! One token, and mocked stores and feeds around it.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{
    Actor, ApiToken, Event, EventId, EventKind, NewEvent, Origin, TokenAccess, TokenSecret,
    testing::api_token,
};
use latchkey_ports::{
    Change, FeedReading, ManualClock, MockEventRepository, MockPersonalTokenRepository,
    MockSessionRepository, MockTokenRepository, SecretSealer, StoreError, StoredToken, TokenMatch,
    TokenRepository,
};
use latchkey_service::{
    Authenticator, CredentialPorts, IndexSettings, LimitKeeper, Lookups, PrincipalIndex, UsageRecorder,
    WhenStale,
};

use crate::support::{moment, sealer};

/// The maximum staleness of the index.
pub(crate) const STALENESS: Duration = Duration::from_secs(5);

pub(crate) const INDEX: IndexSettings = IndexSettings {
    capacity: 10,
    max_staleness: STALENESS,
    when_stale: WhenStale::Refuse,
    unknown_per_second: 500,
    lookups: Lookups::Current,
};

pub(crate) fn found(stored: &StoredToken) -> TokenMatch {
    TokenMatch { stored: stored.clone(), secret_until: None, found_by: stored.secret.digest }
}

pub(crate) fn away() -> StoreError {
    StoreError::Unavailable("the connection was refused".into())
}

pub(crate) fn event(kind: EventKind) -> NewEvent {
    NewEvent::new(kind, Actor::System, Origin::default(), moment(0))
}

/// A feed whose newest changes are these, the last one with that number.
pub(crate) fn events_with(latest: i64, new: Vec<NewEvent>) -> MockEventRepository {
    let mut events = MockEventRepository::new();
    events.expect_changes_since().returning(move |position, limit| {
        let first = latest + 1 - i64::try_from(new.len()).expect("few");
        let numbered = (first..).zip(new.clone()).map(|(id, record)| Event { id: EventId(id), record });
        let changes = numbered.map(|event| Change::from(&event)).collect();
        let reading = FeedReading { newest: EventId(latest), changes, ..FeedReading::default() };
        Ok(position.advance(reading, limit))
    });
    events
}

/// A feed without a new change.
pub(crate) fn events_at(latest: i64) -> MockEventRepository {
    events_with(latest, Vec::new())
}

/// A feed that is unavailable.
pub(crate) fn no_events() -> MockEventRepository {
    let mut events = MockEventRepository::new();
    events.expect_changes_since().returning(|_, _| Err(away()));
    events
}

/// One admin token, with a sealer and a clock.
pub(crate) struct OneToken {
    pub(crate) clock: Arc<ManualClock>,
    sealer: Arc<dyn SecretSealer>,
    pub(crate) secret: TokenSecret,
    pub(crate) stored: StoredToken,
}

impl OneToken {
    pub(crate) fn new() -> Self {
        Self::sealed_by(sealer())
    }

    pub(crate) fn sealed_by(sealer: Arc<dyn SecretSealer>) -> Self {
        let secret = TokenSecret::parse("*:*.admin").expect("a secret");
        let token = ApiToken { access: TokenAccess::Admin, ..api_token(moment(0)) };
        let stored = StoredToken { token, secret: sealer.record(&secret), alias: None };
        Self { clock: Arc::new(ManualClock::at(moment(1_000))), sealer, secret, stored }
    }

    pub(crate) fn index(&self) -> Arc<PrincipalIndex> {
        self.index_that(WhenStale::Refuse)
    }

    pub(crate) fn index_that(&self, when_stale: WhenStale) -> Arc<PrincipalIndex> {
        let settings = IndexSettings { when_stale, ..INDEX };
        Arc::new(PrincipalIndex::new(settings, self.clock.clone()))
    }

    /// A store that is asked about many secrets in one query, and knows the token.
    pub(crate) fn answering_a_batch(&self, secrets: usize) -> Arc<MockTokenRepository> {
        let mut tokens = MockTokenRepository::new();
        let stored = self.stored.clone();
        tokens
            .expect_find_tokens_by_digests()
            // Each may be known by itself or by its SHA-256.
            .withf(move |digests| digests.len() == 2 * secrets)
            .times(1)
            .returning(move |_| Ok(vec![found(&stored)]));
        Arc::new(tokens)
    }

    /// A store that knows the token and expects exactly that many lookups.
    pub(crate) fn answering(&self, times: usize) -> Arc<MockTokenRepository> {
        let mut tokens = MockTokenRepository::new();
        let stored = self.stored.clone();
        tokens.expect_find_token_by_digest().times(times).returning(move |_| Ok(Some(found(&stored))));
        Arc::new(tokens)
    }

    pub(crate) fn authenticator(
        &self,
        tokens: Arc<dyn TokenRepository>,
        index: &Arc<PrincipalIndex>,
        seen: Arc<UsageRecorder>,
    ) -> Authenticator {
        let ports = CredentialPorts {
            tokens,
            personal_tokens: Arc::new(MockPersonalTokenRepository::new()),
            sessions: Arc::new(MockSessionRepository::new()),
        };
        let limits = Arc::new(LimitKeeper::new(None, self.clock.clone(), WhenStale::Refuse));
        Authenticator::new(ports, self.sealer.clone(), self.clock.clone(), index.clone(), seen, limits)
    }
}
