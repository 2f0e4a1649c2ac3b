//! New secrets for old tokens.

use std::time::Duration;

use latchkey_domain::{EventKind, ProjectScope, ProjectSet, Reason, RotationMark};
use latchkey_service::{
    AuthenticationError, Existed, Missing, Overlap, Reveal, ServiceError, TokenReference,
};

use crate::support::{TestEnv, client_of, draft, permit, project_id, system};

fn overlap(seconds: u64) -> Overlap {
    Overlap::new(Duration::from_secs(seconds)).expect("short enough")
}

#[tokio::test]
async fn the_old_secret_lives_on_for_the_overlap_and_then_dies() {
    for reveal in [Reveal::Always, Reveal::Once] {
        let env = TestEnv::revealing(reveal);
        let tokens = &env.use_cases.project_tokens;
        let made = tokens.create(&permit("default"), draft("x")).await.expect("created");
        let old = made.secret.expect("shown");
        let reference = TokenReference::Id(made.token.id);
        let rotated = tokens.rotate(&permit("default"), &reference, overlap(10)).await.expect("rotated");
        let new = rotated.secret.expect("shown");
        let mut token = rotated.token;
        assert_eq!(token.attributes.rotated.take(), Some(RotationMark::new(token.created_at)));
        assert_eq!(token, made.token, "name, scope and id stay");
        assert_ne!(old.reveal(), new.reveal());

        env.use_cases.follow_changes().await.expect("followed");
        env.clock.advance(Duration::from_millis(9_999));
        for secret in [&old, &new] {
            env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
        }
        env.clock.advance(Duration::from_millis(1));
        let refused = env.use_cases.authenticator.authenticate(old.reveal(), None).await;
        assert!(
            matches!(refused, Err(AuthenticationError::Refused { reason: Reason::Expired, .. })),
            "{refused:?}"
        );
        env.use_cases.authenticator.authenticate(new.reveal(), None).await.expect("accepted");

        assert_eq!(env.kinds_since(1).await, [EventKind::ApiTokenRotated]);
        let told = format!("{:?}", env.events().await);
        for secret in [&old, &new] {
            assert!(!told.contains(secret.reveal().rsplit_once('.').expect("a dot").1));
        }
    }
}

#[tokio::test]
async fn without_an_overlap_the_old_secret_dies_at_once() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    let reference = || TokenReference::parse(old.reveal()).expect("a secret");
    tokens.rotate(&system(), &reference(), overlap(0)).await.expect("rotated");
    assert!(env.use_cases.authenticator.authenticate(old.reveal(), None).await.is_err());
    let again = tokens.rotate(&system(), &reference(), overlap(0)).await;
    assert!(
        matches!(again, Err(ServiceError::NotFound(Missing::Token))),
        "a retired secret names no token: {again:?}"
    );
}

#[tokio::test]
async fn a_retired_secret_that_is_good_names_no_token_and_says_so() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    let reference = || TokenReference::parse(old.reveal()).expect("a secret");
    tokens.rotate(&system(), &reference(), overlap(60)).await.expect("rotated");
    let deleted = tokens.delete(&system(), &reference()).await.map(drop);
    let ended = tokens.change_expiry(&system(), &reference(), None).await.map(drop);
    let rotated = tokens.rotate(&system(), &reference(), overlap(60)).await.map(drop);
    for refused in [deleted, ended, rotated] {
        let Err(ServiceError::Invalid { message, .. }) = refused else { panic!("{refused:?}") };
        assert!(message.as_str().contains("replaced by a rotation and is good until"), "{message}");
    }
    assert!(env.use_cases.authenticator.authenticate(old.reveal(), None).await.is_ok());

    env.clock.advance(Duration::from_secs(60));
    let deleted = tokens.delete(&system(), &reference()).await;
    assert_eq!(deleted.expect("succeeds without a token"), Existed::No);
    assert!(env.use_cases.authenticator.authenticate(old.reveal(), None).await.is_err());
}

#[tokio::test]
async fn a_project_rotates_what_is_its_own_alone() {
    let env = TestEnv::new();
    env.project("p2").await;
    let both = ProjectSet::new(["default", "p2"].map(project_id)).expect("two");
    let shared = env.token(client_of(ProjectScope::Only(both))).await;
    let wide = env.token(client_of(ProjectScope::All)).await;
    let tokens = &env.use_cases.project_tokens;
    let rotated = tokens.rotate(&permit("default"), &TokenReference::Id(shared.token.id), overlap(1)).await;
    assert!(matches!(rotated, Err(ServiceError::Invalid { .. })), "{rotated:?}");
    let rotated = tokens.rotate(&permit("default"), &TokenReference::Id(wide.token.id), overlap(1)).await;
    assert!(matches!(rotated, Err(ServiceError::NotFound(Missing::Token))), "{rotated:?}");
}

#[test]
fn an_overlap_has_an_end() {
    assert!(Overlap::new(Overlap::MAX).is_ok());
    let error = Overlap::new(Overlap::MAX + Duration::from_secs(1)).expect_err("too long");
    assert_eq!(error.to_string(), "The overlap must be at most 365 days.");
}

#[tokio::test]
async fn sweeping_forgets_secrets_that_are_dead() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    tokens.rotate(&system(), &TokenReference::Id(made.token.id), overlap(10)).await.expect("rotated");
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 0);
    env.clock.advance(Duration::from_millis(10_001));
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 1);
}
