//! What can be recorded of a token again and again.

use latchkey_domain::Timestamp;

/// A record of a token.
pub(super) trait Record: Clone + Send {
    /// Adds another record of the same token.
    fn add(&mut self, other: Self);
}

/// The last use.
impl Record for Timestamp {
    fn add(&mut self, other: Self) {
        *self = other.max(*self);
    }
}
