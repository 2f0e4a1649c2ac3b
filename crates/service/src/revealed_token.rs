//! Tokens as they are shown.

use latchkey_domain::{ApiToken, Timestamp, TokenSecret};

/// A token with its secret, if that can be shown.
#[derive(Debug)]
pub struct RevealedToken {
    pub token: ApiToken,
    /// Its secret; `None` if it cannot be shown again.
    pub secret: Option<TokenSecret>,
    /// The alias by which it authenticates too.
    pub alias: Option<TokenSecret>,
    /// Whether the secret cannot be shown again.
    pub secure: bool,
    /// Until when the secret before it is good, if it was replaced just now.
    pub previous_secret_until: Option<Timestamp>,
    /// How many uses it has left, if that is limited and was asked; as many as were set otherwise.
    pub uses_left: Option<u64>,
}
