//! The change feed: how a follower reads every change once, although event numbers become visible out of order.
//!
//! An event's number is drawn before its transaction commits, so a higher number can become visible first. A
//! [`FeedPosition`] therefore remembers which lower numbers are missing. A missing number either becomes visible later,
//! or never: its transaction was rolled back. A store tells the two apart by the clock of its transactions. Each
//! transaction that may write an event has a [`Stamp`] before it draws a number, and later transactions have higher
//! ones. A reading of the feed sees one state of the store and says, of that state,
//!
//! - `next`: a stamp above those of all transactions that had one;
//! - `ended`: a stamp below which every transaction has ended, and whatever it committed is visible.
//!
//! A number that is missing although a higher one is visible was drawn before, so its transaction has a stamp below
//! `next`. When a later reading has an `ended` that is no lower and the number is still missing, it will never appear.
//! A store that runs one transaction after another has no missing numbers, and all its stamps are zero.
//!
//! [`FeedPosition::advance`] is all of that, without I/O; a store only fills in a [`FeedReading`].
//!
//! A replica of a store shows a state of the past. Its readings say how far that may lie back, so that a follower does not
//! take an old state for the present one.

use std::{collections::BTreeMap, time::Duration};

use latchkey_domain::{Event, EventId, EventKind, Subject};

/// A reading of the clock of a store's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp(pub u64);

/// The part of an event that followers act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub id: EventId,
    pub kind: EventKind,
    pub subject: Option<Subject>,
}

impl From<&Event> for Change {
    fn from(event: &Event) -> Self {
        Self { id: event.id, kind: event.record.kind, subject: event.record.subject }
    }
}

/// How far a follower has read the feed. By default it has not begun: its first page is the end of the feed, without
/// changes, and all that comes after it will be on the next ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedPosition(Option<Progress>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Progress {
    newest: EventId,
    /// Lower numbers that are not visible yet, each with the stamp below which its transaction is.
    missing: BTreeMap<EventId, Stamp>,
    /// Until every transaction below this stamp has ended, other lower numbers may become visible.
    unsettled: Option<Stamp>,
    /// The identity of the database, if it is known.
    origin: Option<String>,
}

/// Whether a page of the feed has every change since the position before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// It has.
    Unbroken,
    /// It may lack some: the first page, too many changes at once, numbers that were deleted or never used.
    Broken,
    /// The position belongs to another database, or to another course of this one: it was restored from a backup, or a
    /// standby without the last changes took its place.
    OtherHistory,
}

/// What happened since a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The changes that became visible, by number. None of them was on an earlier page.
    pub changes: Vec<Change>,
    pub continuity: Continuity,
    /// How far the state that was read may be behind, as [`FeedReading::lag`].
    pub lag: Duration,
    /// Where the next page begins.
    pub position: FeedPosition,
}

/// What a store sees of the feed, in one state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedReading {
    /// The highest visible number; 0 before the first.
    pub newest: EventId,
    /// The visible ones of the numbers that the position asks for, in any order; of those above its newest, the first
    /// `limit + 1` are enough.
    pub changes: Vec<Change>,
    pub ended: Stamp,
    pub next: Stamp,
    pub origin: Option<String>,
    /// How far the state may be behind that of the store that is written to: every change that was acknowledged longer ago is
    /// visible. Zero for that store itself; [`Duration::MAX`] if it is not known.
    pub lag: Duration,
}

impl FeedPosition {
    /// The number of missing numbers that a position remembers. With more, each page is [`Continuity::Broken`] until the
    /// transactions of that time have ended.
    pub const MAX_MISSING: usize = 1_000;

    /// Returns the number above which all are to be read.
    #[must_use]
    pub fn newest(&self) -> EventId {
        self.0.as_ref().map_or(EventId(i64::MAX), |progress| progress.newest)
    }

    /// Returns the lower numbers that are to be read again.
    pub fn missing(&self) -> impl Iterator<Item = EventId> {
        self.0.iter().flat_map(|progress| progress.missing.keys().copied())
    }

    /// Whether a reading of this origin goes on with the feed of this position; also if either origin is unknown.
    #[must_use]
    pub fn continues(&self, origin: Option<&str>) -> bool {
        let before = self.0.as_ref().and_then(|progress| progress.origin.as_deref());
        before.zip(origin).is_none_or(|(before, now)| before == now)
    }

    /// Returns the page between this position and a later reading, of at most `limit` new changes.
    #[must_use]
    pub fn advance(&self, reading: FeedReading, limit: u32) -> FeedPage {
        let Some(progress) = &self.0 else { return reading.end(Continuity::Broken) };
        if !self.continues(reading.origin.as_deref()) || reading.newest < progress.newest {
            return reading.end(Continuity::OtherHistory);
        }
        let new = reading.changes.iter().filter(|change| change.id > progress.newest).count();
        if u32::try_from(new).unwrap_or(u32::MAX) > limit {
            return reading.end(Continuity::Broken);
        }

        let FeedReading { newest, mut changes, ended, next, origin, lag } = reading;
        changes.sort_unstable_by_key(|change| change.id);
        let mut missing = progress.missing.clone();
        for number in gaps(progress.newest, &changes).take(Self::MAX_MISSING + 1) {
            missing.insert(number, next);
        }
        for change in &changes {
            missing.remove(&change.id);
        }
        let all = missing.len();
        missing.retain(|_, stamp| *stamp > ended);
        // What ended without being visible was rolled back, or was deleted after it became visible.
        let mut is_complete = missing.len() == all && progress.unsettled.is_none();
        let mut unsettled = progress.unsettled.filter(|stamp| *stamp > ended);
        if missing.len() > Self::MAX_MISSING {
            missing.clear();
            unsettled = Some(next);
            is_complete = false;
        }
        let continuity = if is_complete { Continuity::Unbroken } else { Continuity::Broken };
        let origin = origin.or_else(|| progress.origin.clone());
        let position = Self(Some(Progress { newest, missing, unsettled, origin }));
        FeedPage { changes, continuity, lag, position }
    }
}

impl FeedReading {
    /// Returns the end of the feed, as a page without changes.
    fn end(self, continuity: Continuity) -> FeedPage {
        let Self { newest, ended, next, origin, lag, changes: _ } = self;
        // Nothing is known of the lower numbers that running transactions have drawn.
        let unsettled = Some(next).filter(|next| *next > ended);
        let position = Progress { newest, missing: BTreeMap::new(), unsettled, origin };
        FeedPage { changes: Vec::new(), continuity, lag, position: FeedPosition(Some(position)) }
    }
}

/// Returns the numbers between `last` and the last change that no change has. The changes are in order.
fn gaps(last: EventId, changes: &[Change]) -> impl Iterator<Item = EventId> {
    let new = changes.iter().map(|change| change.id.0).filter(move |id| *id > last.0);
    new.scan(last.0, |before, id| {
        let gap = *before + 1..id;
        *before = id;
        Some(gap)
    })
    .flatten()
    .map(EventId)
}

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod tests;
