//! Secrets at rest: digests to find them by, sealed copies to show them from.

use std::fmt;

use latchkey_domain::{TokenId, TokenSecret};

/// A keyed digest of a secret (HMAC-SHA-256, RFC 2104): 32 bytes, found by equality in a unique index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretDigest(pub [u8; 32]);

/// The first bytes only: enough to tell two apart in a test, too few to be of use.
impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "SecretDigest({a:02x}{b:02x}…)")
    }
}

/// Which master key a digest and a sealed copy were made with: the first four bytes of a hash of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// All that is kept of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// What it is found by.
    pub digest: SecretDigest,
    /// The key of both.
    pub key: KeyId,
    /// Nonce and ciphertext, opaque to stores; `None` where the secret was shown once and can never be again.
    pub sealed: Option<Box<[u8]>>,
}

/// Why a sealed secret could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// It was made with a master key that is not among those configured.
    #[error("the master key {0} is not among those configured")]
    UnknownKey(KeyId),
    /// It was altered, or belongs to another token.
    #[error("a sealed secret does not belong to its token, or was altered")]
    Broken,
    /// The cipher refused to work.
    #[error("a secret could not be sealed")]
    Refused,
}

/// Digests, seals and opens secrets.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait SecretSealer: Send + Sync {
    /// The ids of the configured keys, the current one first; never empty.
    fn keys(&self) -> Vec<KeyId>;

    /// The digest of a secret under the current key.
    fn digest(&self, secret: &TokenSecret) -> SecretDigest;

    /// The digests of a secret under every configured key, the current one first; never empty.
    fn digests(&self, secret: &TokenSecret) -> Vec<SecretDigest>;

    /// What to keep of a secret that nobody can be shown again: its digest alone.
    fn record(&self, secret: &TokenSecret) -> SecretRecord;

    /// What to keep of a secret that can be shown again: its digest, and a copy sealed for this token alone.
    ///
    /// # Errors
    /// [`SealingError::Refused`] where the cipher fails.
    fn seal(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError>;

    /// The secret of this token; `None` where it was shown once.
    ///
    /// # Errors
    /// [`SealingError`] where the key is missing or the copy is not this token's.
    fn open(&self, record: &SecretRecord, token: TokenId) -> Result<Option<TokenSecret>, SealingError>;
}
