//! Authentication: which secrets are accepted, and when the store is asked.

use std::{sync::Arc, time::Duration};

use crate::{
    one_token::{OneToken, away, event, events_at, events_with, found, no_events},
    support::{TestEnv, client_of, moment, permit, project_id, system},
};
use latchkey_domain::{ApiToken, Description, EventKind, NewEvent, ProjectScope, Reason, Subject, TokenId};
use latchkey_ports::{MockTokenRepository, StoreError};
use latchkey_service::{
    AuthenticationError, Caller, Permit, PersonalTokenDraft, RoleReference, TokenReference, Verification,
};

#[tokio::test]
async fn a_token_is_accepted_until_it_is_revoked() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    env.use_cases.follow_changes().await.expect("followed");
    for _ in 0..2 {
        env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    }
    let reference = TokenReference::Id(token.token.id);
    env.use_cases.project_tokens.delete(&permit("default"), &reference).await.expect("deleted");
    let refused = env.use_cases.authenticator.authenticate(secret.reveal(), None).await;
    assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
}

#[tokio::test]
async fn a_token_is_refused_from_the_moment_of_its_expiry() {
    let env = TestEnv::new();
    let user = env.user("ed", "Viewer").await;
    let ends = moment(1_700_000_010_000);
    let draft = PersonalTokenDraft { description: Description::new("ci").expect("text"), expires_at: ends };
    let issued = env.use_cases.personal_tokens.create_for(&system(), user.id, draft).await;
    let secret = issued.expect("issued").secret;
    env.use_cases.follow_changes().await.expect("followed");
    env.clock.advance(Duration::from_millis(9_999));
    env.use_cases.follow_changes().await.expect("followed");
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("a millisecond before");
    env.clock.advance(Duration::from_millis(1));
    let refused = env.use_cases.authenticator.authenticate(secret.reveal(), None).await;
    assert!(
        matches!(refused, Err(AuthenticationError::Refused { reason: Reason::Expired, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_api_token_expires_to_the_millisecond_in_memory_too() {
    let mut one = OneToken::new();
    // The clock of the test began at one second.
    one.stored.token.expires_at = Some(moment(11_000));
    let index = one.index();
    // Asked once, and told of no change: nothing has to sweep the token away for it to be refused.
    let authenticator = one.authenticator(one.answering(1), &index, Arc::default());
    index.follow(&events_at(5)).await.expect("followed");
    authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    one.clock.advance(Duration::from_millis(9_999));
    index.follow(&events_at(5)).await.expect("followed");
    authenticator.authenticate(one.secret.reveal(), None).await.expect("a millisecond before");
    one.clock.advance(Duration::from_millis(1));
    let refused = authenticator.authenticate(one.secret.reveal(), None).await;
    assert!(
        matches!(refused, Err(AuthenticationError::Refused { reason: Reason::Expired, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_invalid_secret_is_refused() {
    let env = TestEnv::new();
    for text in ["", "nope", "user:nope", "a b", "é:*.x", &"x".repeat(5_000)] {
        let refused = env.use_cases.authenticator.authenticate(text, None).await;
        assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{text:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_user_acts_with_the_roles_of_the_moment() {
    let env = TestEnv::new();
    let user = env.user("ed", "Viewer").await;
    let draft = PersonalTokenDraft {
        description: Description::new("ci").expect("text"),
        expires_at: moment(1_800_000_000_000),
    };
    let issued = env.use_cases.personal_tokens.create_for(&system(), user.id, draft).await;
    let secret = issued.expect("issued").secret;
    env.use_cases.follow_changes().await.expect("followed");
    let before = env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    assert_eq!(before.grants().iter().count(), 0);
    let permit = Permit::request(&Caller::system(), project_id("default")).expect("may do everything");
    let member = [RoleReference::Name("member".to_owned())];
    env.use_cases.members.add(&permit, vec![user.id], vec![], &member).await.expect("granted");
    let after = env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    assert_eq!(after.grants().iter().count(), 3);
}

#[tokio::test]
async fn the_store_is_asked_once_while_nothing_changes() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering(1), &index, Arc::default());
    index.follow(&events_at(5)).await.expect("followed");
    for _ in 0..3 {
        index.follow(&events_at(5)).await.expect("followed");
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
}

#[tokio::test]
async fn a_change_elsewhere_to_this_token_makes_the_store_be_asked_again() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering(2), &index, Arc::default());
    let about_it =
        NewEvent { subject: Some(Subject::Token(one.stored.token.id)), ..event(EventKind::ApiTokenUpdated) };
    for (latest, new) in [(5, vec![]), (5, vec![]), (6, vec![about_it]), (6, vec![])] {
        index.follow(&events_with(latest, new)).await.expect("followed");
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
}

#[tokio::test]
async fn a_change_to_something_else_leaves_a_token_in_the_index() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering(1), &index, Arc::default());
    let other = ApiToken { id: TokenId::new(moment(7), [7; 10]), ..one.stored.token.clone() };
    let about_another =
        NewEvent { subject: Some(Subject::Token(other.id)), ..event(EventKind::ApiTokenDeleted) };
    let changes = [about_another, event(EventKind::UserUpdated), event(EventKind::ApiTokenCreated)];
    index.follow(&events_at(5)).await.expect("followed");
    for (latest, change) in (6..).zip(changes) {
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
        index.follow(&events_with(latest, vec![change])).await.expect("followed");
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
}

#[tokio::test]
async fn events_that_were_forgotten_could_have_said_anything() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering(4), &index, Arc::default());
    // Too many at once; the newest of several; the newest ones of several.
    let harmless = || event(EventKind::ProjectUpdated);
    for (latest, new) in [
        (5, vec![]),
        (2_000, vec![harmless(); 1_001]),
        (2_005, vec![harmless()]),
        (2_009, vec![harmless(); 3]),
    ] {
        index.follow(&events_with(latest, new)).await.expect("followed");
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
}

#[tokio::test]
async fn an_unknown_secret_is_looked_up_once_until_a_token_is_created() {
    let one = OneToken::new();
    let index = one.index();
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().times(2).returning(|_| Ok(None));
    let authenticator = one.authenticator(Arc::new(tokens), &index, Arc::default());
    index.follow(&events_at(1)).await.expect("followed");
    for _ in 0..3 {
        assert!(authenticator.authenticate("guess", None).await.is_err());
    }
    index.follow(&events_with(2, vec![event(EventKind::UserUpdated)])).await.expect("followed");
    assert!(authenticator.authenticate("guess", None).await.is_err());
    index.follow(&events_with(3, vec![event(EventKind::ApiTokenCreated)])).await.expect("followed");
    assert!(authenticator.authenticate("guess", None).await.is_err());
}

#[tokio::test]
async fn an_index_without_a_feed_answers_nothing() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering(3), &index, Arc::default());
    authenticator.authenticate(one.secret.reveal(), None).await.expect("never followed: asked");
    index.follow(&events_at(1)).await.expect("followed");
    authenticator.authenticate(one.secret.reveal(), None).await.expect("followed for the first time: asked");
    one.clock.advance(Duration::from_secs(5));
    authenticator.authenticate(one.secret.reveal(), None).await.expect("just fresh enough");
    one.clock.advance(Duration::from_millis(1));
    assert!(index.follow(&no_events()).await.is_err());
    authenticator.authenticate(one.secret.reveal(), None).await.expect("stale: asked");
}

#[tokio::test]
async fn a_thousand_secrets_are_looked_up_in_one_query() {
    let one = OneToken::new();
    let index = one.index();
    let authenticator = one.authenticator(one.answering_a_batch(1_000), &index, Arc::default());
    index.follow(&events_at(1)).await.expect("followed");
    let unknown: Vec<String> = (0..999).map(|number| format!("*:*.unknown{number}")).collect();
    let mut secrets: Vec<&str> = unknown.iter().map(String::as_str).collect();
    secrets.push(one.secret.reveal());
    let verification = Verification::new(Arc::new(authenticator));
    let found = verification.verify_all(&secrets, None).await.expect("one query");
    assert_eq!(found.iter().flatten().count(), 1);
    verification.verify_all(&[one.secret.reveal()], None).await.expect("cached");
}

#[tokio::test]
async fn an_answer_that_raced_a_change_is_not_kept() {
    let one = OneToken::new();
    let index = one.index();
    let mut tokens = MockTokenRepository::new();
    let (stored, racing) = (one.stored.clone(), index.clone());
    tokens.expect_find_token_by_digest().times(2).returning(move |_| {
        racing.invalidate(&NewEvent {
            subject: Some(Subject::Token(stored.token.id)),
            ..event(EventKind::ApiTokenUpdated)
        });
        Ok(Some(found(&stored)))
    });
    let authenticator = one.authenticator(Arc::new(tokens), &index, Arc::default());
    index.follow(&events_at(1)).await.expect("followed");
    for _ in 0..2 {
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_reason_to_call_a_secret_unknown() {
    let one = OneToken::new();
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().returning(|_| Err(away()));
    let authenticator = one.authenticator(Arc::new(tokens), &one.index(), Arc::default());
    let failed = authenticator.authenticate(one.secret.reveal(), None).await;
    assert!(matches!(failed, Err(AuthenticationError::Store(StoreError::Unavailable(_)))), "{failed:?}");
}
