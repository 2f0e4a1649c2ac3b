//! Where a form is that creates an entry of a list or changes one.

use std::fmt::Display;

/// Where a form is.
pub(super) struct Place {
    /// Where the list is.
    pub(super) list: &'static str,
    /// Where the page of the entry is; `None` if it is a new one.
    entry: Option<String>,
}

impl Place {
    /// Returns the place of the form for an entry, or for a new one.
    pub(super) fn of(list: &'static str, entry: Option<impl Display>) -> Self {
        Self { list, entry: entry.map(|id| format!("{list}/{id}")) }
    }

    /// Returns where the form is sent.
    pub(super) fn action(&self) -> String {
        match &self.entry {
            Some(entry) => format!("{entry}/edit"),
            None => format!("{}/new", self.list),
        }
    }

    /// Returns the page to go back to.
    pub(super) fn back(&self) -> &str {
        self.entry.as_deref().unwrap_or(self.list)
    }
}
