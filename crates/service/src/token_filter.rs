//! Which tokens of a list somebody asks for, and the page that they get.

use latchkey_domain::{EnvironmentName, ProjectId, Timestamp, TokenId, TokenKind, TokenName};
use latchkey_ports::{AttributeFilter, Direction, Page, TokenOrder, TokenQuery};

use crate::{RevealedToken, ServiceError, token_changes::TokenChanges};

/// The filters, order and page of a list of tokens. Empty, it is the contract's plain list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenFilter {
    /// Only those that name this project.
    pub project: Option<ProjectId>,
    /// Only those that work in this environment.
    pub environment: Option<EnvironmentName>,
    /// Only those of this kind.
    pub kind: Option<TokenKind>,
    /// Only those of this very name.
    pub name: Option<TokenName>,
    /// Only those whose name contains this text.
    pub name_contains: Option<String>,
    /// Only those with this attribute.
    pub attribute_contains: Option<AttributeFilter>,
    /// Only those that are, or are not, expired now.
    pub expired: Option<bool>,
    /// Only those that were not used since that moment, though they were there before it.
    pub unused_since: Option<Timestamp>,
    /// The order.
    pub order: TokenOrder,
    /// Which way it runs.
    pub direction: Direction,
    /// Where the last page ended ([`TokenPage::next`]).
    pub after: Option<TokenId>,
    /// The most tokens on a page; `None` = all.
    pub limit: Option<u32>,
    /// How many tokens are passed over.
    pub offset: u64,
}

/// A page of tokens.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<RevealedToken>,
    /// Where the next page begins; `None` where there is none, and where the order is not that of creation.
    pub next: Option<TokenId>,
}

impl TokenFilter {
    /// The most tokens that one page may have.
    pub const MAX: u32 = 1_000;

    /// Finds those of the kinds that may be seen.
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
