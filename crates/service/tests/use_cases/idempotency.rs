//! Requests that are sent again.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
    time::Duration,
};

use latchkey_crypto::{KeyRing, MasterKey, Sealer, SystemEntropy};
use latchkey_domain::EventKind;
use latchkey_ports::{AnswerKey, StoreError};
use latchkey_service::{
    Answer, AnswerKeeper, KeyedRequest, Overlap, Reveal, RevealedToken, ServiceError, TokenReference,
};

use crate::support::{QUOTA, TestEnv, draft, permit, settings, system};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn request(key: u8, fingerprint: u8) -> KeyedRequest {
    KeyedRequest { key: AnswerKey([key; 32]), fingerprint: [fingerprint; 32] }
}

/// The secrets, which is what an answer must show again.
fn body(tokens: &[RevealedToken]) -> Vec<u8> {
    let secrets = tokens.iter().filter_map(|token| token.secret.as_ref());
    secrets.map(|secret| secret.reveal().to_owned()).collect::<Vec<_>>().join(" ").into_bytes()
}

async fn create(env: &TestEnv, request: KeyedRequest) -> Result<Answer, ServiceError> {
    let attempt = async |keeper| {
        let tokens = env.use_cases.project_tokens.keeping(keeper);
        Ok(vec![tokens.create(&permit("default"), draft("x")).await?])
    };
    env.use_cases.idempotency.answer(Some(request), |tokens| Ok(body(tokens)), attempt).await
}

#[tokio::test]
async fn the_first_answer_is_given_again_for_a_day_also_if_secrets_are_shown_once() {
    for reveal in [Reveal::Always, Reveal::Once] {
        let env = TestEnv::revealing(reveal);
        let first = create(&env, request(1, 1)).await.expect("created");
        assert!(!first.is_replayed);
        let secret = String::from_utf8(first.body.clone()).expect("text");
        env.use_cases.authenticator.authenticate(&secret, None).await.expect("accepted");
        let again = Answer { is_replayed: true, ..first.clone() };
        for wait in [Duration::ZERO, DAY.checked_sub(Duration::from_millis(1)).expect("more")] {
            env.clock.advance(wait);
            assert_eq!(create(&env, request(1, 1)).await.expect("answered"), again);
        }
        assert_eq!(env.tokens_of("default").await.len(), 1);
        assert_eq!(env.kinds_since(0).await, [EventKind::ApiTokenCreated]);

        env.clock.advance(Duration::from_millis(1));
        let anew = create(&env, request(1, 1)).await.expect("created");
        assert!(!anew.is_replayed && anew.body != first.body);
        assert_eq!(env.tokens_of("default").await.len(), 2);
    }
}

#[tokio::test]
async fn another_body_under_a_key_is_refused_until_the_day_is_over() {
    let env = TestEnv::new();
    create(&env, request(1, 1)).await.expect("created");
    let refused = create(&env, request(1, 2)).await;
    assert!(matches!(refused, Err(ServiceError::KeyReused)), "{refused:?}");
    assert_eq!(env.tokens_of("default").await.len(), 1);
    create(&env, request(2, 2)).await.expect("another key");
    env.clock.advance(DAY);
    create(&env, request(1, 2)).await.expect("the key is free");
}

#[tokio::test]
async fn without_a_key_each_request_is_carried_out() {
    let env = TestEnv::new();
    for _ in 0..2 {
        let attempt = async |keeper: Option<AnswerKeeper>| {
            assert!(keeper.is_none());
            Ok(vec![env.use_cases.instance_tokens.create(&system(), draft("x")).await?])
        };
        let answer = env
            .use_cases
            .idempotency
            .answer(None, |tokens| Ok(body(tokens)), attempt)
            .await
            .expect("created");
        assert!(!answer.is_replayed);
    }
    assert_eq!(env.tokens_of("default").await.len(), 0, "they are of all projects");
    assert_eq!(env.kinds_since(0).await, [EventKind::ApiTokenCreated; 2]);
}

