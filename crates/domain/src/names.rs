//! Names: text with a rule, one type each.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a text cannot be a name of its kind. `Display` says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {fault}")]
pub struct InvalidName {
    /// The kind of name, as a person reads it: `project id`, `token name`.
    pub what: &'static str,
    pub fault: NameFault,
}

/// The rule that a text breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Empty, or blanks only.
    #[error("must not be empty or blank")]
    Blank,
    /// More characters (Unicode scalar values, after trimming) than allowed.
    #[error("must have at most {max} characters, not {actual}")]
    TooLong { max: usize, actual: usize },
    /// A control character, NUL among them.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A character that would need escaping in a path.
    #[error("may contain only the characters A-Z, a-z, 0-9, _, ~, . and -")]
    NotUrlFriendly,
    /// No words that are joined by colons.
    #[error(
        "must be words of A-Z, a-z, 0-9, _, . and -, joined by colons, such as orders:read; the last may be *"
    )]
    NotAScope,
    /// A path segment that clients and proxies remove before they send the path.
    #[error("must not be \".\" or \"..\": paths lose such a part on their way (RFC 3986, section 5.2.4)")]
    DotSegment,
    /// A fixed segment of the API's paths, in the position of a name.
    #[error("must not be one of these, which mean something else in paths of the API: {}", .0.join(", "))]
    Reserved(&'static [&'static str]),
}

/// Whether the byte may stand in an id of a project or in the name of an environment.
pub(crate) fn is_url_friendly(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_~.-".contains(&byte)
}

fn url_friendly(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let fault = if text.is_empty() {
        NameFault::Blank
    } else if !text.bytes().all(is_url_friendly) {
        NameFault::NotUrlFriendly
    } else if text.len() > max {
        NameFault::TooLong { max, actual: text.len() }
    } else {
        return Ok(());
    };
    Err(InvalidName { what, fault })
}

/// Whether the text is a word of a scope, which the name of a member of metadata is too.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Words joined by colons, the last of which may be `*`.
fn scope_words(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let beginning = match text.strip_suffix('*') {
        Some("") => None,
        Some(beginning) => Some(beginning.strip_suffix(':').unwrap_or("")),
        None => Some(text),
    };
    let fault = if text.is_empty() {
        NameFault::Blank
    } else if text.len() > max {
        NameFault::TooLong { max, actual: text.chars().count() }
    } else if beginning.is_some_and(|words| !words.split(':').all(is_word)) {
        NameFault::NotAScope
    } else {
        return Ok(());
    };
    Err(InvalidName { what, fault })
}

fn free_text(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let length = text.chars().count();
    let fault = if text.is_empty() {
        NameFault::Blank
    } else if text.chars().any(char::is_control) {
        NameFault::ControlCharacter
    } else if length > max {
        NameFault::TooLong { max, actual: length }
    } else {
        return Ok(());
    };
    Err(InvalidName { what, fault })
}

/// Text of several lines, which may be empty. A store that keeps text as C strings must never see a NUL.
fn prose(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    let length = text.chars().count();
    let fault = if text.chars().any(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t')) {
        NameFault::ControlCharacter
    } else if length > max {
        NameFault::TooLong { max, actual: length }
    } else {
        return Ok(());
    };
    Err(InvalidName { what, fault })
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $rule:ident, $max:literal, trim: $trim:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Box<str>);

        impl $type {
            /// The maximum length in characters.
            pub const MAX_CHARACTERS: usize = $max;

            /// Parses a text.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                let text = if $trim { text.trim() } else { text };
                $rule($what, text, $max)?;
                Ok(Self(text.into()))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl std::str::FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }
    };
}

name! {
    /// The id of a project: `[A-Za-z0-9_~.-]{1,100}`. Case matters.
    ProjectId, "project id", url_friendly, 100, trim: false
}
name! {
    /// The name of an environment: the same rule as a [`ProjectId`]. Case matters.
    EnvironmentName, "environment name", url_friendly, 100, trim: false
}
name! {
    /// The name of an API token: 1 to 255 characters, trimmed, not blank. Not unique.
    TokenName, "token name", free_text, 255, trim: true
}
name! {
    /// The description of an API token: up to 1,000 characters in any number of lines; may be empty.
    TokenDescription, "description", prose, 1_000, trim: true
}
name! {
    /// Who is responsible for an API token: 1 to 255 characters, trimmed, not blank.
    TokenOwner, "owner", free_text, 255, trim: true
}
name! {
    /// A scope of an API token: words of `A-Z a-z 0-9 _ . -`, joined by colons, such as `orders:read`. The last one may be `*`, which
    /// stands for any further words; `*` alone stands for all scopes. At most 100 characters; case matters.
    TokenScope, "scope", scope_words, 100, trim: false
}
name! {
    /// The display name of a project.
    ProjectName, "project name", free_text, 255, trim: true
}
name! {
    /// The description of a project: up to 2,000 characters in any number of lines; may be empty.
    #[derive(Default)]
    ProjectDescription, "project description", prose, 2_000, trim: true
}
name! {
    /// The display name of a user.
    PersonName, "name", free_text, 255, trim: true
}
name! {
    /// A user's name for signing in. Case matters.
    Username, "username", free_text, 255, trim: true
}
name! {
    /// The name of a role, unique. Case matters.
    RoleName, "role name", free_text, 100, trim: true
}
name! {
    /// The description of a role: up to 2,000 characters; may be empty.
    #[derive(Default)]
    RoleDescription, "role description", prose, 2_000, trim: true
}
name! {
    /// The name of a group, unique. Case matters.
    GroupName, "group name", free_text, 255, trim: true
}
name! {
    /// The description of a group: up to 2,000 characters; may be empty.
    #[derive(Default)]
    GroupDescription, "group description", prose, 2_000, trim: true
}
name! {
    /// The name of a group at a single sign-on provider. Case matters.
    SsoGroupName, "single sign-on group", free_text, 255, trim: true
}
name! {
    /// The description of a personal access token, unique per user. An index entry of PostgreSQL holds some 2,700
    /// bytes.
    Description, "description", free_text, 500, trim: true
}

