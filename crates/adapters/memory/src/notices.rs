//! Notices of tokens.

use async_trait::async_trait;
use latchkey_domain::{EventId, Notice, Timestamp, TokenId};
use latchkey_ports::{NewNotice, NoticeRepository, StoreError};

use crate::{MemoryStore, state::State};

impl State {
    /// Records a notice, if it was not recorded before and its token is there.
    fn record_notice(&mut self, NewNotice { notice, event }: &NewNotice) -> Option<EventId> {
        let key = key(notice);
        if !self.tokens.contains_key(&notice.token) || self.notices.contains_key(&key) {
            return None;
        }
        self.notices.insert(key, event.at);
        Some(self.record(event.clone()))
    }
}

fn key(notice: &Notice) -> (TokenId, String) {
    (notice.token, notice.cause.to_string())
}

#[async_trait]
impl NoticeRepository for MemoryStore {
    async fn record_notices(&self, notices: &[NewNotice]) -> Result<Vec<Option<EventId>>, StoreError> {
        let mut state = self.state();
        Ok(notices.iter().map(|notice| state.record_notice(notice)).collect())
    }

    async fn notice_times(&self, notices: &[Notice]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let state = self.state();
        Ok(notices.iter().map(|notice| state.notices.get(&key(notice)).copied()).collect())
    }
}
