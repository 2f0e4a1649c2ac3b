//! What is kept under which master key, and how it gets under another (decision 16).

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use latchkey_domain::{PersonalTokenId, SessionId, Timestamp, TokenId};

use crate::{KeyId, SecretDigest, SecretRecord, StoreError};

/// What a secret authenticates, and in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOf {
    /// The token, by its present secret.
    Token(TokenId),
    /// The token, by its alias.
    Alias(TokenId),
    /// The token, by a secret that a rotation retired.
    Retired(TokenId),
    /// A user, by this personal token.
    PersonalToken(PersonalTokenId),
    /// A user, by this session.
    Session(SessionId),
}

/// All that is kept of a token's present secret and of its alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSecrets {
    /// Which token.
    pub token: TokenId,
    /// What is kept of its secret.
    pub secret: SecretRecord,
    /// What is kept of its alias.
    pub alias: Option<SecretRecord>,
}

/// The same secret, kept under another master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeying {
    /// Whose secret.
    pub of: SecretOf,
    /// The digest that is kept now; with any other, somebody else was faster.
    pub from: SecretDigest,
    /// What is to be kept. Of secrets that have no sealed copy, the digest and the key alone.
    pub to: SecretRecord,
}

/// In what form a secret is kept; that decides how it can get under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretForm {
    /// A token's secret or alias that can be shown again: opened and sealed anew.
    Sealed,
    /// A token's secret or alias that was shown once: when it is used.
    ShownOnce,
    /// A personal token: when it is used.
    PersonalToken,
    /// A session: when it is used.
    Session,
    /// A secret that a rotation retired: when it is used.
    Retired,
}

impl SecretForm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Sealed, Self::ShownOnce, Self::PersonalToken, Self::Session, Self::Retired];

    /// The form of that place in [`SecretForm::ALL`], as SQL stores number them.
    #[must_use]
    pub fn numbered(place: i64) -> Option<Self> {
        usize::try_from(place).ok().and_then(|place| Self::ALL.get(place)).copied()
    }
}

impl fmt::Display for SecretForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sealed => "sealed",
            Self::ShownOnce => "show-once",
            Self::PersonalToken => "personal",
            Self::Session => "sessions",
            Self::Retired => "retired",
        })
    }
}

/// How many secrets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecretCount {
    /// Those that are good, or may be shown.
    pub good: u64,
    /// Those that have ended and cannot be shown: nobody would notice if they were not recognised any more.
    pub ended: u64,
}

/// How many secrets are kept in which form under which key; what there is none of is left out.
pub type SecretsByKey = BTreeMap<(KeyId, SecretForm), SecretCount>;

/// What is kept of secrets, by master key. Nothing here changes what anybody may do, so nothing leaves an event.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait MasterKeyRepository: Send + Sync {
    /// What is kept of the secrets of the first so many tokens after that id (`None`: of all), by id, whatever their
    /// keys. Reads no other token.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError>;

    /// Puts each of these secrets under its new key, and says which it did, by the digests that they had. To be called
    /// with no more than some hundred, because others who write may have to wait. No event is left.
    ///
    /// Passed over is a secret that is gone, whose digest is not `from` any more, or that has a sealed copy where `to` has
    /// none, or the other way round; one whose new digest is there already, because it is somebody else's secret too, under
    /// another key; and, except for those of tokens and aliases, one that somebody holds at that very moment.
    ///
    /// # Errors
    /// `Unavailable`; then none is changed.
    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError>;

    /// How many secrets are under which key at that moment. Sealed ones never count as ended: lists show them for ever.
    /// Reads all of them, so it is nothing for the path of a request.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError>;
}
