//! Seals of events: hashes of the chain over them, so that it can be told whether any event was altered or removed since.

use latchkey_domain::{ChainHash, EventId, Timestamp};

use crate::KeyId;

/// A link of the chain over events, and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSeal {
    /// The number of the last event that it covers.
    pub last: EventId,
    /// That of the seal before it; 0 for the first.
    pub previous: EventId,
    /// How many events it covers.
    pub events: u64,
    /// The latest time of those events.
    pub newest_at: Timestamp,
    pub hash: ChainHash,
    /// The master key of the code.
    pub key: KeyId,
    /// The authentication code of all the other members: without a master key no seal can be made.
    pub mac: [u8; 32],
}

impl EventSeal {
    /// Returns what the authentication code is of. A part of the format of every store.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let Self { last, previous, events, newest_at, hash, key: _, mac: _ } = self;
        let numbers = [last.0.to_be_bytes(), previous.0.to_be_bytes(), events.to_be_bytes()];
        [numbers.as_flattened(), &newest_at.millis().to_be_bytes(), &hash.0].concat()
    }
}
