//! Where API tokens are kept.

use async_trait::async_trait;
use latchkey_domain::{ApiToken, EventId, NewEvent, ProjectId, Timestamp, TokenId, TokenKind};

use crate::{Page, SecretDigest, SecretRecord, StoreError, TokenQuery};

/// A token with all that is kept of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The token.
    pub token: ApiToken,
    /// What is kept of its secret.
    pub secret: SecretRecord,
    /// What is kept of its alias, by which it authenticates too (old proxy tokens).
    pub alias: Option<SecretRecord>,
}

/// A token that was found by a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMatch {
    /// The token.
    pub stored: StoredToken,
    /// Until when that secret is good, where it was retired by a rotation; `None` = as long as the token.
    pub secret_until: Option<Timestamp>,
    /// By which of the digests that were asked for it was found.
    pub found_by: SecretDigest,
}

/// A new secret for a token, and what becomes of the one it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Which token.
    pub token: TokenId,
    /// The digest of the secret that it has now; with any other, somebody else was faster.
    pub from: SecretDigest,
    /// What is kept of the new secret.
    pub to: SecretRecord,
    /// Until when the present secret still authenticates; `None` = it is refused at once.
    pub overlap_until: Option<Timestamp>,
}

impl Rotation {
    /// So many replaced secrets of one token may be good at the same moment, beside the one that it has.
    pub const MAX_RETIRED: u64 = 10;
}

/// How many tokens may name one project, and how many may be for all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota(pub u64);

/// A token that is created only where there is none yet, with the event of its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstToken {
    /// The token.
    pub token: StoredToken,
    /// Its event.
    pub event: NewEvent,
}

/// The largest number of last uses that a store writes in one statement.
pub const MAX_TOKEN_USES: usize = 1_000;

/// The API tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TokenRepository: Send + Sync {
    /// Keeps a new token, with its event.
    ///
    /// Counting against the quota, insertion and event are one: of any number of creations at once, no more
    /// succeed than the quota has room for. A token of all projects counts among those of all projects.
    ///
    /// # Errors
    /// In this order: `NotFound` with the environment, then with the first unknown project, that the token names;
    /// `LimitReached`; `Conflict` for a secret, alias or id that is there already (a retired secret is there until its
    /// overlap was swept away); `Unavailable`.
    async fn create_token(
        &self,
        token: &StoredToken,
        quota: Quota,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Keeps all of these tokens, each with its event, if the store holds no API token at all; of any number of
    /// calls at once, one does it. Says whether it did.
    ///
    /// # Errors
    /// As [`TokenRepository::create_token`], but for the limit; then none of them is kept.
    async fn create_first_tokens(&self, tokens: &[FirstToken]) -> Result<bool, StoreError>;

    /// Whether the store holds any API token.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn has_tokens(&self) -> Result<bool, StoreError> {
        let query = TokenQuery { page: Page::first(1), ..TokenQuery::of_kinds(TokenKind::ALL) };
        Ok(!self.tokens(&query).await?.is_empty())
    }

    /// The tokens whose scope names this project, by creation, then id (that is, by id). Tokens of all projects
    /// are not among them. Reads no token of any other project.
    ///
    /// # Errors
    /// `NotFound` for an unknown project; `Unavailable`; `Inconsistent`.
    async fn tokens_of_project(&self, project: &ProjectId) -> Result<Vec<StoredToken>, StoreError>;

    /// The token of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError>;

    /// The tokens asked for, in the order asked for.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError>;

    /// The token whose secret, alias, or secret retired by a rotation has one of these digests, expired or not.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_token_by_digest(&self, digests: &[SecretDigest]) -> Result<Option<TokenMatch>, StoreError>;

    /// Returns a match for each of these digests that is a token's secret, alias, or secret retired by a rotation, expired
    /// or not, in no particular order. Repeated digests are allowed.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_tokens_by_digests(&self, digests: &[SecretDigest]) -> Result<Vec<TokenMatch>, StoreError>;

    /// Replaces expiry and attributes of `before` by those of `after`, which has the same id, with the event. Nothing else
    /// of the token changes.
    ///
    /// # Errors
    /// `NotFound` if the token does not exist; `Stale` if its expiry or its attributes are no longer those of `before`;
    /// `Unavailable`; `Inconsistent`.
    async fn update_token(
        &self,
        before: &ApiToken,
        after: &ApiToken,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Gives a token a new secret, with its event. The secret that it had goes to the retired ones, where it is found
    /// until the overlap ends; secrets retired earlier keep their own ends. The alias stays.
    ///
    /// # Errors
    /// `NotFound` where there is no such token (any more); `Stale` where its secret is not `from` any more; `LimitReached`
    /// where there is an overlap, and [`Rotation::MAX_RETIRED`] retired secrets of the token are good at the moment of
    /// the event; `Conflict` for a new secret that is there already; `Unavailable`.
    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Removes a token with all its secrets, with its event.
    ///
    /// # Errors
    /// `NotFound` where there is none (any more): of any number of calls at once, one succeeds; `Unavailable`.
    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Notes when tokens last authenticated; a moment earlier than the one kept, and a token that is gone, are
    /// passed over. Written in statements of at most [`MAX_TOKEN_USES`] rows, each a transaction of its own, so that others do
    /// not wait long. No event.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record_token_use(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError>;
}
