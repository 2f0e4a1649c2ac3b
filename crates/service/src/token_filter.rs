//! Filters for lists of tokens, and the resulting pages and portions.

use std::{fmt, sync::Arc};

use latchkey_domain::{EnvironmentName, ProjectId, Timestamp, TokenId, TokenKind, TokenName, TokenStatus};
use latchkey_ports::{
    AttributeFilter, Direction, Ends, Page, ReadableTokens, StoredToken, TokenOrder, TokenQuery,
};

use crate::{RevealedToken, ServiceError, token_changes::TokenChanges};

/// The filters, order and page of a list of tokens. The default is the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenFilter {
    /// Only those that name this project.
    pub project: Option<ProjectId>,
    /// Only client and frontend tokens for all projects.
    pub of_all_projects: bool,
    /// Only those that work in this environment.
    pub environment: Option<EnvironmentName>,
    /// Only those of this kind.
    pub kind: Option<TokenKind>,
    /// Only those of exactly this name.
    pub name: Option<TokenName>,
    /// Only those whose name contains this text.
    pub name_contains: Option<String>,
    /// Only those that meet each of these conditions.
    pub attributes: Vec<AttributeFilter>,
    /// Only those that have this status now.
    pub status: Option<TokenStatus>,
    /// Only those that are (`true`) or are not (`false`) expired now.
    pub expired: Option<bool>,
    /// Only those that end at or before that moment.
    pub expires_by: Option<Timestamp>,
    /// Only those that were created before that moment and not used since.
    pub unused_since: Option<Timestamp>,
    /// The order.
    pub order: TokenOrder,
    /// The direction.
    pub direction: Direction,
    /// The cursor of the last page ([`TokenPage::next`]).
    pub after: Option<TokenId>,
    /// The maximum number of tokens on the page; `None` = all.
    pub limit: Option<u32>,
    /// The number of tokens to skip.
    pub offset: u64,
}

/// A page of tokens, or a portion of a list without a limit.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<RevealedToken>,
    /// The cursor of the next page; `None` if there is none, or if the order is not that of creation.
    pub next: Option<TokenId>,
    /// The rest of a list without a limit; `None` if there is none.
    pub rest: Option<TokenPortions>,
}

/// The rest of a list of tokens, which is read in portions, so that a list of any length takes bounded memory and never
/// occupies a thread for long. No token is in two portions; each is as it is when its portion is read.
#[derive(Clone)]
pub struct TokenPortions {
    changes: TokenChanges,
    source: Source,
}

/// Where the next tokens come from.
#[derive(Clone)]
enum Source {
    /// A query whose limit is that of the list, not of the portion.
    Query(Box<TokenQuery>),
    /// Tokens that were read but not opened, and the index of the next one.
    Read(Arc<[StoredToken]>, usize),
}

impl fmt::Debug for TokenPortions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPortions").finish_non_exhaustive()
    }
}

impl TokenFilter {
    /// The maximum number of tokens on a page, and in a portion.
    pub const MAX: u32 = 1_000;

    /// Returns when the tokens end that pass the filter at this moment: not yet at the first moment, but at the second.
    fn ends(&self, now: Timestamp) -> Ends {
        let of_status = match self.status {
            Some(TokenStatus::Expired) => Ends::by(now),
            Some(TokenStatus::Expiring) => Ends { after: Some(now), by: Some(TokenStatus::soon(now)) },
            Some(TokenStatus::Active) => Ends::after(TokenStatus::soon(now)),
            Some(TokenStatus::Disabled) | None => Ends::default(),
        };
        let of_expired = match self.expired {
            Some(true) => Ends::by(now),
            Some(false) => Ends::after(now),
            None => Ends::default(),
        };
        Ends {
            after: of_status.after.into_iter().chain(of_expired.after).max(),
            by: of_status.by.into_iter().chain(of_expired.by).chain(self.expires_by).min(),
        }
    }

