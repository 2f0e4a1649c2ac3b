//! Secrets: their format, and a type that does not leak them.
//!
//! A new secret is a prefix (`<projects>:<environment>.`, `user:` for a personal token), 192 random bits in base62, and
//! six characters of a CRC-32 over everything before them, by which a leak scanner can recognize a real secret offline.
//! Any other text can be a legacy secret, so only [`TokenSecret::prefix`] reads the format. The checksum is public and
//! proves nothing.
//!
//! The second form of Unleash (8.1) is the same prefix, then `v2_<selector>_<random>`: 16 random bytes that name the token
//! ([`TokenSelector`]), and 32 that do not, both in the URL-safe alphabet of base64.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::{SecretPrefix, TokenAccess, TokenSelector, UnreadablePrefix, selector::is_base64url};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^33 > 2^192: all of the entropy fits.
pub(crate) const RANDOM_CHARACTERS: usize = 33;
/// 62^6 > 2^32.
pub(crate) const CHECKSUM_CHARACTERS: usize = 6;
/// What the secret of a session begins with.
pub(crate) const SESSION_PREFIX: &str = "session:";
/// What follows the prefix in the second form of Unleash.
pub(crate) const V2_MARK: &str = "v2_";
/// The random part of that form: 32 bytes in base64.
const V2_RANDOM_CHARACTERS: usize = 43;
/// What follows the prefix and the mark in that form: selector, `_`, random part.
pub(crate) const V2_TAIL_CHARACTERS: usize = TokenSelector::CHARACTERS + 1 + V2_RANDOM_CHARACTERS;
/// How many characters a masked secret shows of what follows its prefix.
const SHOWN_CHARACTERS: usize = 3;

/// The secret of an API token, a personal access token or a session.
///
/// Its `Debug` is redacted, and it has no `Display` and no serialization; [`TokenSecret::reveal`] is the one way to
/// read it.
#[derive(Clone)]
pub struct TokenSecret(SecretString);

/// Why a text cannot be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error("a secret must not be empty")]
    Empty,
    /// More than [`TokenSecret::MAX_BYTES`].
    #[error("a secret must have at most 1024 bytes")]
    TooLong,
    /// A blank or control character, which a header cannot carry unchanged.
    #[error("a secret must not contain blanks or control characters")]
    Unprintable,
}

impl TokenSecret {
    /// The maximum length, in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// What the secret of a personal access token begins with.
    pub const PERSONAL_PREFIX: &str = "user:";
    /// The number of random bytes in a new secret: 192 bits.
    pub const ENTROPY_BYTES: usize = 24;
    /// The number of random bytes in a new secret of the second form of Unleash, beside those of its selector.
    pub const V2_ENTROPY_BYTES: usize = 32;

    /// Accepts any text as a secret: one in our format, or a legacy one.
    ///
    /// # Errors
    /// [`InvalidSecret`] for a text that an `Authorization` header cannot carry.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if text.is_empty() {
            Err(InvalidSecret::Empty)
        } else if text.len() > Self::MAX_BYTES {
            Err(InvalidSecret::TooLong)
        } else if !is_graphic(text) && text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            Err(InvalidSecret::Unprintable)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// Makes a new secret for a token of that access from random bytes.
    pub fn mint(access: &TokenAccess, entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        Self::with_prefix(&SecretPrefix::of(access).to_string(), entropy)
    }

    /// Makes a new secret of the second form of Unleash for a token of that access and selector from random bytes.
    pub fn mint_v2(
        access: &TokenAccess,
        selector: &TokenSelector,
        entropy: [u8; Self::V2_ENTROPY_BYTES],
    ) -> Self {
        let random = URL_SAFE_NO_PAD.encode(entropy);
        Self(format!("{}{V2_MARK}{selector}_{random}", SecretPrefix::of(access)).into())
    }

    /// Makes a new secret for a personal access token (`user:…`) from random bytes.
    pub fn mint_personal(entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        Self::with_prefix(Self::PERSONAL_PREFIX, entropy)
    }

    /// Makes a new secret for a session's cookie (`session:…`) from random bytes.
    pub fn mint_session(entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        Self::with_prefix(SESSION_PREFIX, entropy)
    }

    fn with_prefix(prefix: &str, entropy: [u8; Self::ENTROPY_BYTES]) -> Self {
        let mut text = String::with_capacity(prefix.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS);
        text.push_str(prefix);
        push_base62(&mut text, entropy, RANDOM_CHARACTERS);
        let checksum = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, checksum.to_be_bytes(), CHECKSUM_CHARACTERS);
        Self(text.into())
    }

    /// Returns the secret in the clear. To be called only where it is digested, sealed, parsed, or shown to its owner.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the length in characters (Unicode scalar values).
    pub fn characters(&self) -> usize {
        self.reveal().chars().count()
    }

    /// Whether this is, by its prefix, the secret of a personal access token.
    pub fn is_personal(&self) -> bool {
        self.reveal().starts_with(Self::PERSONAL_PREFIX)
    }

    /// Whether this is, by its prefix, the secret of a session, which is accepted in a cookie only.
    pub fn is_session(&self) -> bool {
        self.reveal().starts_with(SESSION_PREFIX)
    }

    /// Whether the secret ends in a valid checksum, as every secret in our format does.
    pub fn has_valid_checksum(&self) -> bool {
        ends_in_checksum(self.reveal())
    }

    /// Returns what may be shown of the secret to recognize it: its prefix and three characters, or nothing of a legacy one.
    pub fn masked(&self) -> String {
        let hidden = if self.has_valid_checksum() {
            RANDOM_CHARACTERS + CHECKSUM_CHARACTERS - SHOWN_CHARACTERS
        } else if self.selector().is_some() {
            V2_TAIL_CHARACTERS - SHOWN_CHARACTERS
        } else {
            self.reveal().len()
        };
        let shown = self.reveal().len().saturating_sub(hidden);
        format!("{}…", self.reveal().get(..shown).unwrap_or_default())
    }

    /// Returns the selector of a secret in the second form of Unleash; `None` for any other. What stands before the `.` does not
    /// matter.
    pub fn selector(&self) -> Option<TokenSelector> {
        const TAIL: usize = 1 + V2_MARK.len() + V2_TAIL_CHARACTERS;
        let text = self.reveal();
        let (_, tail) = text.split_at_checked(text.len().checked_sub(TAIL)?)?;
        let rest = tail.strip_prefix('.')?.strip_prefix(V2_MARK)?;
        let (selector, random) = rest.split_at_checked(TokenSelector::CHARACTERS)?;
        let random = random.strip_prefix('_')?;
        is_base64url(random).then(|| selector.parse().ok()).flatten()
    }

    /// Returns the projects and the environment that the secret's prefix names.
    pub fn prefix(&self) -> Result<SecretPrefix, UnreadablePrefix> {
        SecretPrefix::read(self.reveal(), self.has_valid_checksum() || self.selector().is_some())
    }
}

