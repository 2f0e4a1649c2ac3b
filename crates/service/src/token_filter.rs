//! Filters for lists of tokens, and the resulting pages.

use latchkey_domain::{EnvironmentName, ProjectId, Timestamp, TokenId, TokenKind, TokenName};
use latchkey_ports::{AttributeFilter, Direction, Page, TokenOrder, TokenQuery};

use crate::{RevealedToken, ServiceError, token_changes::TokenChanges};

/// The filters, order and page of a list of tokens. The default is the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenFilter {
    /// Only those that name this project.
    pub project: Option<ProjectId>,
    /// Only those that work in this environment.
    pub environment: Option<EnvironmentName>,
    /// Only those of this kind.
    pub kind: Option<TokenKind>,
    /// Only those of exactly this name.
    pub name: Option<TokenName>,
    /// Only those whose name contains this text.
    pub name_contains: Option<String>,
    /// Only those with this attribute.
    pub attribute_contains: Option<AttributeFilter>,
    /// Only those that are (`true`) or are not (`false`) expired now.
    pub expired: Option<bool>,
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

/// A page of tokens.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<RevealedToken>,
    /// The cursor of the next page; `None` if there is none, or if the order is not that of creation.
    pub next: Option<TokenId>,
}

impl TokenFilter {
    /// The maximum number of tokens on a page.
    pub const MAX: u32 = 1_000;

    /// Returns the tokens of the visible kinds that pass the filter.
    pub(crate) async fn find(
        self,
        changes: &TokenChanges,
        visible: impl IntoIterator<Item = TokenKind>,
    ) -> Result<TokenPage, ServiceError> {
        if self.after.is_some() && self.order != TokenOrder::CreatedAt {
            let message = "A cursor goes with the order of creation alone: use offset, or sort by createdAt.";
            return Err(ServiceError::query("cursor", message));
        }
        let kinds = visible.into_iter().filter(|kind| self.kind.is_none_or(|wanted| wanted == *kind));
        let limit = self.limit.map(|limit| limit.min(Self::MAX));
        let query = TokenQuery {
            project: self.project,
            environment: self.environment,
            name: self.name,
            name_contains: self.name_contains,
            attribute_contains: self.attribute_contains,
            expired: self.expired.map(|expired| (expired, changes.changes.now())),
            unused_since: self.unused_since,
            order: self.order,
            direction: self.direction,
            after: self.after,
            // One more than is shown says whether there is a next page.
            page: Page { limit: limit.map(|limit| limit + 1), offset: self.offset },
            ..TokenQuery::of_kinds(kinds)
        };
        let mut stored = changes.tokens.tokens(&query).await?;
        let shown = limit.map_or(stored.len(), |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let has_more = stored.len() > shown;
        stored.truncate(shown);
        let last = stored.last().map(|stored| stored.token.id);
        let next = last.filter(|_| has_more && self.order == TokenOrder::CreatedAt);
        let tokens = stored.into_iter().map(|stored| changes.issuer.reveal(stored)).collect();
        Ok(TokenPage { tokens, next })
    }
}
