//! The secret with which what a webhook sends is signed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// The secret of a webhook, in the form of Standard Webhooks: `whsec_` and random bytes in base64.
///
/// Its `Debug` is redacted, and it has no `Display` and no serialization; [`WebhookSecret::reveal`] is the one way to read it.
#[derive(Clone)]
pub struct WebhookSecret(SecretString);

impl WebhookSecret {
    /// The number of random bytes in a new secret: 192 bits.
    pub const ENTROPY_BYTES: usize = 24;
    const PREFIX: &str = "whsec_";

    /// Makes a new secret from random bytes.
    pub fn mint(entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        Self(format!("{}{}", Self::PREFIX, STANDARD.encode(entropy)).into())
    }

    /// Reads a secret that was unsealed; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix(Self::PREFIX)?).ok()?;
        (!key.is_empty()).then(|| Self(text.into()))
    }

    /// Returns the secret in the clear. To be called only where it is sealed, signs, or is shown to the caller that created it.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_not_shown() {
        let secret = WebhookSecret::mint([7; 24]);
        assert_eq!(secret.reveal(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH");
        assert_eq!(WebhookSecret::parse(secret.reveal()).expect("one").reveal(), secret.reveal());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        for bad in ["", "whsec_", "BwcH", "whsec_%", "whsec_B"] {
            assert!(WebhookSecret::parse(bad).is_none(), "{bad}");
        }
    }
}
