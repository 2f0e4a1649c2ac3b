//! Waiting for a condition, which fails with the condition's name after half a minute.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose condition does not come true fails"
)]

use std::{thread, time::Duration};

const PAUSE: Duration = Duration::from_millis(10);
const ATTEMPTS: u32 = 3_000;

/// Repeats the attempt until it returns a value.
#[track_caller]
pub fn until<T>(what: &str, attempt: impl FnMut() -> Option<T>) -> T {
    let found = try_until(attempt);
    found.unwrap_or_else(|| panic!("timed out after {:?}: {what}", PAUSE * ATTEMPTS))
}

/// Waits until the condition holds.
#[track_caller]
pub fn until_true(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || holds().then_some(()));
}

/// Repeats the attempt until it returns a value, for half a minute at most.
pub fn try_until<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = attempt() {
            return Some(found);
        }
        thread::sleep(PAUSE);
    }
    None
}
