//! The repository of API tokens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{
    ApiToken, EventId, NewEvent, ProjectId, ProjectScope, Timestamp, TokenId, TokenKind, TokenSelector,
};
use latchkey_port_macros::observed;

use crate::{Page, SecretDigest, SecretRecord, StoreError, TokenQuery};

/// A token with the records of its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The token.
    pub token: ApiToken,
    /// The record of its secret.
    pub secret: SecretRecord,
    /// The record of its alias, by which it authenticates too (old proxy tokens).
    pub alias: Option<SecretRecord>,
}

impl StoredToken {
    /// Returns the digests of its secret and of its alias, without those of retired secrets.
    pub fn current_digests(&self) -> impl Iterator<Item = SecretDigest> {
        std::iter::once(&self.secret).chain(&self.alias).map(|record| record.digest)
    }
}

/// A token that was found by a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMatch {
    /// The token.
    pub stored: StoredToken,
    /// When that secret expires, if it was retired by a rotation; `None` = with the token.
    pub secret_until: Option<Timestamp>,
    /// The digest by which it was found.
    pub found_by: SecretDigest,
}

/// The replacement of a token's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Which token.
    pub token: TokenId,
    /// The digest of the present secret, for compare-and-swap.
    pub from: SecretDigest,
    /// The record of the new secret.
    pub to: SecretRecord,
    /// Until when the present secret is still accepted; `None` = it is refused at once.
    pub overlap_until: Option<Timestamp>,
    /// What else changes, as by [`TokenRepository::update_token`].
    pub update: Option<Box<TokenUpdate>>,
}

/// A change of expiry and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUpdate {
    /// The token as it was, for compare-and-swap.
    pub before: ApiToken,
    /// The same token as it will be.
    pub after: ApiToken,
}

impl Rotation {
    /// The number of replaced secrets of one token that may be valid at once, besides the present one.
    pub const MAX_RETIRED: u64 = 10;
}

/// The maximum number of tokens that name one project, and of tokens for all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quota(pub u64);

impl Quota {
    /// No quota.
    pub const UNLIMITED: Self = Self(u64::MAX);
}

/// A token that is to be created, with the event of its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The token.
    pub token: StoredToken,
    /// The quota of each project that it names, or of the tokens of all projects.
    pub quota: Quota,
    /// Its event.
    pub event: NewEvent,
}

/// The moments by which tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountingMoments {
    pub now: Timestamp,
    /// Seven days later.
    pub in_7_days: Timestamp,
    /// Thirty days later.
    pub in_30_days: Timestamp,
    /// Ninety days earlier.
    pub before_90_days: Timestamp,
}

impl CountingMoments {
    /// Returns the moments around this one. Those beyond the first or last timestamp are that one.
    pub fn around(now: Timestamp) -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        let after = |days: i64| Timestamp::saturating_from_millis(now.millis() + days * DAY);
        Self { now, in_7_days: after(7), in_30_days: after(30), before_90_days: after(-90) }
    }
}

/// How many tokens of one kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounts {
    /// All of them, expired ones included.
    pub all: u64,
    /// Those that have not expired and will have in 7 days.
    pub expiring_in_7_days: u64,
    /// Those that have not expired and will have in 30 days.
    pub expiring_in_30_days: u64,
    /// Those that have not expired, were created more than 90 days ago and did not authenticate since.
    pub unused_for_90_days: u64,
}

/// What new tokens of a project, or of all projects, must have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The number of new tokens.
    pub tokens: u64,
    /// The lowest of their quotas.
    pub quota: Quota,
}

impl Demand {
    /// Returns the demands of new tokens by project, in order; `None` are those of all projects. Without those of tokens
    /// that have no quota.
    #[must_use]
    pub fn of(tokens: &[NewToken]) -> BTreeMap<Option<&ProjectId>, Self> {
        let mut demands = BTreeMap::new();
        for NewToken { token, quota, .. } in tokens {
            let mut add = |project| {
                let demand = demands.entry(project).or_insert(Self { tokens: 0, quota: Quota::UNLIMITED });
                demand.tokens += 1;
                demand.quota = demand.quota.min(*quota);
            };
            match token.token.access.projects() {
                ProjectScope::All => add(None),
                ProjectScope::Only(set) => set.as_slice().iter().map(Some).for_each(add),
            }
        }
        demands.retain(|_, demand| demand.quota != Quota::UNLIMITED);
        demands
    }

