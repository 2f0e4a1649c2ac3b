//! The filters, the order and the page of a list of tokens, on the route of a project and on that of the instance.

use deserr::Deserr;
use latchkey_domain::{EnvironmentName, ProjectId, Timestamp, TokenId, TokenKind};
use latchkey_ports::{AttributeFilter, Direction, TokenOrder};
use latchkey_service::TokenFilter;
use utoipa::IntoParams;

use crate::extract::{
    Problems,
    text::{FromText, Parsed, text_members},
};

/// The filters, the order and the page of a list of tokens. Without any of them, the list has all tokens.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct TokenQuery {
    /// Only tokens that name this project. On a project's route: that project, and no other.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    project: Option<ProjectId>,
    /// Only tokens of this environment.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "development", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    environment: Option<EnvironmentName>,
    /// Only tokens of this type: `client` (or `backend`), `frontend` or `admin`.
    #[deserr(default, rename = "type")]
    #[param(value_type = Option<String>, rename = "type", example = "client", pattern = "^(client|backend|frontend|admin)$")]
    kind: Option<TokenKind>,
    /// Only tokens whose name contains this text, in this case of letters.
    #[deserr(default)]
    #[param(example = "shop", pattern = "^[^\\u0000]*$")]
    name: Option<String>,
    /// Only tokens whose description contains this text, in this case of letters.
    #[deserr(default)]
    #[param(example = "shop", pattern = "^[^\\u0000]*$")]
    description: Option<String>,
    /// Only tokens that are, or are not, expired now.
    #[deserr(default)]
    #[param(value_type = Option<bool>)]
    expired: Option<Parsed<bool>>,
    /// Only tokens that were created before this time, as in RFC 3339, and were not used at or after it.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    unused_since: Option<Timestamp>,
    /// The order: `createdAt` (the default), `tokenName`, `expiresAt` or `seenAt`.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "createdAt", pattern = "^(createdAt|tokenName|expiresAt|seenAt)$")]
    sort_by: Option<TokenOrder>,
    /// `asc` (the default) or `desc`.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "asc", pattern = "^(asc|desc)$")]
    sort_order: Option<Direction>,
    /// The maximum number of tokens to return.
    #[deserr(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
    /// The number of tokens to skip.
    #[deserr(default)]
    #[param(value_type = Option<u64>, format = "uint64")]
    offset: Option<Parsed<u64>>,
    /// The `nextCursor` of the page before; only in the order of creation.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = "uuid")]
    cursor: Option<TokenId>,
}

impl TokenQuery {
    /// Returns whether the response says where the next page begins: for a page in the order that has cursors.
    pub(crate) fn has_cursor(&self) -> bool {
        let is_page = self.limit.is_some() || self.offset.is_some() || self.cursor.is_some();
        is_page && matches!(self.sort_by, None | Some(TokenOrder::CreatedAt))
    }
}

impl From<TokenQuery> for TokenFilter {
    fn from(query: TokenQuery) -> Self {
        Self {
            project: query.project,
            environment: query.environment,
            kind: query.kind,
            name: None,
            name_contains: query.name,
            attribute_contains: query.description.map(|text| AttributeFilter { name: "description", text }),
            expired: query.expired.map(|Parsed(expired)| expired),
            unused_since: query.unused_since,
            order: query.sort_by.unwrap_or_default(),
            direction: query.sort_order.unwrap_or_default(),
            after: query.cursor,
            limit: query.limit.map(|Limit(limit)| limit),
            offset: query.offset.map_or(0, |Parsed(offset)| offset),
        }
    }
}

/// The size of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(u32);

text_members!(Limit, TokenOrder, Direction);

impl FromText for Limit {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        let limit = u32::from_text(text, name)?;
        if (1..=TokenFilter::MAX).contains(&limit) {
            return Ok(Self(limit));
        }
        Err(format!("{name} must lie between 1 and {}.", TokenFilter::MAX))
    }
}

impl FromText for TokenOrder {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        match text {
            "createdAt" => Ok(Self::CreatedAt),
            "tokenName" => Ok(Self::Name),
            "expiresAt" => Ok(Self::ExpiresAt),
            "seenAt" => Ok(Self::SeenAt),
            _ => Err(format!("{name} must be createdAt, tokenName, expiresAt or seenAt.")),
        }
    }
}

impl FromText for Direction {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(format!("{name} must be asc or desc.")),
        }
    }
}
