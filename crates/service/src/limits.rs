//! Limits of tokens: how often each may be used, for all processes together.
//!
//! The store knows what is left. Of a rate limit, a process takes portions from it, so that most requests need no statement
//! (`rates`). Uses are counted exactly: requests for one token that wait at the same time share a statement (`uses`). A token
//! without limits never comes here.

mod budgets;
mod flight;
mod rates;
mod shards;
mod spending;
mod uses;

use std::sync::Arc;

use latchkey_domain::{TokenId, TokenLimits};
use latchkey_ports::{BudgetRepository, Clock, StoreError};

pub use self::spending::SpendError;
use self::{budgets::Budgets, rates::Rates, uses::UseAccounts};
use crate::{RateLeft, WhenStale};

/// What is left of the limits of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    pub rate: Option<RateLeft>,
    /// How many uses.
    pub uses: Option<u64>,
}

/// Counts the uses of tokens with limits.
pub struct LimitKeeper {
    rates: Arc<Rates>,
    uses: Arc<UseAccounts>,
}

impl LimitKeeper {
    /// Returns a keeper over the store that is written to, if there is one. `when_stale` says what happens while it does not answer.
    pub fn new(
        store: Option<Arc<dyn BudgetRepository>>,
        clock: Arc<dyn Clock>,
        when_stale: WhenStale,
    ) -> Self {
        let budgets = Arc::new(Budgets::new(store, clock, when_stale));
        Self { rates: Arc::new(Rates::new(budgets.clone())), uses: Arc::new(UseAccounts::new(budgets)) }
    }

    /// Counts a use of the token, which costs as many requests and uses, and returns what is left.
    ///
    /// # Errors
    /// [`SpendError`]; nothing is counted then.
    pub async fn spend(
        &self,
        token: TokenId,
        limits: TokenLimits,
        cost: u32,
    ) -> Result<Allowance, SpendError> {
        let rate = match limits.rate {
            Some(limit) => Some(self.rates.spend(token, limit, cost).await?),
            None => None,
        };
        let uses = match limits.uses {
            Some(uses) => match self.uses.spend(token, uses, cost.into()).await {
                Ok(left) => Some(left),
                Err(error) => {
                    if rate.is_some() {
                        self.rates.refund(token, cost.into());
                    }
                    return Err(error);
                }
            },
            None => None,
        };
        Ok(Allowance { rate, uses })
    }

    /// Gives the portions back that were not used for a while, and counts the uses that the store has not heard of; to be called at
    /// intervals.
    ///
    /// # Errors
    /// The first [`StoreError`]. What was not written is kept, or lost to its window.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let returned = self.rates.return_idle().await;
        let settled = self.uses.settle().await;
        returned.and(settled)
    }

    /// As [`LimitKeeper::settle`], of all portions; to be called at shutdown.
    ///
    /// # Errors
    /// As [`LimitKeeper::settle`].
    pub async fn finish(&self) -> Result<(), StoreError> {
        let returned = self.rates.return_all().await;
        let settled = self.uses.settle().await;
        returned.and(settled)
    }

    /// Returns how many requests this process holds in portions of windows.
    pub fn held_requests(&self) -> u64 {
        self.rates.held()
    }
}
