//! The selectors of secrets in the second form of Unleash.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The public part of a secret of the second form of Unleash, `<projects>:<environment>.v2_<selector>_<random>`: 22 characters
/// of the URL-safe alphabet of base64.
///
/// It names the token and authenticates nothing. Lists show it in place of the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenSelector(Box<str>);

/// The text is no selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a selector must be {} characters of A-Z, a-z, 0-9, _ and -", TokenSelector::CHARACTERS)]
pub struct InvalidSelector;

impl TokenSelector {
    /// The number of characters: those of 16 bytes in base64.
    pub const CHARACTERS: usize = 22;
    /// The number of random bytes in a new selector.
    pub const ENTROPY_BYTES: usize = 16;

    /// Makes a new selector from random bytes.
    pub fn mint(entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy).into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text has only characters of the URL-safe alphabet of base64.
pub(crate) fn is_base64url(text: &str) -> bool {
    text.bytes().all(is_base64url_byte)
}

/// Whether the byte is of the URL-safe alphabet of base64.
pub(crate) fn is_base64url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl FromStr for TokenSelector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        if text.len() == Self::CHARACTERS && is_base64url(text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSelector)
        }
    }
}

impl fmt::Display for TokenSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_22_characters_of_base64() {
        let minted = TokenSelector::mint([0xfb; TokenSelector::ENTROPY_BYTES]);
        assert_eq!(minted.as_str(), "-_v7-_v7-_v7-_v7-_v7-w");
        assert_eq!(minted.as_str().parse(), Ok(minted));
        for text in [
            "",
            "short",
            &"a".repeat(21),
            &"a".repeat(23),
            "aaaaaaaaaaaaaaaaaaaaa=",
            "aaaaaaaaaaaaaaaaaaaaaé",
        ] {
            assert_eq!(text.parse::<TokenSelector>(), Err(InvalidSelector), "{text}");
        }
    }
}
