//! Time and randomness, as ports so that tests control them.

use std::time::Duration;

use latchkey_domain::Timestamp;
use uuid::Uuid;

/// The clocks.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Returns the time of day, UTC. It can jump when the clock is set.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed moment in the past; it never goes back. For measuring durations.
    fn monotonic(&self) -> Duration;
}

/// Random bytes fit for secrets.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// Values made of random bytes.
pub trait EntropyExt {
    /// Returns that many random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];

    /// Returns a random UUID (version 4, RFC 9562 section 5.4).
    fn uuid(&self) -> Uuid;
}

impl<E: Entropy + ?Sized> EntropyExt for E {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}
