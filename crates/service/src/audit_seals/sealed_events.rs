//! Reads events one after another, seal by seal, and goes on after rows that cannot be read.

use std::collections::VecDeque;

use latchkey_domain::{Event, EventId};
use latchkey_ports::{EventRepository, Settlement, StoreError};

/// How many events are read at once.
const PORTION: u32 = 1_000;

/// The events of a seal.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) events: Vec<Event>,
    /// Whether one of them could not be read.
    pub(super) has_unreadable: bool,
}

/// A reader of sealed events, in order.
pub(super) struct SealedEvents<'r> {
    repository: &'r dyn EventRepository,
    /// What is sealed is settled.
    settlement: Settlement,
    after: EventId,
    read: VecDeque<Event>,
    /// The numbers of rows that cannot be read.
    unreadable: VecDeque<EventId>,
    is_at_end: bool,
    portion: u32,
}

impl<'r> SealedEvents<'r> {
    /// A reader of events up to this number.
    pub(super) fn up_to(repository: &'r dyn EventRepository, last: EventId) -> Self {
        Self {
            repository,
            settlement: Settlement::up_to(last),
            after: EventId(0),
            read: VecDeque::new(),
            unreadable: VecDeque::new(),
            is_at_end: false,
            portion: PORTION,
        }
    }

    /// Returns the next events up to this number.
    pub(super) async fn next(&mut self, last: EventId) -> Result<Portion, StoreError> {
        while self.after < last && !self.is_at_end {
            self.read_more().await?;
        }
        let mut portion = Portion::default();
        let count = self.read.partition_point(|event| event.id <= last);
        portion.events.extend(self.read.drain(..count));
        let count = self.unreadable.partition_point(|id| *id <= last);
        portion.has_unreadable = self.unreadable.drain(..count).next().is_some();
        Ok(portion)
    }

    async fn read_more(&mut self) -> Result<(), StoreError> {
        match self.repository.settled_events(self.after, &self.settlement, self.portion).await {
            Ok(read) => {
                self.is_at_end = read.events.is_empty();
                self.after = read.events.last().map_or(self.after, |event| event.id);
                self.read.extend(read.events);
            }
            // One row after another, up to that which cannot be read.
            Err(StoreError::Inconsistent(_)) if self.portion > 1 => self.portion = 1,
            Err(StoreError::Inconsistent(fault)) => {
                let number = fault.row.parse().ok().map(EventId).filter(|number| *number > self.after);
                let Some(number) = number else { return Err(StoreError::Inconsistent(fault)) };
                self.unreadable.push_back(number);
                (self.after, self.portion) = (number, PORTION);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