    /// Returns a page of the readable tokens of the visible kinds that pass the filter.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a cursor with another order than that of creation; [`ServiceError::Unavailable`].
    pub(crate) async fn find(
        self,
        changes: &TokenChanges,
        readable: ReadableTokens,
        visible: impl IntoIterator<Item = TokenKind>,
    ) -> Result<TokenPage, ServiceError> {
        if self.after.is_some() && self.order != TokenOrder::CreatedAt {
            let message = "A cursor goes with the order of creation alone: use offset, or sort by createdAt.";
            return Err(ServiceError::query("cursor", message));
        }
        let kinds = visible.into_iter().filter(|kind| self.kind.is_none_or(|wanted| wanted == *kind));
        // An admin token is for all projects by its nature.
        let kinds = kinds.filter(|kind| !self.of_all_projects || *kind != TokenKind::Admin);
        let ends = self.ends(changes.changes.now());
        let query = TokenQuery {
            readable,
            project: self.project,
            of_all_projects: self.of_all_projects,
            environment: self.environment,
            name: self.name,
            name_contains: self.name_contains,
            attributes: self.attributes,
            enabled: self.status.map(|status| status != TokenStatus::Disabled),
            ends,
            unused_since: self.unused_since,
            order: self.order,
            direction: self.direction,
            after: self.after,
            page: Page { limit: self.limit.map(|limit| limit.min(Self::MAX)), offset: self.offset },
            ..TokenQuery::of_kinds(kinds)
        };
        read(changes, Source::Query(Box::new(query))).await
    }
}

impl TokenPage {
    /// Returns a page of all tokens of a list.
    pub(crate) fn whole(tokens: Vec<RevealedToken>) -> Self {
        Self { tokens, next: None, rest: None }
    }
}

impl TokenPortions {
    /// Returns the next portion.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn read(self) -> Result<TokenPage, ServiceError> {
        read(&self.changes, self.source).await
    }
}

async fn read(changes: &TokenChanges, source: Source) -> Result<TokenPage, ServiceError> {
    let query = match source {
        Source::Read(all, start) => return open(changes, all, start).await,
        Source::Query(query) => query,
    };
    let list_limit = query.page.limit;
    if list_limit.is_none() && query.order != TokenOrder::CreatedAt {
        // Tokens change places in such an order while it is read, so the store is asked once.
        let all = changes.tokens.tokens(&query).await?;
        return open(changes, all.into(), 0).await;
    }
    let limit = list_limit.unwrap_or(TokenFilter::MAX);
    // One more than is shown says whether there are more.
    let page = Page { limit: Some(limit + 1), ..query.page };
    let query = TokenQuery { page, ..*query };
    let mut stored = changes.tokens.tokens(&query).await?;
    let has_more = stored.len() > to_usize(limit);
    stored.truncate(to_usize(limit));
    let last = stored.last().map(|stored| stored.token.id);
    let next = last.filter(|_| has_more && query.order == TokenOrder::CreatedAt);
    let rest = next.filter(|_| list_limit.is_none()).map(|last| {
        let query = TokenQuery { after: Some(last), page: Page::default(), ..query };
        TokenPortions { changes: changes.clone(), source: Source::Query(Box::new(query)) }
    });
    let tokens = changes.reveal_all(stored).await?;
    Ok(TokenPage { tokens, next, rest })
}

/// Opens the next portion of tokens that were read.
async fn open(
    changes: &TokenChanges,
    all: Arc<[StoredToken]>,
    start: usize,
) -> Result<TokenPage, ServiceError> {
    let portion = all.iter().skip(start).take(to_usize(TokenFilter::MAX)).cloned();
    let tokens = changes.reveal_all(portion).await?;
    let end = start + tokens.len();
    let rest =
        (end < all.len()).then(|| TokenPortions { changes: changes.clone(), source: Source::Read(all, end) });
    Ok(TokenPage { tokens, next: None, rest })
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