    /// Fails if there is no room beside that many tokens.
    ///
    /// # Errors
    /// `LimitReached`.
    pub fn check(&self, count: u64) -> Result<(), StoreError> {
        StoreError::check_limit(count.saturating_add(self.tokens.saturating_sub(1)), self.quota.0)
    }
}

/// The largest number of last uses that a store writes in one statement.
pub const MAX_TOKEN_USES: usize = 1_000;

/// The API tokens.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TokenRepository: Send + Sync {
    /// Creates all of these tokens or none, each with its event, and returns the numbers of the events. Of several events,
    /// each has a higher number than those before it.
    ///
    /// Counting against the quotas, insertion and events are atomic: of any number of concurrent creations, no more succeed
    /// than the quotas allow. A token of all projects counts among those of all projects. Of several tokens of one project,
    /// all must fit the lowest of their quotas.
    ///
    /// # Errors
    /// In this order: `NotFound` with the environment, then with the first unknown project, of the first token that names
    /// one; `LimitReached`; `Conflict` for a secret, alias, selector or id that exists already (a retired secret exists
    /// until it is swept); `Unavailable`.
    async fn create_tokens(&self, tokens: &[NewToken]) -> Result<Vec<EventId>, StoreError>;

    /// Creates one token, as [`TokenRepository::create_tokens`].
    ///
    /// # Errors
    /// As there.
    async fn create_token(
        &self,
        token: &StoredToken,
        quota: Quota,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let new = NewToken { token: token.clone(), quota, event: event.clone() };
        let numbers = self.create_tokens(&[new]).await?;
        numbers.first().copied().ok_or_else(|| StoreError::Fault("no event was recorded".into()))
    }

    /// Creates all of these tokens, each with its event, if the store holds no API token at all; of any number of concurrent
    /// calls, one succeeds. Returns whether it did. Quotas do not count.
    ///
    /// # Errors
    /// As [`TokenRepository::create_tokens`], except for the limit; then none of them is created.
    async fn create_first_tokens(&self, tokens: &[NewToken]) -> Result<bool, StoreError>;

    /// Whether the store holds any API token.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn has_tokens(&self) -> Result<bool, StoreError> {
        let query = TokenQuery { page: Page::first(1), ..TokenQuery::of_kinds(TokenKind::ALL) };
        Ok(!self.tokens(&query).await?.is_empty())
    }

    /// Returns the token of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError>;

    /// Returns until when the secrets are good that rotations of the token retired, soonest first; also ends that have passed, until
    /// a sweep. None for a token that is not there.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn retired_secret_ends(&self, token: TokenId) -> Result<Vec<Timestamp>, StoreError>;

    /// Returns the token of this selector.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_token_by_selector(
        &self,
        selector: &TokenSelector,
    ) -> Result<Option<StoredToken>, StoreError>;

    /// Returns the tokens of a query, in its order. The tokens of a project ([`TokenQuery::whole_project`]) are read without
    /// those of others.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError>;

    /// Returns the token with a secret, alias or retired secret of one of these digests, expired or not. Of several tokens,
    /// one of which it is no retired secret, and of those the one of the first digest.
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

    /// Replaces the secret of a token, with its event. The replaced secret is retired: it is found until the overlap ends.
    /// Secrets that were retired earlier keep their own ends. The alias stays.
    ///
    /// # Errors
    /// `NotFound`; `Stale` if its secret is not `from`, or expiry or attributes not those before the update; `LimitReached` if there is an overlap and
    /// [`Rotation::MAX_RETIRED`] retired secrets of the token are valid at the moment of the event; `Conflict` for a new secret
    /// that exists already; `Unavailable`.
    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Moves the end of those retired secrets of a token that end at the first of these moments to the second, and updates the
    /// token, with the event.
    ///
    /// # Errors
    /// As [`TokenRepository::update_token`].
    async fn end_rotation(
        &self,
        update: &TokenUpdate,
        ends: (Timestamp, Timestamp),
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes a token with all its secrets, with its event.
    ///
    /// # Errors
    /// `NotFound`; of any number of concurrent calls, one succeeds; `Unavailable`.
    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Counts the tokens by kind. It may read them all, so one process counts at a time: `None` if another one does.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn count_tokens(
        &self,
        moments: &CountingMoments,
    ) -> Result<Option<BTreeMap<TokenKind, TokenCounts>>, StoreError>;

    /// Records when tokens were last used. A moment earlier than the stored one, and a token that was removed, are
    /// skipped. Written in statements of at most [`MAX_TOKEN_USES`] rows, each a transaction of its own, so that others do
    /// not wait long. No event.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record_token_use(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError>;
}
