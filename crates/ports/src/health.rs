//! The health of the store.

use async_trait::async_trait;

use crate::StoreError;

/// The health check of a store.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// Sends the cheapest request that shows that the store answers.
    async fn ping(&self) -> Result<(), StoreError>;
}
