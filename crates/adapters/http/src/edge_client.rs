//! The secret of Unleash Enterprise Edge, by which it is authenticated.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret that Unleash Enterprise Edge signs its requests with.
#[derive(Clone)]
pub struct EdgeClient(Hmac<Sha256>);

impl EdgeClient {
    /// The least number of bytes of a secret.
    pub const MIN_BYTES: usize = 32;

    /// Reads the secret: base64url without padding, as Edge takes it.
    ///
    /// # Errors
    /// [`InvalidEdgeSecret`] for other text, and for fewer than [`EdgeClient::MIN_BYTES`] bytes.
    pub fn parse(secret: &str) -> Result<Self, InvalidEdgeSecret> {
        let key = URL_SAFE_NO_PAD.decode(secret.trim_end_matches('=')).map_err(|_| InvalidEdgeSecret)?;
        if key.len() < Self::MIN_BYTES {
            return Err(InvalidEdgeSecret);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| InvalidEdgeSecret)
    }

    /// Returns the authentication code of a text, to be compared or read.
    pub(crate) fn mac(&self, text: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(text)
    }
}

impl fmt::Debug for EdgeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EdgeClient(…)")
    }
}

/// The text is no secret for Unleash Enterprise Edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must be at least 32 bytes in base64url, such as of `openssl rand -base64 32 | tr '+/' '-_' | tr -d '='`"
)]
pub struct InvalidEdgeSecret;
