//! How much the store holds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{AccountKind, RoleKind, TokenKind};
use latchkey_ports::{Statistics, StatisticsRepository, StoreError};

use crate::{MemoryStore, state::count};

#[async_trait]
impl StatisticsRepository for MemoryStore {
    async fn statistics(&self) -> Result<Statistics, StoreError> {
        let state = self.state();
        let accounts = |kind: AccountKind| count(state.users.values().filter(|user| user.kind == kind));
        let mut tokens = BTreeMap::<TokenKind, u64>::new();
        for stored in state.tokens.values() {
            *tokens.entry(stored.token.access.kind()).or_default() += 1;
        }
        Ok(Statistics {
            users: accounts(AccountKind::Person),
            service_accounts: accounts(AccountKind::Service),
            projects: count(state.projects.keys()),
            environments: count(state.environments.keys()),
            roles: count(state.roles.keys()),
            custom_root_roles: count(state.roles.values().filter(|role| role.kind == RoleKind::RootCustom)),
            tokens,
        })
    }
}
