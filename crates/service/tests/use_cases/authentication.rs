//! Who is recognised, when the store is asked, and when it is not.

use std::{sync::Arc, time::Duration};

use crate::support::{House, client_of, moment, permit, project_id, sealer, system};
use latchkey_domain::{
    Actor, ApiToken, Description, Event, EventId, EventKind, NewEvent, Origin, ProjectScope, Snapshot,
    Timestamp, TokenAccess, TokenId, TokenName, TokenSecret,
};
use latchkey_ports::{
    ManualClock, MockEventRepository, MockPersonalTokenRepository, MockSessionRepository,
    MockTokenRepository, SecretSealer, StoreError, StoredToken, TokenMatch, TokenRepository,
};
use latchkey_service::{
    AuthenticationError, Authenticator, Caller, CredentialPorts, IndexSettings, Permit, PersonalTokenDraft,
    PrincipalIndex, RoleReference, SeenLedger, TokenReference,
};

#[tokio::test]
async fn a_token_is_recognised_until_it_is_revoked() {
    let house = House::new();
    let token = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    house.use_cases.follow_changes().await.expect("followed");
    for _ in 0..2 {
        house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    }
    let reference = TokenReference::Id(token.token.id);
    house.use_cases.project_tokens.delete(&permit("default"), &reference).await.expect("deleted");
    let refused = house.use_cases.authenticator.authenticate(secret.reveal()).await;
    assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
}

