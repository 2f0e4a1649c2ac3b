//! The health of the store, and of its connections.

use async_trait::async_trait;
use latchkey_port_macros::observed;

use crate::StoreError;

/// The connections of a pool at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Its name within the store.
    pub name: &'static str,
    /// The most connections that it may open.
    pub max: usize,
    pub in_use: usize,
    pub idle: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
}

/// The health check of a store.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// Sends the cheapest request that shows that the store answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Returns the state of each pool of connections; none for a store without connections.
    fn pools(&self) -> Vec<PoolState> {
        Vec::new()
    }
}
