//! Replacing a master key: its secrets are moved, without an effect on callers.

use std::{sync::Arc, time::Duration};

use latchkey_crypto::{KeyRing, Sealer};
use latchkey_domain::{ProjectScope, TokenId, TokenSecret};
use latchkey_ports::{
    CountingEntropy, KeyId, MasterKeyRepository as _, MockMasterKeyRepository, Rekeying, SealingError,
    SecretDigest, SecretForm, SecretOf, SecretSealer, StoredToken, TokenRepository as _, TokenSecrets,
};
use latchkey_service::{
    MasterKeys, Resealed, ResealingStep, Reveal, SealedSecret, SkipReason, SkippedSecret,
};

use crate::support::{TestEnv, client_of, project_id, settings};

/// Master keys of tests, by a digit each.
pub(crate) fn ring(digits: &str) -> Arc<dyn SecretSealer> {
    let keys: Vec<String> = digits.chars().map(|digit| digit.to_string().repeat(64)).collect();
    let keys = KeyRing::parse(&keys.join(",")).expect("keys");
    Arc::new(Sealer::new(&keys, Arc::new(CountingEntropy::default())))
}

pub(crate) fn id(digit: &str) -> KeyId {
    *ring(digit).keys().first().expect("a key")
}

pub(crate) fn env(digits: &str, reveal: Reveal) -> TestEnv {
    TestEnv::new().beside(ring(digits), settings(reveal))
}

/// What the store has of a new client token of the default project.
async fn token(env: &TestEnv) -> StoredToken {
    let made = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    env.store.find_token(made.token.id).await.expect("a look-up").expect("the token")
}

pub(crate) async fn resealed(env: &TestEnv) -> (Resealed, Vec<SkippedSecret>) {
    let mut left = Vec::new();
    let tell = |step| match step {
        ResealingStep::Skipped(secret) => left.push(secret),
        ResealingStep::Done { done, of } => assert!(done <= of),
    };
    let done = env.use_cases.master_keys.reseal(tell).await.expect("resealed");
    (done, left)
}

fn of_token(id: TokenId) -> SealedSecret {
    SealedSecret::OfToken(SecretOf::Token(id))
}

/// So many of each form, good ones, under that key.
pub(crate) async fn under(env: &TestEnv, key: &str) -> Vec<(SecretForm, u64)> {
    let usage = env.use_cases.master_keys.usage().await.expect("counted");
    let of_key = usage.iter().filter(|((used, _), _)| *used == id(key));
    of_key.map(|((_, form), count)| (*form, count.good)).collect()
}

pub(crate) async fn is_accepted(env: &TestEnv, secret: &str) -> bool {
    let authenticator = &env.use_cases.authenticator;
    authenticator.authenticate(secret, None).await.is_ok()
        || authenticator.authenticate_session(secret, None).await.is_ok()
}

#[tokio::test]
async fn what_can_be_shown_is_sealed_anew_and_stays_what_it_is() {
    let old = env("a", Reveal::Always);
    let mut secrets = Vec::new();
    for _ in 0..3 {
        let made = old.token(client_of(ProjectScope::one(project_id("default")))).await;
        secrets.push(made.secret.expect("shown").reveal().to_owned());
    }
    // An alias, as only a migrated store has one.
    let alias = TokenSecret::parse("an-alias-of-old").expect("a secret");
    let mut stored = token(&old).await;
    let event = old.events().await[0].record.clone();
    old.store.delete_token(stored.token.id, &event).await.expect("removed");
    stored.alias = Some(ring("a").seal(&alias, stored.token.id).expect("sealed"));
    old.store.create_token(&stored, latchkey_ports::Quota(9), &event).await.expect("created");
    let events = old.events().await.len();

    let both = old.beside(ring("ba"), settings(Reveal::Always));
    assert_eq!(under(&both, "a").await, [(SecretForm::Sealed, 5)]);
    assert_eq!(resealed(&both).await, (Resealed { moved: 5, skipped: 0 }, vec![]));
    assert_eq!(under(&both, "a").await, []);
    assert_eq!(under(&both, "b").await, [(SecretForm::Sealed, 5)]);
    assert_eq!(resealed(&both).await, (Resealed::default(), vec![]), "once more");
    assert_eq!(both.events().await.len(), events, "no event, because no rights change");

    let new = old.beside(ring("b"), settings(Reveal::Always));
    for secret in secrets.iter().map(String::as_str).chain([alias.reveal()]) {
        assert!(is_accepted(&new, secret).await, "{secret}");
    }
    let listed = new.listed("default").await.expect("listed");
    let shown: Vec<_> = listed.into_iter().map(|token| token.secret.expect("a secret")).collect();
    assert!(secrets.iter().all(|secret| shown.iter().any(|shown| shown.reveal() == secret)));
    assert_eq!(shown.len(), secrets.len() + 1);
}

