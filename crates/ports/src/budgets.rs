//! The port of budgets: what is left of the limits of tokens, for all processes together.

use async_trait::async_trait;
use latchkey_domain::{RateLimit, Timestamp, TokenId, Uses};
use latchkey_port_macros::observed;

use crate::StoreError;

/// A portion of the requests of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateGrant {
    /// How many: as many as were wanted, or as there were.
    pub granted: u64,
    /// How many are left for others.
    pub left: u64,
    /// The start of the window to which they belong.
    pub window: Timestamp,
}

/// How many uses are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsesDemand {
    pub wanted: u64,
    /// If there are fewer than these, none is taken.
    pub at_least: u64,
}

impl UsesDemand {
    /// All of them or none.
    #[must_use]
    pub fn all_or_none(wanted: u64) -> Self {
        Self { wanted, at_least: wanted }
    }

    /// As many as there are.
    #[must_use]
    pub fn up_to(wanted: u64) -> Self {
        Self { wanted, at_least: 0 }
    }

    /// Returns how many of those that are left are taken.
    #[must_use]
    pub fn taken_of(self, left: u64) -> u64 {
        let there = self.wanted.min(left);
        if there >= self.at_least { there } else { 0 }
    }
}

/// Uses that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenUses {
    pub taken: u64,
    /// How many are left then.
    pub left: u64,
}

/// What is left of the limits of tokens. It ends with the token, and no event tells of it.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait BudgetRepository: Send + Sync {
    /// Takes a portion of the requests that the token has in its present window ([`RateLimit::record_at`]).
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    async fn lease_rate(
        &self,
        token: TokenId,
        limit: &RateLimit,
        wanted: u32,
        now: Timestamp,
    ) -> Result<RateGrant, StoreError>;

    /// Gives requests back that were taken and not used. If the window is over, that changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn return_rate(&self, token: TokenId, window: Timestamp, unused: u64) -> Result<(), StoreError>;

    /// Takes uses of the token ([`Uses::record_at`]).
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    async fn take_uses(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError>;

    /// Returns how many uses each token has left, in the same order. A token that was removed has as many as were granted.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn uses_left(&self, tokens: &[(TokenId, Uses)], now: Timestamp) -> Result<Vec<u64>, StoreError>;
}
