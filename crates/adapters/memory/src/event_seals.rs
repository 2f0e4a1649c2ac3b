//! Seals of events, and the retention of events by whole seals.

use latchkey_domain::{EventId, Timestamp};
use latchkey_ports::EventSeal;

use crate::state::{State, count};

impl State {
    pub(crate) fn newest_seal(&self) -> Option<&EventSeal> {
        self.event_seals.last_key_value().map(|(_, seal)| seal)
    }

    /// Adds a seal if it goes on from the newest one.
    pub(crate) fn add_seal(&mut self, seal: &EventSeal) -> bool {
        let goes_on = seal.previous == self.newest_seal().map_or(EventId(0), |newest| newest.last);
        if goes_on {
            self.event_seals.insert(seal.last, seal.clone());
        }
        goes_on
    }

    /// Deletes what a retention that ends at that moment does not keep, and returns the number of events.
    pub(crate) fn forget_events(&mut self, before: Timestamp) -> u64 {
        let old = self.event_seals.values().take_while(|seal| seal.newest_at < before);
        let anchor = old.last().map_or(EventId(0), |seal| seal.last);
        self.event_seals = self.event_seals.split_off(&anchor);
        let (newest, all) = (self.latest_event(), self.events.len());
        self.events.retain(|event| match event.id {
            id if id == newest => true,
            id if id.is_imported() => event.record.at >= before,
            id => id > anchor,
        });
        count(self.events.len()..all)
    }
}