/// Redacted.
impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret([REDACTED])")
    }
}

/// Whether the text ends in a random part and the checksum of everything before.
pub(crate) fn ends_in_checksum(text: &str) -> bool {
    let Some((checked, checksum)) = text.split_at_checked(text.len().saturating_sub(CHECKSUM_CHARACTERS))
    else {
        return false;
    };
    let random = checked.bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
    random >= RANDOM_CHARACTERS
        && from_base62(checksum) == Some(u64::from(crc32fast::hash(checked.as_bytes())))
}

/// Returns the number that up to ten digits write.
fn from_base62(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        Some(number * 62 + u64::from(value))
    })
}

fn push_base62<const N: usize>(text: &mut String, mut number: [u8; N], width: usize) {
    let mut digits = vec![0_u8; width];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut number {
            let dividend = remainder << 8 | u16::from(*byte);
            // The quotient of a number below 62 * 256 by 62 fits a byte.
            *byte = u8::try_from(dividend / 62).unwrap_or(u8::MAX);
            remainder = dividend % 62;
        }
        *digit = ALPHABET.get(usize::from(remainder)).copied().unwrap_or(b'0');
    }
    text.extend(digits.into_iter().map(char::from));
}

/// Looks at all bytes without an early exit, so that the compiler can check many at once.
fn is_graphic(text: &str) -> bool {
    text.bytes().fold(true, |so_far, byte| so_far & byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, TokenKind};

    fn access() -> impl Strategy<Value = TokenAccess> {
        let id = "[A-Za-z0-9_~.-]{1,12}";
        let scope = prop_oneof![
            Just(ProjectScope::All),
            prop::collection::vec(id, 1..3).prop_map(|ids| {
                let ids = ids.iter().map(|id| ProjectId::new(id).expect("the pattern is an id"));
                ProjectScope::Only(ProjectSet::new(ids).expect("not empty"))
            }),
        ];
        prop_oneof![
            Just(TokenAccess::Admin),
            (scope, id).prop_map(|(projects, environment)| {
                let environment = EnvironmentName::new(&environment).expect("the pattern is a name");
                TokenAccess::new(TokenKind::Client, projects, EnvironmentScope::Only(environment))
                    .expect("a scope")
            }),
        ]
    }

    #[test]
    fn a_new_secret_is_prefix_random_part_and_checksum() {
        let secret = TokenSecret::mint(&TokenAccess::Admin, [0; 24]);
        let (prefix, random) = secret.reveal().split_at(4);
        assert_eq!(prefix, "*:*.");
        assert_eq!(random.len(), 39);
        assert!(random.starts_with(&"0".repeat(33)));
        assert!(secret.has_valid_checksum());
        let most = TokenSecret::mint_personal([0xff; 24]);
        assert!(most.is_personal() && most.has_valid_checksum());
        assert_eq!(most.reveal().len(), 5 + 39);
    }

    #[test]
    fn only_the_whole_second_form_has_a_selector() {
        let (selector, random) = ("S".repeat(22), "R".repeat(43));
        let selector_of = |text: &str| TokenSecret::parse(text).expect("a secret").selector();
        for prefix in ["*:development", "[]:e.v2", "", "a:b:c"] {
            let found = selector_of(&format!("{prefix}.v2_{selector}_{random}"));
            assert_eq!(found.expect("a selector").as_str(), selector, "{prefix}");
        }
        for text in [
            format!("v2_{selector}_{random}"),
            format!("user:v2_{selector}_{random}"),
            format!("p:e.v2_{selector}_{random}R"),
            format!("p:e.v2_{selector}-{random}"),
            format!("p:e.v1_{selector}_{random}"),
            format!("p:e.v2_{selector}_{}é", "R".repeat(41)),
            format!("p:e.v2_{}é_{random}", "S".repeat(20)),
            format!("é.v2_{selector}_{}", "R".repeat(42)),
            selector.clone(),
        ] {
            assert_eq!(selector_of(&text), None, "{text}");
        }
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let secret = TokenSecret::parse("hush-hush").expect("a legacy secret");
        assert!(!format!("{secret:?}").contains("hush"));
    }

    #[test]
    fn a_masked_secret_shows_its_prefix_and_three_characters() {
        let masked = |text: &str| TokenSecret::parse(text).expect("a secret").masked();
        let minted = TokenSecret::mint(&TokenAccess::Admin, [0; 24]);
        assert_eq!(minted.masked(), "*:*.000…");
        assert_eq!(TokenSecret::mint_personal([0; 24]).masked(), "user:000…");
        let (selector, random) = ("S".repeat(22), "R".repeat(43));
        assert_eq!(masked(&format!("p:e.v2_{selector}_{random}")), "p:e.v2_SSS…");
        for legacy in ["x", "default:development.abcdef", "é-legacy"] {
            assert_eq!(masked(legacy), "…");
        }
    }

    #[test]
    fn legacy_secrets_have_any_shape() {
        for text in
            ["x", "legacyadmin", "default:development.abc", "é:*.unleash4all", "user:", &"s".repeat(1024)]
        {
            let secret = TokenSecret::parse(text).expect("a legacy secret");
            assert_eq!(secret.reveal(), text);
            assert!(!secret.has_valid_checksum());
        }
        assert_eq!(TokenSecret::parse("").err(), Some(InvalidSecret::Empty));
        assert_eq!(TokenSecret::parse(&"s".repeat(1025)).err(), Some(InvalidSecret::TooLong));
        for text in ["a b", "a\0", "a\n", "\u{a0}"] {
            assert_eq!(TokenSecret::parse(text).err(), Some(InvalidSecret::Unprintable));
        }
    }

    proptest! {
        #[test]
        fn a_minted_secret_parses_to_itself_and_its_prefix(access in access(), entropy: [u8; 24]) {
            let minted = TokenSecret::mint(&access, entropy);
            let parsed = TokenSecret::parse(minted.reveal()).expect("parses");
            prop_assert_eq!(parsed.reveal(), minted.reveal());
            prop_assert_eq!(parsed.prefix().expect("a prefix"), SecretPrefix::of(&access));
        }

        #[test]
        fn a_secret_of_the_second_form_says_its_selector_and_its_prefix(
            access in access(),
            selector: [u8; 16],
            entropy: [u8; 32],
        ) {
            let selector = TokenSelector::mint(selector);
            let minted = TokenSecret::mint_v2(&access, &selector, entropy);
            let parsed = TokenSecret::parse(minted.reveal()).expect("parses");
            prop_assert_eq!(parsed.selector(), Some(selector));
            prop_assert_eq!(parsed.prefix().expect("a prefix"), SecretPrefix::of(&access));
            prop_assert!(!parsed.has_valid_checksum());
            prop_assert_eq!(TokenSecret::mint(&access, [1; 24]).selector(), None);
        }

        #[test]
        fn one_changed_character_breaks_the_checksum(entropy: [u8; 24], at in 4_usize..43) {
            let mut text = TokenSecret::mint(&TokenAccess::Admin, entropy).reveal().to_owned();
            let other = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
            text.replace_range(at..=at, other);
            prop_assert!(!TokenSecret::parse(&text).expect("a secret").has_valid_checksum());
        }

        #[test]
        fn different_entropy_makes_different_secrets(a: [u8; 24], b: [u8; 24]) {
            let [a_text, b_text] = [a, b].map(|entropy| TokenSecret::mint_personal(entropy).reveal().to_owned());
            prop_assert_eq!(a == b, a_text == b_text);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,64}") {
            if let Ok(secret) = TokenSecret::parse(&text) {
                let _ = secret.prefix();
                prop_assert_eq!(secret.reveal(), text);
            }
        }
    }
}
