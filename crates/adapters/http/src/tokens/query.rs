//! The filters, the order and the page of a list of tokens, on the route of a project and on that of the instance.

use deserr::Deserr;
use latchkey_domain::{
    EnvironmentName, Metadata, ProjectId, Timestamp, TokenId, TokenKind, TokenStatus, whole,
};
use latchkey_ports::{AttributeFilter, Direction, TokenOrder};
use latchkey_service::{Message, TokenFilter};
use serde_json::Value;
use utoipa::IntoParams;

use crate::{
    error::ApiError,
    error_body::Detail,
    extract::{
        Problems, Query,
        problems::parse,
        text::{FromText, Parsed, text_members},
    },
};

/// The filters, the order and the page of a list of tokens. Without any of them, the list has all tokens.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct TokenQuery {
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
    /// Only tokens of exactly this owner.
    #[deserr(default)]
    #[param(example = "team-checkout@example.com", pattern = "^[^\\u0000]*$")]
    owner: Option<String>,
    /// Only tokens of this status: `disabled`; of those that are enabled `expired`, `expiring` (within 14 days) or `active`.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "active", pattern = "^(disabled|expired|expiring|active)$")]
    status: Option<TokenStatus>,
    /// Only tokens that are, or are not, expired now.
    #[deserr(default)]
    #[param(value_type = Option<bool>)]
    expired: Option<Parsed<bool>>,
    /// Only tokens that expire at or before this time, as in RFC 3339.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    expires_by: Option<Timestamp>,
    /// Only tokens that were created before this time, as in RFC 3339, and were not used at or after it.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    unused_since: Option<Timestamp>,
    /// The order: `createdAt` (the default), `tokenName`, `type`, `project` (the smallest id that a token names; those for all
    /// projects first), `environment`, `owner` (those without one first), `status` (disabled, expired, expiring, active),
    /// `expiresAt` or `seenAt`.
    #[deserr(default)]
    #[param(
        value_type = Option<String>,
        example = "createdAt",
        pattern = "^(createdAt|tokenName|type|project|environment|owner|status|expiresAt|seenAt)$"
    )]
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

/// What a parameter begins with that filters by a member of the metadata. The rest of its name is that of the member.
const METADATA: &str = "metadata.";

impl TokenQuery {
    /// Reads the query. Returns the filter, and whether the response says where the next page begins: for a page in the order
    /// that has cursors.
    ///
    /// # Errors
    /// [`ApiError::BadInput`].
    pub fn read(query: &Query<Self>) -> Result<(TokenFilter, bool), ApiError> {
        let (by_metadata, members) = query.split(METADATA)?;
        let mut attributes = by_metadata.into_iter().map(metadata_filter).collect::<Result<Vec<_>, _>>()?;
        let query: Self = parse(members, "query")?;
        attributes
            .extend(query.description.map(|text| AttributeFilter::Contains { name: "description", text }));
        attributes.extend(query.owner.map(AttributeFilter::owner));
        let is_page = query.limit.is_some() || query.offset.is_some() || query.cursor.is_some();
        let has_cursor = is_page && matches!(query.sort_by, None | Some(TokenOrder::CreatedAt));
        let filter = TokenFilter {
            project: query.project,
            of_all_projects: false,
            environment: query.environment,
            kind: query.kind,
            name: None,
            name_contains: query.name,
            attributes,
            status: query.status,
            expired: query.expired.map(|Parsed(expired)| expired),
            expires_by: query.expires_by,
            unused_since: query.unused_since,
            order: query.sort_by.unwrap_or_default(),
            direction: query.sort_order.unwrap_or_default(),
            after: query.cursor,
            limit: query.limit.map(|Limit(limit)| limit),
            offset: query.offset.map_or(0, |Parsed(offset)| offset),
        };
        Ok((filter, has_cursor))
    }
}

/// A value in a query is text. It stands for that text, and for the number, boolean or null that is written so in JSON.
fn metadata_filter((name, text): (String, String)) -> Result<AttributeFilter, ApiError> {
    if !Metadata::is_key(&name) {
        let message = "No member of metadata has such a name: it has 1 to 64 of the characters A-Z, a-z, 0-9, _, . and -.";
        return Err(ApiError::BadInput(vec![Detail::of_query(&format!("{METADATA}{name}"), message)]));
    }
    let scalar =
        serde_json::from_str(&text).ok().filter(|value: &Value| !value.is_object() && !value.is_array());
    let values = scalar.map(whole).into_iter().chain([Value::String(text)]).collect();
    Ok(AttributeFilter::Is { path: vec!["metadata".to_owned(), name], values })
}

/// The size of a page: 1 to [`TokenFilter::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) u32);

text_members!(Limit, TokenOrder, Direction);

impl FromText for Limit {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        let limit = u32::from_text(text, name)?;
        if (1..=TokenFilter::MAX).contains(&limit) {
            return Ok(Self(limit));
        }
        Err(format!("{name} must lie between 1 and {}.", TokenFilter::MAX).into())
    }
}

impl FromText for TokenOrder {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        match text {
            "createdAt" => Ok(Self::CreatedAt),
            "tokenName" => Ok(Self::Name),
            "type" => Ok(Self::Kind),
            "project" => Ok(Self::Project),
            "environment" => Ok(Self::Environment),
            "owner" => Ok(Self::Owner),
            "status" => Ok(Self::Status),
            "expiresAt" => Ok(Self::ExpiresAt),
            "seenAt" => Ok(Self::SeenAt),
            _ => Err(format!(
                "{name} must be createdAt, tokenName, type, project, environment, owner, status, expiresAt or seenAt."
            )
            .into()),
        }
    }
}

impl FromText for Direction {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(format!("{name} must be asc or desc.").into()),
        }
    }
}
