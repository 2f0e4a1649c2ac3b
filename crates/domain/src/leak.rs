//! Secrets that have leaked: where they were found, and what becomes of their tokens.

use serde_json::json;

use crate::{Snapshot, TokenSecret, with_masked_secrets};

/// What becomes of a token whose secret has leaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeakAction {
    /// It stays as it is: the event tells of the leak, and users decide.
    Nothing,
    /// An API token is disabled, and can be rotated and enabled again. A personal access token, which
    /// cannot be disabled, is revoked.
    Disable,
    /// It is revoked.
    Revoke,
}

impl LeakAction {
    /// Returns the name on the wire, in events and in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Disable => "disable",
            Self::Revoke => "revoke",
        }
    }
}

/// Where a secret was found, as the report of it says, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakPlace {
    url: Option<String>,
    source: Option<String>,
}

impl LeakPlace {
    /// How many characters are kept of each part.
    pub const MAX_CHARACTERS: usize = 2_048;

    /// Returns the place where this secret was found: a URL, and the kind of the place, such as `commit`.
    pub fn new(secret: &TokenSecret, url: Option<&str>, source: Option<&str>) -> Self {
        let kept = |text: &str| {
            // One of another form than ours, too.
            let text = text.replace(secret.reveal(), &secret.masked());
            let printable =
                with_masked_secrets(&text).chars().filter(|c| !c.is_control()).collect::<String>();
            printable.chars().take(Self::MAX_CHARACTERS).collect()
        };
        Self { url: url.map(kept), source: source.map(kept) }
    }
}

impl Snapshot {
    /// Returns the snapshot with where the secret was found, and what became of the token.
    #[must_use]
    pub fn with_leak(self, place: &LeakPlace, action: LeakAction) -> Self {
        let LeakPlace { url, source } = place;
        self.with_member("leak", json!({ "url": url, "source": source, "action": action.as_str() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenAccess;

    #[test]
    fn a_place_has_no_secret_and_is_cut() {
        let secret = TokenSecret::mint(&TokenAccess::Admin, [7; 24]);
        let legacy = TokenSecret::parse("legacy-secret-of-another-form").expect("a secret");
        for secret in [&secret, &legacy] {
            let url = format!("https://example.com/?a={0}&b={0}\n", secret.reveal());
            let place = LeakPlace::new(secret, Some(&url), Some(secret.reveal()));
            let masked = secret.masked();
            assert_eq!(place.url, Some(format!("https://example.com/?a={masked}&b={masked}")));
            assert_eq!(place.source, Some(masked));
        }
        let other = format!("https://example.com/{}", secret.reveal().replace(':', "%3A"));
        let place = LeakPlace::new(&legacy, Some(&other), None);
        assert_eq!(place.url, Some(format!("https://example.com/{}", secret.masked())));
        let long = LeakPlace::new(&legacy, Some(&"é".repeat(3_000)), None);
        assert_eq!(long.url.map(|url| url.chars().count()), Some(LeakPlace::MAX_CHARACTERS));
    }
}
