//! Waiting for something to come true, and failing with its name where it does not.

use std::{thread, time::Duration};

const PAUSE: Duration = Duration::from_millis(25);
const ATTEMPTS: u32 = 1_200;

/// Tries until there is something; half a minute without it is a failure.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..ATTEMPTS {
        if let Some(found) = attempt() {
            return found;
        }
        thread::sleep(PAUSE);
    }
    panic!("in vain after {:?}: {what}", PAUSE * ATTEMPTS)
}

/// Waits until it holds.
#[track_caller]
pub(crate) fn until_true(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || holds().then_some(()));
}
