//! Passwords: the rules for new ones, and their stored hashes.

use std::{collections::HashSet, fmt, sync::LazyLock};

use secrecy::{ExposeSecret, SecretString};

/// The most common passwords of at least [`Password::MIN_CHARACTERS`] characters, one per line, in lower case.
static COMMONEST: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("commonest_passwords.txt").lines().collect());

/// A password that follows the rules of NIST SP 800-63B, section 5.1.1.2: a minimum length and a list of the most
/// common ones, no rules about kinds of characters.
#[derive(Clone)]
pub struct Password(SecretString);

/// A rule that a password breaks; the text says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("The password must be at least {} characters long.", Password::MIN_CHARACTERS)]
    TooShort,
    #[error("The password must be at most {} characters long.", Password::MAX_CHARACTERS)]
    TooLong,
    /// Among the first that an attacker tries.
    #[error("The password is among the most common ones: choose another.")]
    Common,
    /// A name of the account.
    #[error("The password must not be the user name or e-mail address.")]
    Identity,
    #[error("The password must have more than {} different characters.", Password::MIN_DIFFERENT - 1)]
    Monotonous,
}

impl Password {
    /// The minimum length of a new password, in Unicode scalar values.
    pub const MIN_CHARACTERS: usize = 10;
    /// The maximum length of a new password, in Unicode scalar values.
    pub const MAX_CHARACTERS: usize = 128;
    /// The minimum number of different characters.
    pub const MIN_DIFFERENT: usize = 4;

    /// Checks a password for an account with these names.
    ///
    /// # Errors
    /// Every [`PasswordFault`] that applies.
    pub fn new(text: &str, account_names: &[&str]) -> Result<Self, Vec<PasswordFault>> {
        let characters = text.chars().count();
        let folded = text.to_lowercase();
        let different = folded.chars().collect::<HashSet<_>>().len();
        let checks = [
            (characters < Self::MIN_CHARACTERS, PasswordFault::TooShort),
            (characters > Self::MAX_CHARACTERS, PasswordFault::TooLong),
            (COMMONEST.contains(folded.as_str()), PasswordFault::Common),
            (account_names.iter().any(|name| name.to_lowercase() == folded), PasswordFault::Identity),
            (
                characters >= Self::MIN_CHARACTERS && different < Self::MIN_DIFFERENT,
                PasswordFault::Monotonous,
            ),
        ];
        let faults: Vec<_> = checks.into_iter().filter_map(|(fails, fault)| fails.then_some(fault)).collect();
        if faults.is_empty() { Ok(Self(text.into())) } else { Err(faults) }
    }

    /// Returns the password in the clear. To be called only where it is hashed.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Redacted.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([REDACTED])")
    }
}

/// The stored hash of a password: a PHC string, or the text of another system's hash. Opaque to everything but the hasher.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub Box<str>);

impl PasswordHash {
    /// Whether it has one of the forms of bcrypt that are computed alike: `$2a$`, `$2b$` and `$2y$`.
    pub fn is_bcrypt(&self) -> bool {
        ["$2a$", "$2b$", "$2y$"].iter().any(|form| self.0.starts_with(form))
    }
}

/// Redacted, because a hash can be attacked offline.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<PasswordFault> {
        Password::new(text, &["ed", "Ed@example.com"]).err().unwrap_or_default()
    }

    #[test]
    fn length_counts_and_kinds_of_characters_do_not() {
        for good in ["correct horse", "zwölf Boxkämpfer", &"ab cd".repeat(25)] {
            assert_eq!(faults(good), [], "{good}");
        }
        assert_eq!(faults("short one"), [PasswordFault::TooShort]);
        assert_eq!(faults(&"abcde".repeat(26)), [PasswordFault::TooLong]);
        assert_eq!(faults(""), [PasswordFault::TooShort]);
    }

    #[test]
    fn what_an_attacker_tries_first_is_refused() {
        assert_eq!(faults("Password123"), [PasswordFault::Common]);
        assert_eq!(faults("ed@EXAMPLE.com"), [PasswordFault::Identity]);
        assert_eq!(faults("xyxyxyxyxyxy"), [PasswordFault::Monotonous]);
        assert!(faults("1111111111").contains(&PasswordFault::Monotonous));
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::new("correct horse", &[]).expect("good");
        assert!(!format!("{password:?}").contains("horse"));
        assert!(!format!("{:?}", PasswordHash("$argon2id$x".into())).contains("argon"));
    }

    #[test]
    fn the_list_is_of_passwords_that_are_long_enough_to_be_chosen() {
        assert!(COMMONEST.len() > 500);
        for common in COMMONEST.iter() {
            assert!(common.chars().count() >= Password::MIN_CHARACTERS, "{common}");
            assert_eq!(common.to_lowercase(), **common);
        }
    }
}
