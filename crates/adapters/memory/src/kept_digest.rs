//! A digest of mail in memory.

use std::collections::BTreeMap;

use latchkey_domain::{Day, DeliveryState, Email, EventId, Timestamp};
use latchkey_ports::MailItem;

/// The address in lower case, and the day.
pub(crate) type DigestKey = (String, Day);

/// A digest as it is kept.
pub(crate) struct KeptDigest {
    pub(crate) address: Email,
    pub(crate) message_id: String,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) due_at: Timestamp,
    /// When it was tried first.
    pub(crate) began_at: Option<Timestamp>,
    /// `None` if it has ended.
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) items: BTreeMap<EventId, MailItem>,
}
