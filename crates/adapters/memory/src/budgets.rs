//! What is left of the limits of tokens.

use async_trait::async_trait;
use latchkey_domain::{RateLimit, RateRecord, Timestamp, TokenId, Uses, UsesRecord};
use latchkey_ports::{BudgetRepository, Entity, RateGrant, StoreError, TakenUses, UsesDemand};

use crate::{MemoryStore, state::State};

impl State {
    fn check_token(&self, id: TokenId) -> Result<(), StoreError> {
        if self.tokens.contains_key(&id) { Ok(()) } else { Err(StoreError::NotFound(Entity::Token(id))) }
    }
}

#[async_trait]
impl BudgetRepository for MemoryStore {
    async fn lease_rate(
        &self,
        token: TokenId,
        limit: &RateLimit,
        wanted: u32,
        now: Timestamp,
    ) -> Result<RateGrant, StoreError> {
        let state = &mut *self.state();
        state.check_token(token)?;
        let record = limit.record_at(state.token_rates.get(&token).copied(), now);
        let room = limit.room(&record);
        let granted = room.min(wanted.into());
        state.token_rates.insert(token, RateRecord { used: record.used + granted, ..record });
        Ok(RateGrant { granted, left: room - granted, window: record.window })
    }

    async fn return_rate(&self, token: TokenId, window: Timestamp, unused: u64) -> Result<(), StoreError> {
        if let Some(record) = self.state().token_rates.get_mut(&token)
            && record.window == window
        {
            record.used = record.used.saturating_sub(unused);
        }
        Ok(())
    }

    async fn take_uses(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError> {
        let state = &mut *self.state();
        state.check_token(token)?;
        let record = uses.record_at(token, state.token_uses.get(&token).copied(), now);
        let got = demand.taken_of(record.left);
        let left = record.left - got;
        state.token_uses.insert(token, UsesRecord { left, ..record });
        Ok(TakenUses { taken: got, left })
    }

    async fn uses_left(&self, tokens: &[(TokenId, Uses)], now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let state = self.state();
        let left = |(token, uses): &(TokenId, Uses)| {
            uses.record_at(*token, state.token_uses.get(token).copied(), now).left
        };
        Ok(tokens.iter().map(left).collect())
    }
}
