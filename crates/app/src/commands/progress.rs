//! How far something is, on standard error: one line that changes on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal as _};

use crate::output;

/// Elsewhere than on a terminal, a line for each of so many parts of the whole.
const PARTS: u64 = 10;

/// A line that is being shown.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether a line on a terminal has no end yet.
    is_open: bool,
    /// How many parts were told.
    parts: u64,
}

impl Progress {
    /// Says how much is done.
    pub(super) fn show(&mut self, what: &str, done: u64, of: u64) {
        if io::stderr().is_terminal() {
            output::redraw(format_args!("{what}: {done} of {of}"));
            self.is_open = true;
        } else if self.is_new_part(done, of) {
            output::explain(format_args!("{what}: {done} of {of}"));
        }
    }

    /// Ends the line, so that something else can be said.
    pub(super) fn interrupt(&mut self) {
        if std::mem::take(&mut self.is_open) {
            output::explain("");
        }
    }

    fn is_new_part(&mut self, done: u64, of: u64) -> bool {
        let parts = done.saturating_mul(PARTS) / of.max(1);
        let is_new = parts > self.parts;
        self.parts = parts;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elsewhere_than_on_a_terminal_few_lines_are_written() {
        let mut progress = Progress::default();
        let told = (1..=10_000).filter(|done| progress.is_new_part(*done, 10_000)).count();
        assert_eq!(told, 10);
        let mut progress = Progress::default();
        assert!(progress.is_new_part(3, 3) && !progress.is_new_part(3, 3));
        assert!(!Progress::default().is_new_part(0, 0));
    }
}
