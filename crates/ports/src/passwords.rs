//! Passwords at rest.

use async_trait::async_trait;
use latchkey_domain::{Password, PasswordHash};

/// A failure of the hasher, whatever the password.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashingError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Hashes passwords, slowly and off the caller's thread.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashingError>;

    /// Whether the text is the password of this hash. Without a hash, returns `false` after the same time.
    ///
    /// # Errors
    /// [`HashingError`], also for a hash that cannot be read.
    async fn verify(&self, text: &str, hash: Option<PasswordHash>) -> Result<bool, HashingError>;

    /// Returns a new hash of this text, which is the password of that hash, if that hash was made at a lower cost than
    /// today's; `None` if it was not.
    ///
    /// # Errors
    /// [`HashingError`], also for a hash that cannot be read.
    async fn upgrade(&self, text: &str, hash: &PasswordHash) -> Result<Option<PasswordHash>, HashingError>;
}
