//! A flood of guessed secrets: its cost in memory and queries, and its effect on a valid token.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::one_token::{INDEX, OneToken, events_at, found};
use latchkey_domain::{TokenId, TokenSecret};
use latchkey_ports::{
    ForeignDigest, KeyId, MockTokenRepository, SealedBytes, SealingError, SecretDigest, SecretRecord,
    SecretSealer,
};
use latchkey_service::{
    Answers, AuthenticationError, CacheState, IndexSettings, PrincipalIndex, Verification,
};

const GUESSES: u32 = 1_000_000;
/// Guesses in one second of the test's clock.
const A_SECOND: u32 = 10_000;
/// Guesses between two polls of the feed, and two uses of the valid token.
const A_TENTH: u32 = A_SECOND / 10;
const BUDGET: u32 = 100;
const CAPACITY: usize = 1_000;

/// A sealer with digests fast enough for a million of them in an unoptimized test.
struct FastSealer;

impl SecretSealer for FastSealer {
    fn keys(&self) -> Vec<KeyId> {
        vec![KeyId([0; 4])]
    }

    fn digest(&self, secret: &TokenSecret) -> SecretDigest {
        let mut hasher = DefaultHasher::new();
        secret.reveal().hash(&mut hasher);
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&hasher.finish().to_be_bytes());
        SecretDigest(digest)
    }

    fn digests(&self, secret: &TokenSecret) -> Vec<SecretDigest> {
        vec![self.digest(secret)]
    }

    fn foreign_digest(&self, secret: &TokenSecret) -> ForeignDigest {
        ForeignDigest(self.digest(secret).0)
    }

    fn foreign_digests(&self, ForeignDigest(sha256): &ForeignDigest) -> Vec<SecretDigest> {
        vec![SecretDigest(*sha256)]
    }

    fn record(&self, secret: &TokenSecret) -> SecretRecord {
        SecretRecord { digest: self.digest(secret), key: KeyId([0; 4]), sealed: None }
    }

    fn foreign_record(&self, ForeignDigest(sha256): &ForeignDigest) -> SecretRecord {
        SecretRecord { digest: SecretDigest(*sha256), key: KeyId([0; 4]), sealed: None }
    }

    fn moved(&self, _: &TokenSecret, _: &SecretDigest) -> Option<(KeyId, SecretRecord)> {
        None
    }

    fn seal(&self, secret: &TokenSecret, _: TokenId) -> Result<SecretRecord, SealingError> {
        Ok(self.record(secret))
    }

    fn open(&self, _: &SecretRecord, _: TokenId) -> Result<Option<TokenSecret>, SealingError> {
        Ok(None)
    }

    fn seal_bytes(&self, _: &[u8], _: &[u8]) -> Result<SealedBytes, SealingError> {
        Err(SealingError::Refused)
    }

    fn open_bytes(&self, _: &SealedBytes, _: &[u8]) -> Result<Vec<u8>, SealingError> {
        Err(SealingError::Refused)
    }

    fn mac(&self, _: &[u8]) -> (KeyId, [u8; 32]) {
        (KeyId([0; 4]), [0; 32])
    }

    fn is_mac(&self, _: KeyId, _: &[u8], _: &[u8; 32]) -> Option<bool> {
        Some(true)
    }
}

#[tokio::test]
async fn a_million_guesses_cost_little_memory_and_few_queries_and_evict_no_valid_token() {
    let one = OneToken::sealed_by(Arc::new(FastSealer));
    let settings = IndexSettings { capacity: CAPACITY, unknown_per_second: BUDGET, ..INDEX };
    let index = Arc::new(PrincipalIndex::new(settings, one.clock.clone()));
    let asked = Arc::new(AtomicU32::new(0));
    let (stored, good, asking) = (one.stored.clone(), one.stored.secret.digest, asked.clone());
    let mut tokens = MockTokenRepository::new();
    tokens.expect_find_token_by_digest().returning(move |digests| {
        asking.fetch_add(1, Ordering::Relaxed);
        Ok(digests.contains(&good).then(|| found(&stored)))
    });
    let authenticator = Arc::new(one.authenticator(Arc::new(tokens), &index, Arc::default()));
    let verification = Verification::new(authenticator.clone());
    index.follow(&events_at(1)).await.expect("followed");
    verification.verify(one.secret.reveal(), None).await.expect("accepted");
    assert_eq!(asked.swap(0, Ordering::Relaxed), 1, "for the good token, this once");

    let mut refused = 0;
    for guess in 1..=GUESSES {
        match verification.verify(&format!("guess-{guess}"), None).await {
            Err(AuthenticationError::Unknown) => {}
            Err(AuthenticationError::Busy) => refused += 1,
            other => panic!("{other:?}"),
        }
        if guess % A_TENTH == 0 {
            verification.verify(one.secret.reveal(), None).await.expect("accepted");
            one.clock.advance(Duration::from_millis(100));
            index.follow(&events_at(1)).await.expect("followed");
        }
        if guess % A_SECOND == 0 {
            assert_eq!(
                asked.swap(0, Ordering::Relaxed),
                BUDGET,
                "guesses that reached the store in a second"
            );
            let figures = authenticator.metrics();
            assert!(figures.unknown_secrets.entries <= CAPACITY, "{figures:?}");
            assert_eq!(figures.principals.entries, 1, "{figures:?}");
        }
    }
    let figures = authenticator.metrics();
    assert_eq!(figures.refused_unknown, refused);
    assert_eq!(refused, u64::from(GUESSES - GUESSES / A_SECOND * BUDGET));
    assert_eq!(figures.from_memory.valid, u64::from(GUESSES / A_TENTH), "each use of the good token");
    let looked_up = u64::from(GUESSES) - refused;
    assert_eq!(figures.from_store, Answers { valid: 1, invalid: looked_up });
    assert_eq!(figures.principals.evicted, 0, "guesses evict no good token");
    let CacheState { entries, evicted } = figures.unknown_secrets;
    assert_eq!(u64::try_from(entries).expect("few") + evicted, looked_up);
}