impl ProjectId {
    /// Derives an id from a project's name: in lower case, with `-` for characters that an id may not contain. Returns
    /// `None` if nothing is left.
    pub fn from_name(name: &ProjectName) -> Option<Self> {
        let mut id = String::with_capacity(name.as_str().len());
        for character in name.as_str().to_lowercase().chars() {
            if character.is_ascii_alphanumeric() || "_~.".contains(character) {
                id.push(character);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push('-');
            }
        }
        id.truncate(Self::MAX_CHARACTERS);
        Self::new(id.trim_end_matches('-')).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(result: Result<impl fmt::Debug, InvalidName>) -> NameFault {
        result.expect_err("must be refused").fault
    }

    #[test]
    fn a_description_may_be_empty_and_have_lines() {
        for good in ["", "one\ntwo\r\n\tthree", &"é".repeat(2_000)] {
            assert_eq!(ProjectDescription::new(good).expect("good").as_str(), good);
        }
        assert_eq!(fault(ProjectDescription::new("a\0b")), NameFault::ControlCharacter);
        let long = "x".repeat(2_001);
        assert_eq!(fault(ProjectDescription::new(&long)), NameFault::TooLong { max: 2_000, actual: 2_001 });
    }

    #[test]
    fn a_project_id_is_url_friendly_and_has_at_most_100_characters() {
        for good in ["a", "default", "A_~.-9", &"x".repeat(100)] {
            assert_eq!(ProjectId::new(good).expect("good").as_str(), good);
        }
        assert_eq!(fault(ProjectId::new("")), NameFault::Blank);
        assert_eq!(fault(ProjectId::new(&"x".repeat(101))), NameFault::TooLong { max: 100, actual: 101 });
        for bad in [" ", "a b", "é", "a/b", "*", "[]", "a\0", "a,b", "%41"] {
            assert_eq!(fault(ProjectId::new(bad)), NameFault::NotUrlFriendly, "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_made_from_a_name() {
        let made = |name: &str| ProjectId::from_name(&ProjectName::new(name).expect("a name"));
        for (name, id) in [("My Proj", "my-proj"), ("  Ärger & Co. ", "rger-co."), ("a -- b", "a-b")] {
            assert_eq!(made(name).expect("an id").as_str(), id, "{name}");
        }
        assert_eq!(made("日本語"), None);
        assert_eq!(made(&"x".repeat(200)).expect("an id").as_str().len(), 100);
    }

    #[test]
    fn a_token_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(TokenName::new("  a b \n").expect("good").as_str(), "a b");
        assert_eq!(fault(TokenName::new(" \t ")), NameFault::Blank);
        assert_eq!(TokenName::new(&"é".repeat(255)).expect("good").as_str().len(), 510);
        assert_eq!(fault(TokenName::new(&"é".repeat(256))), NameFault::TooLong { max: 255, actual: 256 });
        assert_eq!(fault(TokenName::new("a\0b")), NameFault::ControlCharacter);
        assert!(TokenName::new("日本語🎉 שלום").is_ok());
    }

    #[test]
    fn the_message_says_what_to_change() {
        let error = EnvironmentName::new("a b").expect_err("blank inside");
        assert_eq!(
            error.to_string(),
            "environment name may contain only the characters A-Z, a-z, 0-9, _, ~, . and -"
        );
    }

    proptest! {
        #[test]
        fn a_printed_name_parses_to_itself(text in "\\PC{0,300}") {
            if let Ok(name) = TokenName::new(&text) {
                prop_assert_eq!(TokenName::new(name.as_str()), Ok(name));
            }
            if let Ok(id) = ProjectId::new(&text) {
                prop_assert_eq!(id.as_str(), text);
            }
        }
    }
}
