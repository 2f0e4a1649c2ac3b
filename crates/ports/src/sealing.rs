//! Secrets at rest: digests for lookups, sealed copies for showing them again.

use std::fmt;

use latchkey_domain::{TokenId, TokenSecret};

/// A keyed digest of a secret (HMAC-SHA-256, RFC 2104): 32 bytes, found by equality in a unique index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretDigest(pub [u8; 32]);

/// Shows the first two bytes, which are enough to tell digests apart in a test.
impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "SecretDigest({a:02x}{b:02x}…)")
    }
}

/// The id of a master key: the first four bytes of a value derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The stored form of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// For lookups.
    pub digest: SecretDigest,
    /// The master key of both.
    pub key: KeyId,
    /// Nonce and ciphertext, opaque to stores; `None` if the secret cannot be shown again.
    pub sealed: Option<Box<[u8]>>,
}

/// Why a sealed secret could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    #[error("the master key {0} is not among those configured")]
    UnknownKey(KeyId),
    /// It was altered, or belongs to another token.
    #[error("a sealed secret does not belong to its token, or was altered")]
    Broken,
    #[error("a secret could not be sealed")]
    Refused,
}

/// Digests, seals and opens secrets.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait SecretSealer: Send + Sync {
    /// Returns the ids of the configured keys, the current one first; never empty.
    fn keys(&self) -> Vec<KeyId>;

    /// Returns the digest of a secret under the current key.
    fn digest(&self, secret: &TokenSecret) -> SecretDigest;

    /// Returns the digests of a secret under every configured key, the current one first; never empty.
    fn digests(&self, secret: &TokenSecret) -> Vec<SecretDigest>;

    /// Returns the record of a secret that cannot be shown again: its digest alone.
    fn record(&self, secret: &TokenSecret) -> SecretRecord;

    /// Returns the record of a secret that can be shown again: its digest, and a copy that is sealed for this token
    /// alone.
    fn seal(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError>;

    /// Opens the secret of this token; `None` if there is no sealed copy.
    ///
    /// # Errors
    /// [`SealingError`] if the key is missing or the copy is not this token's.
    fn open(&self, record: &SecretRecord, token: TokenId) -> Result<Option<TokenSecret>, SealingError>;
}
