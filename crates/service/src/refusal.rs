//! Refusals of tokens.

use std::time::Duration;

use latchkey_domain::{Reason, Timestamp};

/// Why a token was refused, and what its holder is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub reason: Reason,
    /// A sentence.
    pub message: String,
    /// What is left of the window, if the rate limit is the reason.
    pub rate: Option<Box<RateLeft>>,
}

/// What is left of a window of a rate limit, as far as this process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLeft {
    /// The requests of each window.
    pub limit: u32,
    pub remaining: u64,
    /// When the next window begins.
    pub resets_at: Timestamp,
    pub resets_in: Duration,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), rate: None }
    }
}

/// That of credentials that were refused whatever is required of them.
impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let message = match reason {
            Reason::Expired => "This token has expired. Send one that is valid.",
            Reason::Disabled => "This token is disabled. Let its owner enable it, or send one that is valid.",
            Reason::Network => {
                "This token is not accepted from this address, because its allowedNetworks are others."
            }
            _ => "This token is unknown or revoked. Send one that is valid.",
        };
        Self::new(reason, message)
    }
}
