//! Progress on standard error: on a terminal one line that changes, elsewhere a few lines.

use std::io::{self, IsTerminal as _};

use crate::output;

/// The number of lines without a terminal.
const PARTS: u64 = 10;

/// The progress of one operation.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether the line on the terminal is unfinished.
    is_open: bool,
    parts: u64,
}

impl Progress {
    /// Reports how much is done.
    pub(super) fn show(&mut self, what: &str, done: u64, of: u64) {
        if io::stderr().is_terminal() {
            output::redraw(format_args!("{what}: {done} of {of}"));
            self.is_open = true;
        } else if self.is_new_part(done, of) {
            output::explain(format_args!("{what}: {done} of {of}"));
        }
    }

    /// Finishes the line, so that other output can follow.
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
    fn without_a_terminal_few_lines_are_written() {
        let mut progress = Progress::default();
        let reported = (1..=10_000).filter(|done| progress.is_new_part(*done, 10_000)).count();
        assert_eq!(reported, 10);
        let mut progress = Progress::default();
        assert!(progress.is_new_part(3, 3) && !progress.is_new_part(3, 3));
        assert!(!Progress::default().is_new_part(0, 0));
    }
}
