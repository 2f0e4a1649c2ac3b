//! Verifies the chain: that every sealed event is as it was sealed, and every seal was made with a master key.

use std::cmp::Ordering;

use latchkey_domain::{ChainHash, EventId, Timestamp};
use latchkey_ports::{EventSeal, Settlement, StoreError};

use super::{
    AuditSeals,
    sealed_events::{Portion, SealedEvents},
};

/// How many seals are read at once.
const SEALS_AT_ONCE: u32 = 500;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SealReport {
    /// The number of seals whose events were verified, and of those events.
    pub seals: u64,
    pub events: u64,
    /// Where the chain begins: the last event that the retention removed, and the latest time of those before it.
    pub removed_up_to: Option<(EventId, Timestamp)>,
    /// Events that the retention is about to remove; they are not verified.
    pub leaving: u64,
    /// Events after the last seal; they are not verified.
    pub unsealed: u64,
    /// The last sealed event, and the hash of the chain there. Kept elsewhere, it tells later whether the chain was cut off.
    pub head: Option<(EventId, ChainHash)>,
    pub faults: Vec<SealFault>,
}

/// What is wrong with the events of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealFault {
    /// The range of numbers in which it is.
    pub first: EventId,
    pub last: EventId,
    pub kind: SealFaultKind,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealFaultKind {
    /// An event is not as it was sealed.
    Altered,
    /// An event was removed, or a seal.
    Removed,
    /// There is an event that was not there when the others were sealed.
    Added,
    /// The seal was not made with the master key that it names, or was altered.
    BadMac,
    /// The newest seal was made with a master key that is not configured, so that nothing vouches for the chain.
    UnknownKey,
    /// No seal has the hash that was noted: the chain was cut, or made anew, or the retention has removed that part.
    NoSuchHead,
}

impl SealFaultKind {
    /// Returns its name, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Removed => "removed",
            Self::Added => "added",
            Self::BadMac => "bad-mac",
            Self::UnknownKey => "unknown-key",
            Self::NoSuchHead => "no-such-head",
        }
    }
}

/// A verification on its way.
struct Chain<'s> {
    seals: &'s AuditSeals,
    events: SealedEvents<'s>,
    /// The newest seal. What comes later is not verified.
    end: &'s EventSeal,
    /// The last seal that was looked at.
    before: Option<EventSeal>,
    report: SealReport,
}

impl AuditSeals {
    /// Verifies all seals, and that one of them has the hash that was noted.
    ///
    /// # Errors
    /// If seals or events cannot be read.
    pub async fn verify(&self, noted: Option<ChainHash>) -> Result<SealReport, StoreError> {
        let Some(end) = self.events.newest_seal().await? else {
            let unsealed = self.count_after(EventId(0)).await?;
            let faults = noted.map(|_| no_such_head(EventId(0))).into_iter().collect();
            return Ok(SealReport { unsealed, faults, ..SealReport::default() });
        };
        let events = SealedEvents::up_to(&*self.events, end.last);
        let mut chain = Chain { seals: self, events, end: &end, before: None, report: SealReport::default() };
        let mut is_noted = noted.is_none();
        loop {
            let last = chain.before.as_ref().map_or(EventId(0), |seal| seal.last);
            let seals = self.events.seals_after(last, SEALS_AT_ONCE).await?;
            let Some(newest) = seals.last() else { break };
            let is_last = newest.last >= end.last;
            for seal in seals.into_iter().filter(|seal| seal.last <= end.last) {
                is_noted |= noted == Some(seal.hash);
                chain.check(seal).await?;
            }
            if is_last {
                break;
            }
        }
        let mut report = chain.report;
        if !report.faults.is_empty() {
            // What the retention has removed meanwhile is no fault.
            let oldest = self.events.seals_after(EventId(0), 1).await?;
            let removed = oldest.first().filter(|seal| seal.previous > EventId(0)).map(|seal| seal.last);
            report.faults.retain(|fault| removed.is_none_or(|removed| fault.last > removed));
        }
        report.faults.extend((!is_noted).then(|| no_such_head(end.last)));
        report.head = Some((end.last, end.hash));
        report.unsealed = self.count_after(end.last).await?;
        Ok(report)
    }

    async fn count_after(&self, mut last: EventId) -> Result<u64, StoreError> {
        let settlement = Settlement::default();
        let mut all = 0;
        loop {
            let read = self.events.settled_events(last, &settlement, Self::MAX).await?;
            let Some(newest) = read.events.last() else { return Ok(all) };
            last = newest.id;
            all += number(read.events.len());
        }
    }
}

impl Chain<'_> {
    async fn check(&mut self, seal: EventSeal) -> Result<(), StoreError> {
        let portion = match &self.before {
            None if seal.previous > EventId(0) => return self.begin_at(seal).await,
            Some(before) if seal.previous != before.last => {
                // What was before it cannot be known, so that its own events cannot be verified either.
                let (before, first) = (before.last, EventId(before.last.0 + 1));
                self.fault(
                    first,
                    seal.last,
                    if seal.previous > before { SealFaultKind::Removed } else { SealFaultKind::Added },
                );
                self.events.next(seal.last).await?;
                self.check_mac(&seal);
                self.before = Some(seal);
                return Ok(());
            }
            _ => self.events.next(seal.last).await?,
        };
        let hash = self.before.as_ref().map_or(ChainHash::START, |before| before.hash);
        if let Some(kind) = fault_of(&portion, &hash, &seal) {
            self.fault(EventId(seal.previous.0 + 1), seal.last, kind);
        }
        self.report.seals += 1;
        self.report.events += number(portion.events.len());
        self.check_mac(&seal);
        self.before = Some(seal);
        Ok(())
    }

    /// Begins at a seal whose events the retention has removed.
    async fn begin_at(&mut self, seal: EventSeal) -> Result<(), StoreError> {
        let Portion { events, .. } = self.events.next(seal.last).await?;
        // The newest event of all stays.
        let leaving = events.iter().filter(|event| event.id < self.end.last);
        self.report.leaving = number(leaving.count());
        self.report.removed_up_to = Some((seal.last, seal.newest_at));
        self.check_mac(&seal);
        self.before = Some(seal);
        Ok(())
    }

    fn check_mac(&mut self, seal: &EventSeal) {
        let kind = match self.seals.sealer.is_mac(seal.key, &seal.message(), &seal.mac) {
            Some(true) => return,
            Some(false) => SealFaultKind::BadMac,
            // A later seal vouches for it.
            None if seal.last < self.end.last => return,
            None => SealFaultKind::UnknownKey,
        };
        self.fault(EventId(seal.previous.0 + 1), seal.last, kind);
    }

    fn fault(&mut self, first: EventId, last: EventId, kind: SealFaultKind) {
        self.report.faults.push(SealFault { first, last, kind });
    }
}

/// Returns what is wrong with the events of a seal.
fn fault_of(portion: &Portion, before: &ChainHash, seal: &EventSeal) -> Option<SealFaultKind> {
    if portion.has_unreadable {
        return Some(SealFaultKind::Altered);
    }
    if before.link(&portion.events) == seal.hash {
        return None;
    }
    Some(match number(portion.events.len()).cmp(&seal.events) {
        Ordering::Less => SealFaultKind::Removed,
        Ordering::Equal => SealFaultKind::Altered,
        Ordering::Greater => SealFaultKind::Added,
    })
}

fn no_such_head(last: EventId) -> SealFault {
    SealFault { first: EventId(1), last, kind: SealFaultKind::NoSuchHead }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
