//! Events in the order of their numbers, each once: for readers that must miss none, such as streams, chains and deliveries.
//!
//! Numbers can become visible in another order than that in which they were drawn. The change feed
//! ([`EventRepository::changes_since`](crate::EventRepository::changes_since)) shows each change as soon as it is visible. A reader
//! that remembers one number and nothing else has to wait instead, until no lower number can appear any more: up to there, the events
//! are *settled*.
//!
//! A number is settled if one of these holds:
//! - each number between it and a settled one is visible, because numbers are drawn one after another;
//! - a reading saw it, and a later one has an `ended` that is no lower than the `next` of the first: whatever had drawn a lower number
//!   by then has ended ([`Stamp`]).
//!
//! [`Settlement::advance`] is all of that, without I/O; a store only fills in a [`SettledReading`].
//!
//! The numbers of events begin with 1. Events that were imported from another system are below, and no such reader sees them.

use latchkey_domain::{Event, EventId};

use crate::Stamp;

/// How far the events are settled. By default nothing is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    settled: EventId,
    /// A higher number that was visible, and the stamp below which the transactions of the missing ones are.
    pending: Option<(EventId, Stamp)>,
}

/// What a store sees of its events, in one state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledReading {
    /// The highest visible number; 0 before the first.
    pub newest: EventId,
    /// The visible numbers above [`Settlement::start`], in order; the first ones are enough.
    pub visible: Vec<EventId>,
    pub ended: Stamp,
    pub next: Stamp,
}

/// Settled events, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledEvents {
    pub events: Vec<Event>,
    /// The highest visible number; 0 before the first.
    pub newest: EventId,
    /// For the next call.
    pub settlement: Settlement,
}

impl Settlement {
    /// Everything up to this number is settled.
    #[must_use]
    pub fn up_to(settled: EventId) -> Self {
        Self { settled, pending: None }
    }

    /// Returns the number up to which everything is settled.
    #[must_use]
    pub fn settled(&self) -> EventId {
        self.settled
    }

    /// Whether there were events that were visible and not settled, so that asking again soon is worth while.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns the number above which the visible ones are to be read, for a reader that has the settled events up to `after`.
    #[must_use]
    pub fn start(&self, after: EventId) -> EventId {
        self.settled.max(after)
    }

    /// Returns how far the events are settled at a later reading.
    #[must_use]
    pub fn advance(&self, after: EventId, reading: &SettledReading) -> Self {
        let SettledReading { newest, visible, ended, next } = reading;
        // The numbers went back: a backup was restored.
        let before = if *newest < self.settled { Self::default() } else { *self };
        let mut settled = before.settled;
        let mut contiguous = before.start(after);
        for id in visible {
            if id.0 != contiguous.0 + 1 {
                break;
            }
            contiguous = *id;
            settled = contiguous;
        }
        if ended >= next {
            settled = settled.max(*newest);
        }
        let mut pending = before.pending;
        if let Some((seen, stamp)) = pending
            && ended >= &stamp
        {
            settled = settled.max(seen);
        }
        pending = pending.filter(|(seen, _)| *seen > settled);
        if pending.is_none() && *newest > settled {
            pending = Some((*newest, *next));
        }
        Self { settled, pending }
    }
}

#[cfg(test)]
mod tests;
