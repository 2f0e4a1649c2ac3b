//! The repository of notices.

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, Notice, Timestamp};
use latchkey_port_macros::observed;

use crate::StoreError;

/// A notice that is to be recorded, with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    pub notice: Notice,
    /// Its event, about the token.
    pub event: NewEvent,
}

/// The notices of tokens, each of which is recorded once. They end with the token.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait NoticeRepository: Send + Sync {
    /// Records those of these notices that were not recorded before, each with its event, and returns the numbers of the events:
    /// `None` for a notice that was recorded before, or whose token does not exist. All are recorded at once, or none.
    ///
    /// Of any number of concurrent calls, one records a notice.
    async fn record_notices(&self, notices: &[NewNotice]) -> Result<Vec<Option<EventId>>, StoreError>;

    /// Returns when each of these notices was recorded: `None` for one that was not.
    async fn notice_times(&self, notices: &[Notice]) -> Result<Vec<Option<Timestamp>>, StoreError>;
}
