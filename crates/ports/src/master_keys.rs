//! Secrets by master key, and moving them to another key.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use latchkey_domain::{PersonalTokenId, SessionId, Timestamp, TokenId};
use latchkey_port_macros::observed;

use crate::{KeyId, SecretDigest, SecretRecord, StoreError};

/// The owner of a secret, and the role of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOf {
    Token(TokenId),
    Alias(TokenId),
    /// A secret of a token that a rotation retired.
    Retired(TokenId),
    PersonalToken(PersonalTokenId),
    Session(SessionId),
}

/// The records of a token's present secret and of its alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSecrets {
    pub token: TokenId,
    pub secret: SecretRecord,
    pub alias: Option<SecretRecord>,
}

/// The move of a secret to another master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeying {
    pub of: SecretOf,
    /// The stored digest, for compare-and-swap.
    pub from: SecretDigest,
    /// The new record; without a sealed copy if the stored one has none.
    pub to: SecretRecord,
}

/// The form in which a secret is stored, which decides how it can be moved to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretForm {
    /// A token's secret or alias that can be shown again: it is opened and sealed anew.
    Sealed,
    /// A token's secret or alias that was shown once: it is moved when it is used.
    ShownOnce,
    /// A personal token: it is moved when it is used.
    PersonalToken,
    /// A session: it is moved when it is used.
    Session,
    /// A secret that a rotation retired: it is moved when it is used.
    Retired,
    /// The answer to a request with an idempotency key: it is not moved, because it is kept for a day.
    Answer,
    /// The secret of a webhook: it is opened and sealed anew.
    Webhook,
}

impl SecretForm {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::Sealed,
        Self::ShownOnce,
        Self::PersonalToken,
        Self::Session,
        Self::Retired,
        Self::Answer,
        Self::Webhook,
    ];

    /// Returns the form at that position in [`SecretForm::ALL`], the number in SQL stores.
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
            Self::Answer => "answers",
            Self::Webhook => "webhooks",
        })
    }
}

/// A count of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecretCount {
    /// Valid ones, and those that may be shown.
    pub good: u64,
    /// Those that have expired and cannot be shown, which can be given up without effect.
    pub ended: u64,
}

/// The number of secrets by key and form, without zeros.
pub type SecretsByKey = BTreeMap<(KeyId, SecretForm), SecretCount>;

/// The stored secrets by master key. Nothing here changes the rights of a caller, so nothing leaves an event.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait MasterKeyRepository: Send + Sync {
    /// Returns the secrets of the first `limit` tokens after that id (`None`: from the first), by id, whatever their
    /// keys. Reads no other token.
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError>;

    /// Moves each of these secrets to its new key, and returns the former digests of those that were moved. To be
    /// called with at most some hundred, because other writers may have to wait. There is no event.
    ///
    /// A secret is skipped if it was removed, if its digest is not `from`, or if only one of the stored record and `to`
    /// has a sealed copy; if its new digest exists already, because another token has the same secret under another
    /// key; and, except for secrets and aliases of tokens, if it is locked at that moment.
    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError>;

    /// Returns the number of secrets by key and form at that moment. Sealed ones never count as ended, because lists
    /// show them. Reads all secrets, so it must not be called on the path of a request.
    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError>;
}
