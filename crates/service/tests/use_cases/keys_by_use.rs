//! Secrets without a sealed copy are moved to the current master key when they are used.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{Description, ProjectScope, TokenSecret};
use latchkey_ports::{
    MockMasterKeyRepository, MockTokenRepository, Rekeying, Rotation, SecretCount, SecretForm, SecretOf,
    SecretsByKey, TokenMatch, TokenRepository as _,
};
use latchkey_service::{PersonalTokenDraft, Resealed, Reveal, UsageRecorder};

use crate::{
    master_keys::{env, id, is_accepted, resealed, ring, under},
    one_token::{OneToken, away, events_at},
    support::{PASSWORD, TestEnv, client_of, moment, origin, settings, system},
};

/// Everything of which the digest alone is kept: secrets in the order of a token shown once, its retired secret, a
/// personal token and a session.
async fn digests_alone(env: &TestEnv) -> [String; 4] {
    let made = env.token(client_of(ProjectScope::All)).await;
    let retired = made.secret.expect("shown").reveal().to_owned();
    let stored = env.store.find_token(made.token.id).await.expect("a look-up").expect("the token");
    let secret = TokenSecret::parse("*:development.after-a-rotation").expect("a secret");
    let overlap_until = Some(moment(1_700_000_100_000));
    let to = ring("a").record(&secret);
    let rotation =
        Rotation { token: stored.token.id, from: stored.secret.digest, to, overlap_until, update: None };
    let event = env.events().await.first().expect("an event").record.clone();
    env.store.rotate_token(&rotation, &event).await.expect("rotated");
    let user = env.user("ed", "Viewer").await;
    let draft = PersonalTokenDraft {
        description: Description::new("ci").expect("short"),
        expires_at: moment(1_800_000_000_000),
    };
    let personal = env.use_cases.personal_tokens.create_for(&system(), user.id, draft).await.expect("made");
    let signed_in = env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
    [secret.reveal(), &retired, personal.secret.reveal(), signed_in.secret.reveal()].map(str::to_owned)
}

#[tokio::test]
async fn what_has_a_digest_alone_moves_when_it_is_used() {
    let old = env("a", Reveal::Once);
    let secrets = digests_alone(&old).await;
    let one_each = [
        (SecretForm::ShownOnce, 1),
        (SecretForm::PersonalToken, 1),
        (SecretForm::Session, 1),
        (SecretForm::Retired, 1),
    ];
    let both = old.beside(ring("ba"), settings(Reveal::Once));
    both.use_cases.follow_changes().await.expect("followed");
    assert_eq!(resealed(&both).await, (Resealed::default(), vec![]), "nothing can be opened");
    assert_eq!(under(&both, "a").await, one_each);
    for secret in &secrets {
        assert!(is_accepted(&both, secret).await, "{secret}");
    }
    assert_eq!(under(&both, "a").await, one_each, "nothing is written on a request's path");
    let events = both.events().await.len();
    both.use_cases.flush_rekeyings().await.expect("written");
    assert_eq!(both.events().await.len(), events);
    assert_eq!((under(&both, "a").await, under(&both, "b").await), (vec![], one_each.to_vec()));

    let asked = both.use_cases.metrics().from_store;
    for secret in &secrets {
        assert!(is_accepted(&both, secret).await, "{secret}");
    }
    assert_eq!(both.use_cases.metrics().from_store, asked, "the index goes on finding them");
    let new = old.beside(ring("b"), settings(Reveal::Once));
    for secret in &secrets {
        assert!(is_accepted(&new, secret).await, "{secret}");
    }
}

#[tokio::test]
async fn what_has_a_copy_is_not_moved_by_use() {
    let old = env("a", Reveal::Always);
    let made = old.token(client_of(ProjectScope::All)).await;
    let both = old.beside(ring("ba"), settings(Reveal::Always));
    both.use_cases.learn_older_keys().await.expect("learnt");
    assert!(is_accepted(&both, made.secret.expect("shown").reveal()).await);
    let no_calls = MockMasterKeyRepository::new();
    both.use_cases.authenticator.flush_rekeyings(&no_calls).await.expect("nothing to write");
}

#[tokio::test]
async fn with_one_key_nothing_is_queued() {
    let only = env("a", Reveal::Once);
    for secret in digests_alone(&only).await {
        assert!(is_accepted(&only, &secret).await, "{secret}");
    }
    let no_calls = MockMasterKeyRepository::new();
    only.use_cases.authenticator.flush_rekeyings(&no_calls).await.expect("nothing to write");
}

/// While the new key is only known, others may make secrets with it already: they stay under it.
#[tokio::test]
async fn nothing_moves_to_a_key_that_is_about_to_be_replaced() {
    let old = env("a", Reveal::Once);
    old.token(client_of(ProjectScope::All)).await;
    let prepared = old.beside(ring("ab"), settings(Reveal::Once));
    prepared.use_cases.learn_older_keys().await.expect("learnt");
    let both = old.beside(ring("ba"), settings(Reveal::Once));
    old.clock.advance(Duration::from_secs(1));
    let made = both.token(client_of(ProjectScope::All)).await;
    assert!(is_accepted(&prepared, made.secret.expect("shown").reveal()).await);
    prepared.use_cases.flush_rekeyings().await.expect("nothing to write");
    assert_eq!(under(&both, "b").await, [(SecretForm::ShownOnce, 1)]);
}

#[tokio::test]
async fn a_rekeying_stays_queued_until_it_is_written_and_a_skipped_secret_is_looked_up_again() {
    let one = OneToken::sealed_by(ring("ba"));
    let index = one.index();
    index.follow(&events_at(1)).await.expect("followed");
    let (stored, older) = (one.stored.clone(), ring("a").digest(&one.secret));
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().times(2).returning(move |_| {
        Ok(Some(TokenMatch { stored: stored.clone(), secret_until: None, found_by: older }))
    });
    let authenticator = one.authenticator(Arc::new(tokens), &index, Arc::new(UsageRecorder::default()));
    for _ in 0..3 {
        authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    }
    let mut store = MockMasterKeyRepository::new();
    store.expect_secrets_by_key().times(1).returning(|_| Err(away()));
    assert!(authenticator.flush_rekeyings(&store).await.is_err());
    let mut store = MockMasterKeyRepository::new();
    let usage = SecretsByKey::from([((id("a"), SecretForm::ShownOnce), SecretCount::default())]);
    store.expect_secrets_by_key().times(1).returning(move |_| Ok(usage.clone()));
    store.expect_rekey_secrets().times(1).returning(|_| Err(away()));
    assert!(authenticator.flush_rekeyings(&store).await.is_err());
    let expected = one.stored.clone();
    let mut store = MockMasterKeyRepository::new();
    store.expect_rekey_secrets().times(1).returning(move |rekeyings| {
        let to = expected.secret.clone();
        assert_eq!(rekeyings, [Rekeying { of: SecretOf::Token(expected.token.id), from: older, to }]);
        Ok(vec![])
    });
    authenticator.flush_rekeyings(&store).await.expect("written");
    authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted, and looked up again");
}
