//! The filters, order and page that a list of tokens can be asked for, on the route of a project and on that of the
//! instance.

use actix_web::HttpRequest;
use latchkey_domain::{InvalidName, TokenId};
use latchkey_ports::{Direction, Page, TokenOrder};
use latchkey_service::{TokenFilter, TokenPage};
use utoipa::IntoParams;

use crate::{
    answers::{Answer, tagged},
    failure::Failure,
    query::Query,
    token_body::{TOKEN_BYTES, TokensBody},
};

const FILTERS: &[&str] =
    &["project", "environment", "type", "name", "expired", "unusedSince", "sortBy", "sortOrder"];
const PAGING: &[&str] = &["limit", "offset", "cursor"];

/// What a list of tokens can be asked for. With none of it, the answer is the plain list of all.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters for the document; `asked` reads them")]
pub(crate) struct TokenParameters {
    /// Only tokens that name this project. On a project's route: that project, and no other.
    #[param(example = "default")]
    project: Option<String>,
    /// Only tokens of this environment.
    #[param(example = "development")]
    environment: Option<String>,
    /// Only tokens of this type: `client` (or `backend`), `frontend` or `admin`.
    #[param(example = "client")]
    r#type: Option<String>,
    /// Only tokens whose name contains this text, case and all.
    #[param(example = "checkout")]
    name: Option<String>,
    /// Only tokens that are, or are not, expired now.
    expired: Option<bool>,
    /// Only tokens that were there before this moment, RFC 3339, and were not used at or after it.
    #[param(rename = "unusedSince", example = "2023-04-19T08:15:14.000Z")]
    unused_since: Option<String>,
    /// The order: `createdAt` (as without it), `tokenName`, `expiresAt` or `seenAt`.
    #[param(rename = "sortBy", example = "createdAt")]
    sort_by: Option<String>,
    /// `asc` (as without it) or `desc`.
    #[param(rename = "sortOrder", example = "asc")]
    sort_order: Option<String>,
    /// The most tokens to send.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// How many tokens to pass over.
    offset: Option<u64>,
    /// The `nextCursor` of the page before; for the order by creation alone.
    cursor: Option<String>,
}

/// What somebody asks of a list of tokens.
pub(crate) struct Asked {
    /// Which tokens, in which order.
    pub(crate) filter: TokenFilter,
    /// Whether a page was asked for, in the order that has cursors, so that the answer says where the next one begins.
    pub(crate) pages: bool,
}

/// What the query asks for; `None` for the plain list of all.
///
/// # Errors
/// [`Failure::BadInput`] with every problem of every parameter.
pub(crate) fn asked(mut query: Query) -> Result<Option<Asked>, Failure> {
    let pages = query.has_any(PAGING);
    if !(pages || query.has_any(FILTERS)) {
        return Ok(None);
    }
    let name = |error: InvalidName| format!("The {error}.");
    let page = query.page();
    let filter = TokenFilter {
        project: query.read("project", |text| text.parse().map_err(name)),
        environment: query.read("environment", |text| text.parse().map_err(name)),
        kind: query.read("type", |text| {
            text.parse().map_err(|_| "type must be client (or backend), frontend or admin.".to_owned())
        }),
        name: None,
        name_contains: query.text("name"),
        expired: query.boolean("expired"),
        unused_since: query.moment("unusedSince"),
        order: query.read("sortBy", order).unwrap_or_default(),
        direction: query.read("sortOrder", direction).unwrap_or_default(),
        after: query.read("cursor", |text| {
            TokenId::parse(text).ok_or_else(|| "cursor must be the nextCursor of the page before.".to_owned())
        }),
        limit: page.limit,
        offset: page.offset,
    };
    check_limit(&mut query, page);
    let pages = pages && filter.order == TokenOrder::CreatedAt;
    query.finish(Some(Asked { filter, pages }))
}

fn check_limit(query: &mut Query, page: Page) {
    let most = TokenFilter::MAX;
    if page.limit.is_some_and(|limit| !(1..=most).contains(&limit)) {
        query.problem("limit", format!("limit must lie between 1 and {most}."));
    }
}

fn order(text: &str) -> Result<TokenOrder, String> {
    match text {
        "createdAt" => Ok(TokenOrder::CreatedAt),
        "tokenName" => Ok(TokenOrder::Name),
        "expiresAt" => Ok(TokenOrder::ExpiresAt),
        "seenAt" => Ok(TokenOrder::SeenAt),
        _ => Err("sortBy must be createdAt, tokenName, expiresAt or seenAt.".to_owned()),
    }
}

fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "asc" => Ok(Direction::Ascending),
        "desc" => Ok(Direction::Descending),
        _ => Err("sortOrder must be asc or desc.".to_owned()),
    }
}

/// The answer to somebody who asked for more than the plain list.
pub(crate) fn found(request: &HttpRequest, page: &TokenPage, pages: bool) -> Answer {
    let body = if pages { TokensBody::of_page(page) } else { TokensBody::of(&page.tokens) };
    tagged(request, &body, 64 + TOKEN_BYTES * page.tokens.len())
}
