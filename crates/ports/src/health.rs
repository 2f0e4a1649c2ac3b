//! Whether the store answers.

use async_trait::async_trait;

use crate::StoreError;

/// A sign of life.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// Asks the store for the least that shows it can answer.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn ping(&self) -> Result<(), StoreError>;
}
