//! The port of usage: how often tokens are used, hour by hour, and from where.

use std::{collections::BTreeSet, net::IpAddr, ops::Range};

use async_trait::async_trait;
use latchkey_domain::{Hour, ProjectId, Timestamp, TokenId, TokenKind, TokenName, UseOutcome};
use latchkey_port_macros::observed;

use crate::StoreError;

/// How often a token was used in an hour, with one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UseCount {
    pub hour: Hour,
    pub outcome: UseOutcome,
    pub count: u64,
}

/// An address from which a token was used, and when it last was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenAddress {
    pub address: IpAddr,
    pub seen_at: Timestamp,
}

impl SeenAddress {
    /// The addresses that are kept for each token: the last ones.
    pub const MAX: usize = 5;
}

/// The uses of a token that are not yet recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUsage {
    pub token: TokenId,
    /// One for each hour and outcome.
    pub counts: Vec<UseCount>,
    /// Each address once.
    pub addresses: Vec<SeenAddress>,
}

/// The tokens whose usage is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageScope {
    One(TokenId),
    /// Those that name this project.
    Project(ProjectId),
    /// Those of these kinds; if there is none, no token.
    Kinds(BTreeSet<TokenKind>),
}

/// How often one of many tokens was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedToken {
    pub id: TokenId,
    pub name: TokenName,
    pub verified: u64,
    pub refused: u64,
}

/// The usage of tokens. It ends with the token.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UsageRepository: Send + Sync {
    /// Adds to the counts of these tokens, each of which is named once, and keeps the last [`SeenAddress::MAX`] addresses of each. A
    /// token that was removed is skipped. No event.
    ///
    /// # Errors
    /// `Unavailable`: nothing was added, or, if the connection was lost at the end, perhaps all.
    async fn record_usage(&self, usage: &[TokenUsage]) -> Result<(), StoreError>;

    /// Returns how often the tokens were used in these hours, summed over all of them, by hour and outcome in this order.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn usage(&self, scope: &UsageScope, hours: Range<Hour>) -> Result<Vec<UseCount>, StoreError>;

    /// Returns those of the tokens that were used most in these hours, most used first, then by id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn most_used(
        &self,
        scope: &UsageScope,
        hours: Range<Hour>,
        limit: u32,
    ) -> Result<Vec<UsedToken>, StoreError>;

    /// Returns the tokens after this one that had an outcome in these hours, by id, each with the last such hour.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn last_hours(
        &self,
        outcome: UseOutcome,
        hours: Range<Hour>,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<(TokenId, Hour)>, StoreError>;

    /// Returns the last addresses of a token, the latest first.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn addresses_of(&self, token: TokenId) -> Result<Vec<SeenAddress>, StoreError>;

    /// Deletes the counts of hours before this one, and addresses that were last seen before it, in batches. Returns their number.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_usage(&self, before: Hour) -> Result<u64, StoreError>;
}
