//! Pages of lists.

use latchkey_ports::Page;

/// The largest number of rows of a page.
pub(crate) fn page_limit(page: Page) -> i64 {
    page.limit.unwrap_or(u32::MAX).into()
}

/// The number of rows before a page.
pub(crate) fn page_offset(page: Page) -> i64 {
    i64::try_from(page.offset).unwrap_or(i64::MAX)
}
