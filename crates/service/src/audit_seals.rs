//! Seals of the audit trail: a hash chain over events, by which it can be told whether any of them was altered or removed since.

mod sealed_events;
mod verification;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use latchkey_domain::{ChainHash, EventId};
use latchkey_ports::{EventRepository, EventSeal, KeyId, SecretSealer, Settlement, StoreError};

pub use self::verification::{SealFault, SealFaultKind, SealReport};

/// Seals events, and verifies what is sealed. It is for the operator, so it requires no permit.
pub struct AuditSeals {
    events: Arc<dyn EventRepository>,
    sealer: Arc<dyn SecretSealer>,
    settlement: Mutex<Settlement>,
    unsealed: AtomicU64,
}

impl AuditSeals {
    /// The maximum number of events of a seal.
    pub const MAX: u32 = 1_000;

    /// Returns the use case over these ports.
    pub fn new(events: Arc<dyn EventRepository>, sealer: Arc<dyn SecretSealer>) -> Self {
        Self { events, sealer, settlement: Mutex::default(), unsealed: AtomicU64::new(0) }
    }

    /// Seals all events that are settled, and returns their number; to be called at intervals, by any number of processes.
    pub async fn seal(&self) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let sealed = self.seal_some().await?;
            all += sealed;
            if sealed < u64::from(Self::MAX) {
                return Ok(all);
            }
        }
    }

    /// Returns how far the newest event was above the newest seal at the last call to [`AuditSeals::seal`].
    pub fn unsealed(&self) -> u64 {
        self.unsealed.load(Ordering::Relaxed)
    }

    async fn seal_some(&self) -> Result<u64, StoreError> {
        let newest = self.events.newest_seal().await?;
        let (previous, hash) =
            newest.map_or((EventId(0), ChainHash::START), |newest| (newest.last, newest.hash));
        let settlement = *self.settlement.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.events.settled_events(previous, &settlement, Self::MAX).await?;
        *self.settlement.lock().unwrap_or_else(PoisonError::into_inner) = read.settlement;
        let sealed = match (read.events.last(), read.events.iter().map(|event| event.record.at).max()) {
            (Some(last), Some(newest_at)) => {
                let events = u64::try_from(read.events.len()).unwrap_or(u64::MAX);
                let (last, hash) = (last.id, hash.link(&read.events));
                let (key, mac) = (KeyId([0; 4]), [0; 32]);
                let seal = EventSeal { last, previous, events, newest_at, hash, key, mac };
                let (key, mac) = self.sealer.mac(&seal.message());
                // Otherwise another process has sealed them.
                let is_added = self.events.add_seal(&EventSeal { key, mac, ..seal }).await?;
                is_added.then_some((last, events))
            }
            _ => None,
        };
        let (last, events) = sealed.unwrap_or((previous, 0));
        self.unsealed.store(read.newest.0.abs_diff(last.0), Ordering::Relaxed);
        Ok(events)
    }
}