#[tokio::test]
async fn a_refused_request_keeps_no_answer() {
    let env = TestEnv::new();
    for _ in 0..QUOTA {
        env.use_cases.project_tokens.create(&permit("default"), draft("x")).await.expect("created");
    }
    for _ in 0..2 {
        let refused = create(&env, request(1, 1)).await;
        assert!(matches!(refused, Err(ServiceError::LimitReached { .. })), "{refused:?}");
    }
    let [one, ..] = &env.tokens_of("default").await[..] else { panic!("no token") };
    let reference = TokenReference::Id(one.id);
    env.use_cases.project_tokens.delete(&permit("default"), &reference).await.expect("revoked");
    assert!(!create(&env, request(1, 1)).await.expect("there is room").is_replayed);
}

#[tokio::test]
async fn an_attempt_that_comes_too_late_gives_the_answer_of_the_first() {
    let env = TestEnv::new();
    let made = env.use_cases.instance_tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    // Both have found no answer yet, and name the token by the secret that the first of them replaces.
    let rotate = async |keeper: Option<AnswerKeeper>| {
        let tokens = env.use_cases.instance_tokens.keeping(keeper);
        let reference = TokenReference::parse(old.reveal()).expect("a secret");
        let overlap = Overlap::new(Duration::from_secs(60)).expect("short");
        Ok(vec![tokens.rotate(&system(), &reference, overlap).await?])
    };
    let first = Mutex::new(None);
    let late = async |keeper| {
        let answer =
            env.use_cases.idempotency.answer(Some(request(1, 1)), |tokens| Ok(body(tokens)), rotate).await?;
        *first.lock().expect("free") = Some(answer);
        rotate(keeper).await
    };
    let second = env
        .use_cases
        .idempotency
        .answer(Some(request(1, 1)), |tokens| Ok(body(tokens)), late)
        .await
        .expect("answered");
    let first = first.into_inner().expect("free").expect("rotated");
    assert_eq!(second, Answer { is_replayed: true, ..first });
    assert_eq!(env.kinds_since(1).await, [EventKind::ApiTokenRotated]);
}

#[tokio::test]
async fn a_token_that_was_revoked_does_not_come_back_with_a_late_attempt() {
    let env = TestEnv::new();
    let late = async |keeper| {
        let first = create(&env, request(1, 1)).await?;
        let secret = String::from_utf8(first.body).expect("text");
        let reference = TokenReference::parse(&secret).expect("a secret");
        env.use_cases.project_tokens.delete(&permit("default"), &reference).await?;
        let tokens = env.use_cases.project_tokens.keeping(keeper);
        Ok(vec![tokens.create(&permit("default"), draft("x")).await?])
    };
    let answer = env
        .use_cases
        .idempotency
        .answer(Some(request(1, 1)), |tokens| Ok(body(tokens)), late)
        .await
        .expect("answered");
    assert!(answer.is_replayed);
    assert_eq!(env.tokens_of("default").await, []);
}

#[tokio::test]
async fn an_answer_under_a_missing_key_is_not_known_and_nothing_is_done_again() {
    let env = TestEnv::new();
    create(&env, request(1, 1)).await.expect("created");
    let keys = KeyRing::new(MasterKey::generate(&SystemEntropy), []);
    let other = env.beside(Arc::new(Sealer::new(&keys, Arc::new(SystemEntropy))), settings(Reveal::Always));
    let refused = create(&other, request(1, 1)).await;
    let Err(ServiceError::Unavailable(StoreError::Unavailable(_))) = refused else { panic!("{refused:?}") };
    assert_eq!(env.tokens_of("default").await.len(), 1);
}

#[tokio::test]
async fn a_batch_is_answered_again_as_a_whole() {
    let env = TestEnv::new();
    let attempts = Cell::new(0);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let attempt = async |keeper| {
            attempts.set(attempts.get() + 1);
            let tokens = env.use_cases.project_tokens.keeping(keeper);
            tokens.create_all(&permit("default"), vec![draft("a"), draft("b"), draft("c")]).await
        };
        let answer =
            env.use_cases.idempotency.answer(Some(request(1, 1)), |tokens| Ok(body(tokens)), attempt).await;
        answers.push(answer.expect("created").body);
    }
    assert_eq!((attempts.get(), &answers[0]), (1, &answers[1]));
    assert_eq!(env.tokens_of("default").await.len(), 3);
}
