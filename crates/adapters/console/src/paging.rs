//! Lists in pages of 50, which begin where their address says.

use latchkey_ports::Page;

use crate::frame::query_value;

/// How many entries a page shows.
pub(crate) const SHOWN: u32 = 50;
/// Where a list ends, so that what an address says can be counted on from.
const MAX_OFFSET: u64 = 1_000_000_000;

/// The part of a list that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    /// How many entries are before it.
    pub(crate) offset: u64,
    shown: u64,
    pub(crate) has_more: bool,
}

/// Returns where the page begins that an address asks for.
pub(crate) fn offset(target: &str) -> u64 {
    query_value(target, "offset").and_then(|offset| offset.parse().ok()).unwrap_or(0).min(MAX_OFFSET)
}

/// Returns what is asked for of a list: one entry more than is shown says whether there are more.
pub(crate) fn asked(offset: u64) -> Page {
    Page { limit: Some(SHOWN + 1), offset }
}

impl Paging {
    /// Cuts what was found to what is shown.
    pub(crate) fn cut<T>(found: &mut Vec<T>, offset: u64) -> Self {
        let most = usize::try_from(SHOWN).unwrap_or(usize::MAX);
        let has_more = found.len() > most;
        found.truncate(most);
        Self { has_more, ..Self::whole(found, offset) }
    }

    /// The paging of a list that ends with what was found.
    pub(crate) fn whole<T>(found: &[T], offset: u64) -> Self {
        Self { offset, shown: u64::try_from(found.len()).unwrap_or(u64::MAX), has_more: false }
    }

    /// Whether there is anything before or after it.
    pub(crate) fn is_part(&self) -> bool {
        self.offset > 0 || self.has_more
    }

    /// Returns the places of the first and the last entry that are shown, from 1; `None` if none is.
    pub(crate) fn places(&self) -> Option<(u64, u64)> {
        (self.shown > 0).then_some((self.offset + 1, self.offset.saturating_add(self.shown)))
    }

    /// Returns where the page before begins.
    pub(crate) fn before(&self) -> u64 {
        self.offset.saturating_sub(SHOWN.into())
    }

    /// Returns where the next page begins.
    pub(crate) fn next(&self) -> u64 {
        self.offset.saturating_add(SHOWN.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_more_than_is_shown_says_that_there_are_more() {
        let mut found: Vec<_> = (0..=SHOWN).collect();
        let paging = Paging::cut(&mut found, 50);
        assert_eq!((found.len(), paging.has_more, paging.places()), (50, true, Some((51, 100))));
        assert_eq!((paging.before(), paging.next()), (0, 100));
        let last = Paging::cut(&mut found, 0);
        assert!(!last.is_part() && Paging::whole::<u8>(&[], 50).places().is_none());
        assert_eq!((offset("/?offset=7"), offset("/?offset=x"), offset("/")), (7, 0, 0));
    }
}
