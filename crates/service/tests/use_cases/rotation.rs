//! New secrets for old tokens.

use std::time::Duration;

use latchkey_domain::{EventKind, ProjectScope, ProjectSet};
use latchkey_service::{AuthenticationError, Missing, Overlap, Reveal, ServiceError, TokenReference};

use crate::support::{House, client_of, draft, permit, project_id, system};

fn overlap(seconds: u64) -> Overlap {
    Overlap::new(Duration::from_secs(seconds)).expect("short enough")
}

#[tokio::test]
async fn the_old_secret_lives_on_for_the_overlap_and_then_dies() {
    for reveal in [Reveal::Always, Reveal::Once] {
        let house = House::revealing(reveal);
        let tokens = &house.use_cases.project_tokens;
        let made = tokens.create(&permit("default"), draft("x")).await.expect("created");
        let old = made.secret.expect("shown");
        let reference = TokenReference::Id(made.token.id);
        let rotated = tokens.rotate(&permit("default"), &reference, overlap(10)).await.expect("rotated");
        let new = rotated.secret.expect("shown");
        assert_eq!(rotated.token, made.token, "name, scope and id stay");
        assert_ne!(old.reveal(), new.reveal());

        house.use_cases.follow_changes().await.expect("followed");
        house.clock.advance(Duration::from_millis(9_999));
        for secret in [&old, &new] {
            house.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("recognised");
        }
        house.clock.advance(Duration::from_millis(1));
        let refused = house.use_cases.authenticator.authenticate(old.reveal(), None).await;
        assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
        house.use_cases.authenticator.authenticate(new.reveal(), None).await.expect("recognised");

        assert_eq!(house.kinds_since(1).await, [EventKind::ApiTokenRotated]);
        let told = format!("{:?}", house.events().await);
        for secret in [&old, &new] {
            assert!(!told.contains(secret.reveal().rsplit_once('.').expect("a dot").1));
        }
    }
}

#[tokio::test]
async fn without_an_overlap_the_old_secret_dies_at_once() {
    let house = House::new();
    let tokens = &house.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    let reference = || TokenReference::parse(old.reveal()).expect("a secret");
    tokens.rotate(&system(), &reference(), overlap(0)).await.expect("rotated");
    assert!(house.use_cases.authenticator.authenticate(old.reveal(), None).await.is_err());
    let again = tokens.rotate(&system(), &reference(), overlap(0)).await;
    assert!(
        matches!(again, Err(ServiceError::NotFound(Missing::Token))),
        "a retired secret names no token: {again:?}"
    );
}

#[tokio::test]
async fn a_retired_secret_that_is_good_names_no_token_and_says_so() {
    let house = House::new();
    let tokens = &house.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    let reference = || TokenReference::parse(old.reveal()).expect("a secret");
    tokens.rotate(&system(), &reference(), overlap(60)).await.expect("rotated");
    let deleted = tokens.delete(&system(), &reference()).await;
    let ended = tokens.change_expiry(&system(), &reference(), None).await;
    let rotated = tokens.rotate(&system(), &reference(), overlap(60)).await.map(drop);
    for refused in [deleted, ended, rotated] {
        let Err(ServiceError::Invalid { message, .. }) = refused else { panic!("{refused:?}") };
        assert!(message.contains("replaced by a rotation and is good until"), "{message}");
    }
    assert!(house.use_cases.authenticator.authenticate(old.reveal(), None).await.is_ok());

    house.clock.advance(Duration::from_secs(60));
    tokens.delete(&system(), &reference()).await.expect("there is none, as the contract has it");
    assert!(house.use_cases.authenticator.authenticate(old.reveal(), None).await.is_err());
}

#[tokio::test]
async fn a_project_rotates_what_is_its_own_alone() {
    let house = House::new();
    house.project("p2").await;
    let both = ProjectSet::new(["default", "p2"].map(project_id)).expect("two");
    let shared = house.token(client_of(ProjectScope::Only(both))).await;
    let wide = house.token(client_of(ProjectScope::All)).await;
    let tokens = &house.use_cases.project_tokens;
    let rotated = tokens.rotate(&permit("default"), &TokenReference::Id(shared.token.id), overlap(1)).await;
    assert!(matches!(rotated, Err(ServiceError::Invalid { .. })), "{rotated:?}");
    let rotated = tokens.rotate(&permit("default"), &TokenReference::Id(wide.token.id), overlap(1)).await;
    assert!(matches!(rotated, Err(ServiceError::NotFound(Missing::Token))), "{rotated:?}");
}

#[test]
fn an_overlap_has_an_end() {
    assert!(Overlap::new(Overlap::LONGEST).is_ok());
    let error = Overlap::new(Overlap::LONGEST + Duration::from_secs(1)).expect_err("too long");
    assert_eq!(error.to_string(), "The overlap must be at most 365 days.");
}

#[tokio::test]
async fn sweeping_forgets_secrets_that_are_dead() {
    let house = House::new();
    let tokens = &house.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    tokens.rotate(&system(), &TokenReference::Id(made.token.id), overlap(10)).await.expect("rotated");
    assert_eq!(house.use_cases.sweep().await.expect("swept"), 0);
    house.clock.advance(Duration::from_millis(10_001));
    assert_eq!(house.use_cases.sweep().await.expect("swept"), 1);
}
