//! A master key.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hkdf::Hkdf;
use latchkey_domain::Hex;
use latchkey_ports::{Entropy, KeyId};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The purpose of a derived key. Each has its own text, so that the derived keys are independent.
///
/// The texts are part of the format of every store: changing one makes all stored digests and sealed copies unreadable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    KeyId,
    Digest,
    Seal,
    SealBytes,
    EventSeal,
}

impl Purpose {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::KeyId => b"latchkey/v1/key-id",
            Self::Digest => b"latchkey/v1/digest",
            Self::Seal => b"latchkey/v1/seal",
            Self::SealBytes => b"latchkey/v1/seal-bytes",
            Self::EventSeal => b"latchkey/v1/event-seal",
        }
    }
}

/// 32 secret bytes from which the keys for digests and sealed copies are derived.
///
/// It is wiped from memory when dropped, and neither `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; MasterKey::BYTES]>,
    id: KeyId,
}

/// Why a text is not a master key. The message never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    #[error("a master key must not be empty")]
    Empty,
    /// Neither hex nor base64.
    #[error("a master key must be written as 64 hex digits or in base64")]
    Notation,
    /// Not 32 bytes; holds the actual number.
    #[error("a master key must have 32 bytes, this one has {0}")]
    Length(usize),
}

impl MasterKey {
    /// The size of a key in bytes.
    pub const BYTES: usize = 32;

    /// Parses a key of 64 hex digits in either case, or from base64 (standard or URL-safe alphabet, padded or not).
    /// Surrounding blanks are ignored. The notations cannot be confused: 32 bytes have 43 or 44 base64 characters.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        let bytes = if text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() != 43 {
            from_hex(text)
        } else {
            from_base64(text)
        };
        let bytes = bytes.ok_or(InvalidKey::Notation)?;
        let mut key = Zeroizing::new([0; Self::BYTES]);
        if bytes.len() != key.len() {
            return Err(InvalidKey::Length(bytes.len()));
        }
        key.copy_from_slice(&bytes);
        Ok(Self::from_bytes(key))
    }

    /// Returns a new key of random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        entropy.fill(bytes.as_mut());
        Self::from_bytes(bytes)
    }

    /// Returns the id of the key, which is stored with everything that was made with it. It is derived from the key
    /// under a purpose of its own, so that it reveals nothing about the key or the other derived keys.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the key as 64 lower-case hex digits, which [`MasterKey::parse`] reads: for a key file, or for the
    /// operator who generates a key.
    pub fn to_hex(&self) -> SecretString {
        // The capacity is exact, so that a growing buffer leaves no copy behind.
        let mut text = String::with_capacity(2 * Self::BYTES);
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{}", Hex(&*self.bytes));
        text.into()
    }

    /// Derives the key for one purpose: HKDF-SHA-256 (RFC 5869) without salt.
    pub(crate) fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        derive(&self.bytes, purpose)
    }

    fn from_bytes(bytes: Zeroizing<[u8; Self::BYTES]>) -> Self {
        let [a, b, c, d, ..] = *derive(&bytes, Purpose::KeyId);
        Self { bytes, id: KeyId([a, b, c, d]) }
    }
}

/// Shows the id only.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA-256 refuses more than 8160 bytes; these are 32")]
fn derive(master: &[u8; 32], purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, master).expand(purpose.info(), key.as_mut()).expect("32 bytes can be derived");
    key
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.as_bytes().chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::SystemEntropy;

    /// The bytes 0, 1, … 31.
    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn the_derivation_of_the_id_is_fixed() {
        // python3: `hkdf` as in `sealer::tests`, `hkdf(bytes(range(32)), b"latchkey/v1/key-id")[:4].hex()`
        let key = MasterKey::parse(HEX).expect("a key");
        assert_eq!(key.id().to_string(), "c52838b6");
    }

    #[test]
    fn all_notations_of_a_key_are_read() {
        let key = MasterKey::parse(HEX).expect("a key");
        for text in [
            HEX.to_uppercase().as_str(),
            &format!("  {HEX}\r\n"),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ] {
            assert!(MasterKey::parse(text) == Ok(key.clone()), "{text}");
        }
        let [standard, url_safe] = ["+/+/", "-_-_"]
            .map(|part| MasterKey::parse(&format!("{}8=", part.repeat(11).split_at(42).0)).expect("a key"));
        assert_eq!(standard, url_safe);
        // 43 characters that are all hex digits: base64 without padding.
        assert!(MasterKey::parse(&"A".repeat(43)).is_ok());
    }

    #[test]
    fn an_invalid_key_is_refused_and_not_repeated() {
        let error = |text: &str| MasterKey::parse(text).expect_err("no key");
        assert_eq!(error(" \n"), InvalidKey::Empty);
        assert_eq!(error(&HEX[..62]), InvalidKey::Length(31));
        assert_eq!(error(&format!("{HEX}00")), InvalidKey::Length(33));
        assert_eq!(error(&HEX[..63]), InvalidKey::Notation);
        assert_eq!(error("correct horse battery staple"), InvalidKey::Notation);
        assert_eq!(error("c2hvcnRzaG9ydA=="), InvalidKey::Length(10));
        assert_eq!(error("ключ"), InvalidKey::Notation);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = MasterKey::parse(HEX).expect("a key");
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
    }

    #[test]
    fn generated_keys_differ() {
        assert_ne!(MasterKey::generate(&SystemEntropy), MasterKey::generate(&SystemEntropy));
    }

    proptest! {
        #[test]
        fn a_key_is_read_back_from_its_hex(bytes: [u8; 32]) {
            let key = MasterKey::from_bytes(Zeroizing::new(bytes));
            let text = key.to_hex();
            prop_assert_eq!(MasterKey::parse(text.expose_secret()), Ok(key));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,80}") {
            let _ = MasterKey::parse(&text);
        }
    }
}
