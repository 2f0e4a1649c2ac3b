//! A master key that is replaced by another: what it made moves, and nobody notices.

use std::{sync::Arc, time::Duration};

use latchkey_crypto::{KeyRing, Sealer};
use latchkey_domain::{ProjectScope, TokenSecret};
use latchkey_ports::{
    CountingEntropy, KeyId, MasterKeyRepository as _, MockMasterKeyRepository, Rekeying, SealingError,
    SecretDigest, SecretForm, SecretOf, SecretSealer, StoredToken, TokenRepository as _, TokenSecrets,
};
use latchkey_service::{LeftReason, LeftSecret, MasterKeys, ReadTokens, Resealed, ResealingStep, Reveal};

use crate::support::{House, client_of, permit, project_id, settings};

/// Master keys of tests, by a digit each.
pub(crate) fn ring(digits: &str) -> Arc<dyn SecretSealer> {
    let keys: Vec<String> = digits.chars().map(|digit| digit.to_string().repeat(64)).collect();
    let keys = KeyRing::parse(&keys.join(",")).expect("keys");
    Arc::new(Sealer::new(&keys, Arc::new(CountingEntropy::default())))
}

pub(crate) fn id(digit: &str) -> KeyId {
    *ring(digit).keys().first().expect("a key")
}

pub(crate) fn house(digits: &str, reveal: Reveal) -> House {
    House::new().beside(ring(digits), settings(reveal))
}

/// What the store has of a new client token of the default project.
async fn token(house: &House) -> StoredToken {
    let made = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    house.store.find_token(made.token.id).await.expect("a look-up").expect("the token")
}

pub(crate) async fn resealed(house: &House) -> (Resealed, Vec<LeftSecret>) {
    let mut left = Vec::new();
    let tell = |step| match step {
        ResealingStep::Left(secret) => left.push(secret),
        ResealingStep::Done { done, of } => assert!(done <= of),
    };
    let done = house.use_cases.master_keys.reseal(tell).await.expect("resealed");
    (done, left)
}

/// So many of each form, good ones, under that key.
pub(crate) async fn under(house: &House, key: &str) -> Vec<(SecretForm, u64)> {
    let usage = house.use_cases.master_keys.usage().await.expect("counted");
    let of_key = usage.iter().filter(|((used, _), _)| *used == id(key));
    of_key.map(|((_, form), count)| (*form, count.good)).collect()
}

pub(crate) async fn recognises(house: &House, secret: &str) -> bool {
    let authenticator = &house.use_cases.authenticator;
    authenticator.authenticate(secret, None).await.is_ok()
        || authenticator.authenticate_session(secret, None).await.is_ok()
}

#[tokio::test]
async fn what_can_be_shown_is_sealed_anew_and_stays_what_it_is() {
    let old = house("a", Reveal::Always);
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
    assert_eq!(resealed(&both).await, (Resealed { moved: 5, left: 0 }, vec![]));
    assert_eq!(under(&both, "a").await, []);
    assert_eq!(under(&both, "b").await, [(SecretForm::Sealed, 5)]);
    assert_eq!(resealed(&both).await, (Resealed::default(), vec![]), "once more");
    assert_eq!(both.events().await.len(), events, "nobody may do anything else than before");

    let new = old.beside(ring("b"), settings(Reveal::Always));
    for secret in secrets.iter().map(String::as_str).chain([alias.reveal()]) {
        assert!(recognises(&new, secret).await, "{secret}");
    }
    let listed = new.use_cases.project_tokens.list(&permit::<ReadTokens>("default")).await.expect("listed");
    let shown: Vec<_> = listed.into_iter().map(|token| token.secret.expect("a secret")).collect();
    assert!(secrets.iter().all(|secret| shown.iter().any(|shown| shown.reveal() == secret)));
    assert_eq!(shown.len(), secrets.len() + 1);
}

#[tokio::test]
async fn what_does_not_open_is_named_and_stops_nothing() {
    let old = house("a", Reveal::Always);
    let (of_a, altered) = (token(&old).await, token(&old).await);
    let swapped = token(&old).await;
    // Chance repeats in each house: in another moment it makes another id.
    old.clock.advance(Duration::from_secs(1));
    let of_c = token(&old.beside(ring("c"), settings(Reveal::Always))).await;
    // Somebody else's copy under the altered one, and a digest that is no secret's.
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
    assert_eq!(done, Resealed { moved: 1, left: 3 });
    let broken = |stored: &StoredToken| LeftSecret {
        of: SecretOf::Token(stored.token.id),
        key: id("a"),
        reason: LeftReason::Sealing(SealingError::Broken),
    };
    assert!(left.contains(&broken(&altered)) && left.contains(&broken(&swapped)), "{left:?}");
    let unknown = LeftReason::Sealing(SealingError::UnknownKey(id("c")));
    let missing = LeftSecret { of: SecretOf::Token(of_c.token.id), key: id("c"), reason: unknown };
    assert!(left.contains(&missing), "{left:?}");
    let kept = both.store.find_token(of_a.token.id).await.expect("a look-up").expect("the token");
    assert_eq!(kept.secret.key, id("b"));
}

#[tokio::test]
async fn one_secret_of_two_tokens_cannot_be_under_one_key() {
    let old = house("a", Reveal::Always);
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
    let twin = LeftSecret { of: SecretOf::Token(twins[0]), key: id("a"), reason: LeftReason::Twice };
    assert_eq!(resealed(&both).await, (Resealed { moved: 0, left: 1 }, vec![twin]));
    assert!(recognises(&both, secret.reveal()).await);
}

#[tokio::test]
async fn what_is_changed_meanwhile_is_left_to_its_new_state() {
    let old = house("a", Reveal::Always);
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
    let keys = MasterKeys::new(Arc::new(store), ring("ba"), old.clock.clone());
    let done = keys.reseal(|step| assert!(matches!(step, ResealingStep::Done { .. }))).await;
    assert_eq!(done.expect("resealed"), Resealed::default());
}
