//! How often signing in failed.

use async_trait::async_trait;
use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginFailureRepository, LoginKey, StoreError};

use crate::MemoryStore;

#[async_trait]
impl LoginFailureRepository for MemoryStore {
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.login_failures.get(key).copied()).collect())
    }

    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            let before = state.login_failures.get(key).copied();
            state.login_failures.insert(key.clone(), LoginFailures::and_another(before, now));
        }
        Ok(())
    }

    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            state.login_failures.remove(key);
        }
        Ok(())
    }
}
