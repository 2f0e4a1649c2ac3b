//! Secrets at rest: digests for lookups, sealed copies for showing them again.

use std::{fmt, str::FromStr};

use latchkey_domain::{Hex, TokenId, TokenSecret, parse_hex};

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

/// The SHA-256 of a secret (FIPS 180-4, unkeyed), by which another system knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignDigest(pub [u8; 32]);

/// The text is no SHA-256 in hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 must be written as 64 hex digits")]
pub struct InvalidForeignDigest;

/// Parses 64 hex digits in either case.
impl FromStr for ForeignDigest {
    type Err = InvalidForeignDigest;

    fn from_str(text: &str) -> Result<Self, InvalidForeignDigest> {
        parse_hex(text).map(Self).ok_or(InvalidForeignDigest)
    }
}

/// Shows the first two bytes.
impl fmt::Debug for ForeignDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "ForeignDigest({a:02x}{b:02x}…)")
    }
}

/// The id of a master key: the first four bytes of a value derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
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

/// Bytes that are sealed for one use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBytes {
    /// The master key under which they are.
    pub key: KeyId,
    /// Nonce and ciphertext, opaque to stores.
    pub sealed: Box<[u8]>,
}

/// Why a sealed secret could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    #[error("the master key {0} is not among those configured")]
    UnknownKey(KeyId),
    /// It was altered, or belongs to another token, or to another context.
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

    /// Returns every digest that a record of this secret may have: its own and that of its [`ForeignDigest`], under every
    /// configured key. [`SecretSealer::digest`] comes first.
    fn digests(&self, secret: &TokenSecret) -> Vec<SecretDigest>;

    /// Returns the SHA-256 of a secret.
    fn foreign_digest(&self, secret: &TokenSecret) -> ForeignDigest;

    /// Returns every digest that [`SecretSealer::foreign_record`] returned for this secret, under every configured key.
    fn foreign_digests(&self, secret: &ForeignDigest) -> Vec<SecretDigest>;

    /// Returns the record of a secret that cannot be shown again: its digest alone.
    fn record(&self, secret: &TokenSecret) -> SecretRecord;

    /// Returns the record of a secret that is known by its SHA-256 alone.
    fn foreign_record(&self, secret: &ForeignDigest) -> SecretRecord;

    /// Returns the key of a digest of this secret, and the record to which it moves: in the same form, under the current key,
    /// without a sealed copy. `None` if it is under the current key, or is no digest of the secret.
    fn moved(&self, secret: &TokenSecret, digest: &SecretDigest) -> Option<(KeyId, SecretRecord)>;

    /// Returns the record of a secret that can be shown again: its digest, and a copy that is sealed for this token
    /// alone.
    fn seal(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError>;

    /// Opens the secret of this token; `None` if there is no sealed copy.
    ///
    /// # Errors
    /// [`SealingError`] if the key is missing or the copy is not this token's.
    fn open(&self, record: &SecretRecord, token: TokenId) -> Result<Option<TokenSecret>, SealingError>;

    /// Seals bytes under the current key, for this context alone: what names their place and use.
    fn seal_bytes(&self, plain: &[u8], context: &[u8]) -> Result<SealedBytes, SealingError>;

    /// Opens bytes that were sealed for this context.
    ///
    /// # Errors
    /// [`SealingError`] if the key is missing, or they were sealed for another context.
    fn open_bytes(&self, bytes: &SealedBytes, context: &[u8]) -> Result<Vec<u8>, SealingError>;

    /// Returns the authentication code of the message of a seal of events ([`crate::EventSeal`]) under the current key, and that key.
    fn mac(&self, message: &[u8]) -> (KeyId, [u8; 32]);

    /// Whether this is the code that [`SecretSealer::mac`] returned for a message under that key; `None` if the key is not configured.
    fn is_mac(&self, key: KeyId, message: &[u8], mac: &[u8; 32]) -> Option<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sha_256_is_read_from_hex_digits_alone() {
        let digits = "00ff".repeat(16);
        let ForeignDigest(bytes) = digits.parse().expect("a digest");
        assert_eq!(bytes[..3], [0, 255, 0]);
        assert_eq!(digits.to_uppercase().parse(), Ok(ForeignDigest(bytes)));
        for text in
            ["", "00", &digits[1..], &format!("{digits}00"), &digits.replacen('0', "+", 1), &"é".repeat(32)]
        {
            assert_eq!(text.parse::<ForeignDigest>(), Err(InvalidForeignDigest), "{text}");
        }
    }
}
