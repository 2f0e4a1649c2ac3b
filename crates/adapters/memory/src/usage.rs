//! How often tokens are used.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use async_trait::async_trait;
use latchkey_domain::{Hour, TokenId, UseOutcome};
use latchkey_ports::{SeenAddress, StoreError, TokenUsage, UsageRepository, UsageScope, UseCount, UsedToken};

use crate::{
    MemoryStore,
    state::{State, count, to_usize},
};

impl State {
    /// Returns the counts of the tokens in these hours.
    fn counts(
        &self,
        scope: &UsageScope,
        hours: Range<Hour>,
    ) -> impl Iterator<Item = (TokenId, Hour, UseOutcome, u64)> {
        let is_meant = move |id: &TokenId| match scope {
            UsageScope::One(token) => token == id,
            UsageScope::Project(project) => {
                self.tokens.get(id).is_some_and(|stored| stored.token.access.projects().names(project))
            }
            UsageScope::Kinds(kinds) => {
                self.tokens.get(id).is_some_and(|stored| kinds.contains(&stored.token.access.kind()))
            }
        };
        self.token_usage
            .iter()
            .filter(move |((token, hour, _), _)| hours.contains(hour) && is_meant(token))
            .map(|((token, hour, outcome), count)| (*token, *hour, *outcome, *count))
    }
}

#[async_trait]
impl UsageRepository for MemoryStore {
    async fn record_usage(&self, usage: &[TokenUsage]) -> Result<(), StoreError> {
        let state = &mut *self.state();
        for TokenUsage { token, counts, addresses } in usage {
            if !state.tokens.contains_key(token) {
                continue;
            }
            for UseCount { hour, outcome, count } in counts {
                *state.token_usage.entry((*token, *hour, *outcome)).or_default() += count;
            }
            let mut latest = BTreeMap::new();
            let kept = state.token_addresses.remove(token).unwrap_or_default();
            for SeenAddress { address, seen_at } in kept.iter().chain(addresses) {
                let last = latest.entry(*address).or_insert(*seen_at);
                *last = (*seen_at).max(*last);
            }
            let mut latest: Vec<_> =
                latest.into_iter().map(|(address, seen_at)| SeenAddress { address, seen_at }).collect();
            latest.sort_by_key(|seen| (Reverse(seen.seen_at), seen.address.to_string()));
            latest.truncate(SeenAddress::MAX);
            state.token_addresses.insert(*token, latest);
        }
        Ok(())
    }

    async fn usage(&self, scope: &UsageScope, hours: Range<Hour>) -> Result<Vec<UseCount>, StoreError> {
        let mut sums = BTreeMap::<_, u64>::new();
        for (_, hour, outcome, count) in self.state().counts(scope, hours) {
            *sums.entry((hour, outcome)).or_default() += count;
        }
        Ok(sums.into_iter().map(|((hour, outcome), count)| UseCount { hour, outcome, count }).collect())
    }

    async fn most_used(
        &self,
        scope: &UsageScope,
        hours: Range<Hour>,
        limit: u32,
    ) -> Result<Vec<UsedToken>, StoreError> {
        let state = self.state();
        let mut sums = BTreeMap::<_, (u64, u64)>::new();
        for (token, _, outcome, count) in state.counts(scope, hours) {
            let (verified, refused) = sums.entry(token).or_default();
            *(if outcome == UseOutcome::Verified { verified } else { refused }) += count;
        }
        let used = sums.into_iter().filter_map(|(id, (verified, refused))| {
            let name = state.tokens.get(&id)?.token.name.clone();
            Some(UsedToken { id, name, verified, refused })
        });
        let mut used: Vec<_> = used.collect();
        // Stable, and they are in the order of their ids.
        used.sort_by_key(|token| Reverse(token.verified + token.refused));
        used.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(used)
    }

    async fn last_hours(
        &self,
        outcome: UseOutcome,
        hours: Range<Hour>,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<(TokenId, Hour)>, StoreError> {
        let mut last = BTreeMap::new();
        for (token, hour, _) in self.state().token_usage.keys().filter(|(_, _, one)| *one == outcome) {
            if hours.contains(hour) && after.is_none_or(|after| *token > after) {
                // In order of hours.
                last.insert(*token, *hour);
            }
        }
        Ok(last.into_iter().take(to_usize(limit)).collect())
    }

    async fn addresses_of(&self, token: TokenId) -> Result<Vec<SeenAddress>, StoreError> {
        Ok(self.state().token_addresses.get(&token).cloned().unwrap_or_default())
    }

    async fn forget_usage(&self, before: Hour) -> Result<u64, StoreError> {
        let state = &mut *self.state();
        let counts_before = state.token_usage.len();
        state.token_usage.retain(|(_, hour, _), _| *hour >= before);
        let mut forgotten = count(state.token_usage.len()..counts_before);
        for addresses in state.token_addresses.values_mut() {
            let addresses_before = addresses.len();
            addresses.retain(|seen| seen.seen_at >= before.start());
            forgotten += count(addresses.len()..addresses_before);
        }
        Ok(forgotten)
    }
}
