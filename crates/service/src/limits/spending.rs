//! Why a use is not counted.

use latchkey_domain::Reason;
use latchkey_ports::StoreError;

use crate::{RateLeft, Refusal};

/// Why a use was not counted, so that the token cannot be accepted.
#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The refusal of a token that was used as often as it may be for now.
pub(super) fn rate_limited(left: RateLeft) -> Refusal {
    let message = "This token was used as often as its rateLimit allows. Wait for the next window.";
    Refusal { rate: Some(Box::new(left)), ..Refusal::new(Reason::RateLimited, message) }
}

/// The refusal of a token that was used as often as it may be.
pub(super) fn no_uses_left(left: u64) -> Refusal {
    let message = match left {
        0 => "This token has no uses left.".to_owned(),
        left => format!("This token has fewer uses left than are needed: {left}."),
    };
    Refusal::new(Reason::NoUsesLeft, message)
}

/// The error of a token that was removed a moment ago, or of the store.
pub(super) fn not_spent(error: StoreError) -> SpendError {
    match error {
        StoreError::NotFound(_) => SpendError::Refused(Reason::Unknown.into()),
        error => SpendError::Store(error),
    }
}
