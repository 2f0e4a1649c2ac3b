//! How a page of a list is asked for.

use latchkey_ports::Page;

/// The most rows of a page; more than any list has where all are asked for.
pub(crate) fn limit(page: Page) -> i64 {
    page.limit.unwrap_or(u32::MAX).into()
}

/// How many rows are passed over.
pub(crate) fn offset(page: Page) -> i64 {
    i64::try_from(page.offset).unwrap_or(i64::MAX)
}