#[tokio::test]
async fn a_token_is_refused_from_the_moment_of_its_expiry() {
    let house = House::new();
    let user = house.user("ed", "Viewer").await;
    let ends = moment(1_700_000_010_000);
    let draft = PersonalTokenDraft { description: Description::new("ci").expect("text"), expires_at: ends };
    let issued = house.use_cases.personal_tokens.create_for(&system(), user.id, draft).await;
    let secret = issued.expect("issued").secret;
    house.use_cases.follow_changes().await.expect("followed");
    house.clock.advance(Duration::from_millis(9_999));
    house.use_cases.follow_changes().await.expect("followed");
    house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("a millisecond before");
    house.clock.advance(Duration::from_millis(1));
    let refused = house.use_cases.authenticator.authenticate(secret.reveal()).await;
    assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_secret_is_not_recognised() {
    let house = House::new();
    for text in ["", "nope", "user:nope", "a b", "é:*.x", &"x".repeat(5_000)] {
        let refused = house.use_cases.authenticator.authenticate(text).await;
        assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{text:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_user_acts_with_the_roles_of_the_moment() {
    let house = House::new();
    let user = house.user("ed", "Viewer").await;
    let draft = PersonalTokenDraft {
        description: Description::new("ci").expect("text"),
        expires_at: moment(1_800_000_000_000),
    };
    let issued = house.use_cases.personal_tokens.create_for(&system(), user.id, draft).await;
    let secret = issued.expect("issued").secret;
    house.use_cases.follow_changes().await.expect("followed");
    let before = house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    assert_eq!(before.grants().iter().count(), 0);
    let permit = Permit::request(&Caller::system(), project_id("default")).expect("may do everything");
    let member = [RoleReference::Name("member".to_owned())];
    house.use_cases.members.add(&permit, vec![user.id], &member).await.expect("granted");
    let after = house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    assert_eq!(after.grants().iter().count(), 3);
}

#[tokio::test]
async fn being_seen_is_written_in_a_batch_and_never_lost() {
    let house = House::new();
    let token = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    house.clock.advance(Duration::from_secs(3));
    house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    let seen = || async {
        house.store.find_token(token.token.id).await.expect("found").expect("there").token.seen_at
    };
    assert_eq!(seen().await, None);
    house.use_cases.flush_seen().await.expect("flushed");
    assert_eq!(seen().await, Some(moment(1_700_000_003_000)));
}

#[tokio::test]
async fn a_failed_flush_keeps_its_notes() {
    let bench = Bench::new();
    let mut tokens = MockTokenRepository::new();
    let stored = bench.stored.clone();
    tokens.expect_find_token_by_digest().returning(move |_| Ok(Some(found(&stored))));
    let mut failures = 1;
    tokens.expect_record_tokens_seen().times(2).returning(move |seen| {
        assert_eq!(seen.len(), 1);
        failures -= 1;
        if failures == 0 { Err(away()) } else { Ok(()) }
    });
    let tokens = Arc::new(tokens);
    let seen = Arc::new(SeenLedger::default());
    let authenticator = bench.authenticator(tokens.clone(), &bench.index(), seen.clone());
    authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    let personal = MockPersonalTokenRepository::new();
    assert!(seen.flush(&*tokens, &personal).await.is_err());
    seen.flush(&*tokens, &personal).await.expect("the second time");
    seen.flush(&*tokens, &personal).await.expect("nothing left to write");
}

#[tokio::test]
async fn the_store_is_asked_once_while_nothing_changes() {
    let bench = Bench::new();
    let index = bench.index();
    let authenticator = bench.authenticator(bench.answering(1), &index, Arc::default());
    index.follow(&events_at(5)).await.expect("followed");
    for _ in 0..3 {
        index.follow(&events_at(5)).await.expect("followed");
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    }
}

#[tokio::test]
async fn a_change_elsewhere_to_this_token_makes_the_store_be_asked_again() {
    let bench = Bench::new();
    let index = bench.index();
    let authenticator = bench.authenticator(bench.answering(2), &index, Arc::default());
    let about_it =
        NewEvent { before: Some(Snapshot::from(&bench.stored.token)), ..event(EventKind::ApiTokenUpdated) };
    for (latest, new) in [(5, vec![]), (5, vec![]), (6, vec![about_it]), (6, vec![])] {
        index.follow(&events_with(latest, new)).await.expect("followed");
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    }
}

#[tokio::test]
async fn a_change_to_something_else_leaves_a_token_in_the_index() {
    let bench = Bench::new();
    let index = bench.index();
    let authenticator = bench.authenticator(bench.answering(1), &index, Arc::default());
    let other = ApiToken { id: TokenId::new(moment(7), [7; 10]), ..bench.stored.token.clone() };
    let about_another =
        NewEvent { before: Some(Snapshot::from(&other)), ..event(EventKind::ApiTokenDeleted) };
    let changes = [about_another, event(EventKind::UserUpdated), event(EventKind::ApiTokenCreated)];
    index.follow(&events_at(5)).await.expect("followed");
    for (latest, change) in (6..).zip(changes) {
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
        index.follow(&events_with(latest, vec![change])).await.expect("followed");
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    }
}

#[tokio::test]
async fn events_that_were_forgotten_could_have_said_anything() {
    let bench = Bench::new();
    let index = bench.index();
    let authenticator = bench.authenticator(bench.answering(3), &index, Arc::default());
    // Too many at once; fewer than there must have been; a trail that begins anew.
    for latest in [5, 2_000, 2_001] {
        index.follow(&events_with(latest, vec![])).await.expect("followed");
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    }
}

#[tokio::test]
async fn a_secret_of_nobody_is_asked_for_once_until_a_token_is_born() {
    let bench = Bench::new();
    let index = bench.index();
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().times(2).returning(|_| Ok(None));
    let authenticator = bench.authenticator(Arc::new(tokens), &index, Arc::default());
    index.follow(&events_at(1)).await.expect("followed");
    for _ in 0..3 {
        assert!(authenticator.authenticate("guess").await.is_err());
    }
    index.follow(&events_with(2, vec![event(EventKind::UserUpdated)])).await.expect("followed");
    assert!(authenticator.authenticate("guess").await.is_err());
    index.follow(&events_with(3, vec![event(EventKind::ApiTokenCreated)])).await.expect("followed");
    assert!(authenticator.authenticate("guess").await.is_err());
}

#[tokio::test]
async fn an_index_that_nobody_follows_answers_nothing() {
    let bench = Bench::new();
    let index = bench.index();
    let authenticator = bench.authenticator(bench.answering(3), &index, Arc::default());
    authenticator.authenticate(bench.secret.reveal()).await.expect("never followed: asked");
    index.follow(&events_at(1)).await.expect("followed");
    authenticator.authenticate(bench.secret.reveal()).await.expect("followed for the first time: asked");
    bench.clock.advance(Duration::from_secs(5));
    authenticator.authenticate(bench.secret.reveal()).await.expect("just fresh enough");
    bench.clock.advance(Duration::from_millis(1));
    let mut away_events = MockEventRepository::new();
    away_events.expect_latest_event().returning(|| Err(away()));
    assert!(index.follow(&away_events).await.is_err());
    authenticator.authenticate(bench.secret.reveal()).await.expect("stale: asked");
}

#[tokio::test]
async fn an_answer_that_raced_a_change_is_not_kept() {
    let bench = Bench::new();
    let index = bench.index();
    let mut tokens = MockTokenRepository::new();
    let (stored, racing) = (bench.stored.clone(), index.clone());
    tokens.expect_find_token_by_digest().times(2).returning(move |_| {
        racing.note(&NewEvent {
            before: Some(Snapshot::from(&stored.token)),
            ..event(EventKind::ApiTokenUpdated)
        });
        Ok(Some(found(&stored)))
    });
    let authenticator = bench.authenticator(Arc::new(tokens), &index, Arc::default());
    index.follow(&events_at(1)).await.expect("followed");
    for _ in 0..2 {
        authenticator.authenticate(bench.secret.reveal()).await.expect("recognised");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_reason_to_call_a_secret_unknown() {
    let bench = Bench::new();
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().returning(|_| Err(away()));
    let authenticator = bench.authenticator(Arc::new(tokens), &bench.index(), Arc::default());
    let failed = authenticator.authenticate(bench.secret.reveal()).await;
    assert!(matches!(failed, Err(AuthenticationError::Store(StoreError::Unavailable(_)))), "{failed:?}");
}

fn found(stored: &StoredToken) -> TokenMatch {
    TokenMatch { stored: stored.clone(), secret_until: None }
}

fn away() -> StoreError {
    StoreError::Unavailable("the connection was refused".into())
}

fn event(kind: EventKind) -> NewEvent {
    NewEvent::new(kind, Actor::System, Origin::default(), moment(0))
}

/// A trail whose newest events are these, the very newest with that number.
fn events_with(latest: i64, new: Vec<NewEvent>) -> MockEventRepository {
    let mut events = events_at(latest);
    let first = latest + 1 - i64::try_from(new.len()).expect("few");
    let numbered = (first..).zip(new).map(|(id, record)| Event { id: EventId(id), record });
    let numbered: Vec<_> = numbered.collect();
    events.expect_events_after().returning(move |_, _| Ok(numbered.clone()));
    events
}

fn events_at(latest: i64) -> MockEventRepository {
    let mut events = MockEventRepository::new();
    events.expect_latest_event().returning(move || Ok(EventId(latest)));
    events
}

/// One admin token, and what is needed to look for it.
struct Bench {
    clock: Arc<ManualClock>,
    sealer: Arc<dyn SecretSealer>,
    secret: TokenSecret,
    stored: StoredToken,
}

impl Bench {
    fn new() -> Self {
        let sealer = sealer();
        let secret = TokenSecret::parse("*:*.admin").expect("a secret");
        let created_at: Timestamp = moment(0);
        let token = ApiToken {
            id: TokenId::new(created_at, [0; 10]),
            name: TokenName::new("admin").expect("name"),
            access: TokenAccess::Admin,
            expires_at: None,
            created_at,
            seen_at: None,
        };
        let stored = StoredToken { token, secret: sealer.record(&secret), alias: None };
        Self { clock: Arc::new(ManualClock::at(moment(1_000))), sealer, secret, stored }
    }

    fn index(&self) -> Arc<PrincipalIndex> {
        let settings = IndexSettings { capacity: 10, max_staleness: Duration::from_secs(5) };
        Arc::new(PrincipalIndex::new(settings, self.clock.clone()))
    }

    /// A store that knows the token and wants to be asked just that often.
    fn answering(&self, times: usize) -> Arc<MockTokenRepository> {
        let mut tokens = MockTokenRepository::new();
        let stored = self.stored.clone();
        tokens.expect_find_token_by_digest().times(times).returning(move |_| Ok(Some(found(&stored))));
        Arc::new(tokens)
    }

    fn authenticator(
        &self,
        tokens: Arc<dyn TokenRepository>,
        index: &Arc<PrincipalIndex>,
        seen: Arc<SeenLedger>,
    ) -> Authenticator {
        let ports = CredentialPorts {
            tokens,
            personal_tokens: Arc::new(MockPersonalTokenRepository::new()),
            sessions: Arc::new(MockSessionRepository::new()),
        };
        Authenticator::new(ports, self.sealer.clone(), self.clock.clone(), index.clone(), seen)
    }
}
