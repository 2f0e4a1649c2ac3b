//! How much a store holds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::TokenKind;
use latchkey_port_macros::observed;

use crate::StoreError;

/// How much a store holds of each thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// The people, not the service accounts.
    pub users: u64,
    pub service_accounts: u64,
    /// The projects, archived ones too.
    pub projects: u64,
    pub environments: u64,
    /// The roles, built in or not.
    pub roles: u64,
    /// The roles for the whole instance that are not built in.
    pub custom_root_roles: u64,
    /// The API tokens, expired ones too. A kind without a token may be absent.
    pub tokens: BTreeMap<TokenKind, u64>,
}

/// The counts of a store.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait StatisticsRepository: Send + Sync {
    /// Counts everything. It may read every row, so it is for callers who ask now and then.
    async fn statistics(&self) -> Result<Statistics, StoreError>;
}
