//! A part of a list.

use latchkey_ports::Page;

/// The entries of that page.
pub(crate) fn page_of<T>(entries: impl Iterator<Item = T>, page: Page) -> Vec<T> {
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let limit = page.limit.map_or(usize::MAX, in_memory);
    entries.skip(offset).take(limit).collect()
}

/// A number of entries; more than there can be, where it is larger than memory.
pub(crate) fn in_memory(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// How many there are.
pub(crate) fn count<T>(entries: impl Iterator<Item = T>) -> u64 {
    u64::try_from(entries.count()).unwrap_or(u64::MAX)
}