#[tokio::test]
async fn what_does_not_open_is_named_and_stops_nothing() {
    let old = env("a", Reveal::Always);
    let (of_a, altered) = (token(&old).await, token(&old).await);
    let swapped = token(&old).await;
    // Chance repeats in each env: in another moment it makes another id.
    old.clock.advance(Duration::from_secs(1));
    let of_c = token(&old.beside(ring("c"), settings(Reveal::Always))).await;
    // Another token's copy in the altered record, and a digest of no secret.
    let replace = async |stored: &StoredToken, to| {
        let rekeying = Rekeying { of: SecretOf::Token(stored.token.id), from: stored.secret.digest, to };
        assert_eq!(old.store.rekey_secrets(&[rekeying]).await.expect("done").len(), 1);
    };
    let mut record = of_a.secret.clone();
    record.digest = SecretDigest([1; 32]);
    replace(&altered, record).await;
    let mut record = swapped.secret.clone();
    record.digest = SecretDigest([2; 32]);
    replace(&swapped, record).await;

    let both = old.beside(ring("ba"), settings(Reveal::Always));
    let (done, left) = resealed(&both).await;
    assert_eq!(done, Resealed { moved: 1, skipped: 3 });
    let broken = |stored: &StoredToken| SkippedSecret {
        of: of_token(stored.token.id),
        key: id("a"),
        reason: SkipReason::Sealing(SealingError::Broken),
    };
    assert!(left.contains(&broken(&altered)) && left.contains(&broken(&swapped)), "{left:?}");
    let unknown = SkipReason::Sealing(SealingError::UnknownKey(id("c")));
    let missing = SkippedSecret { of: of_token(of_c.token.id), key: id("c"), reason: unknown };
    assert!(left.contains(&missing), "{left:?}");
    let kept = both.store.find_token(of_a.token.id).await.expect("a look-up").expect("the token");
    assert_eq!(kept.secret.key, id("b"));
}

#[tokio::test]
async fn one_secret_of_two_tokens_cannot_be_under_one_key() {
    let old = env("a", Reveal::Always);
    let secret = TokenSecret::parse("default:development.known").expect("a secret");
    let mut twins = Vec::new();
    for key in ["a", "b"] {
        let mut stored = token(&old).await;
        let event = old.events().await[0].record.clone();
        old.store.delete_token(stored.token.id, &event).await.expect("removed");
        stored.secret = ring(key).seal(&secret, stored.token.id).expect("sealed");
        old.store.create_token(&stored, latchkey_ports::Quota(9), &event).await.expect("created");
        twins.push(stored.token.id);
    }
    let both = old.beside(ring("ba"), settings(Reveal::Always));
    let twin = SkippedSecret { of: of_token(twins[0]), key: id("a"), reason: SkipReason::Twice };
    assert_eq!(resealed(&both).await, (Resealed { moved: 0, skipped: 1 }, vec![twin]));
    assert!(is_accepted(&both, secret.reveal()).await);
}

#[tokio::test]
async fn a_concurrent_change_is_left_alone() {
    let old = env("a", Reveal::Always);
    let (first, second) = (token(&old).await, token(&old).await);
    let secrets_of = |stored: &StoredToken| TokenSecrets {
        token: stored.token.id,
        secret: stored.secret.clone(),
        alias: None,
    };
    let usage = old.use_cases.master_keys.usage().await.expect("counted");
    let mut store = MockMasterKeyRepository::new();
    store.expect_secrets_by_key().returning(move |_| Ok(usage.clone()));
    // The first token is rotated, and the second removed, between reading and writing.
    let mut portions = vec![
        vec![],
        vec![TokenSecrets { secret: second.secret.clone(), ..secrets_of(&first) }],
        vec![secrets_of(&first), secrets_of(&second)],
    ];
    store.expect_token_secrets().times(3).returning(move |_, _| Ok(portions.pop().expect("three")));
    store.expect_rekey_secrets().times(1).returning(|rekeyings| {
        assert_eq!(rekeyings.len(), 2);
        Ok(vec![])
    });
    let keys = MasterKeys::new(Arc::new(store), old.store.clone(), ring("ba"), old.clock.clone());
    let done = keys.reseal(|step| assert!(matches!(step, ResealingStep::Done { .. }))).await;
    assert_eq!(done.expect("resealed"), Resealed::default());
}
