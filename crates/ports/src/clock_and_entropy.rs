//! Time and randomness, which come in from outside so that tests decide them.

use std::time::Duration;

use latchkey_domain::Timestamp;
use uuid::Uuid;

/// What time it is.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time of day, UTC. May jump when somebody sets the clock.
    fn now(&self) -> Timestamp;

    /// The time since some fixed moment in the past; never jumps back. For measuring spans.
    fn monotonic(&self) -> Duration;
}

/// Random bytes fit for secrets.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// What is made of random bytes.
pub trait EntropyExt {
    /// That many random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];

    /// A random UUID (version 4, RFC 9562 section 5.4).
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
