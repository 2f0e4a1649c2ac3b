//! The list of tokens as CSV, without secrets.

use std::iter;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::{StreamExt as _, stream};
use latchkey_domain::Timestamp;
use latchkey_http::pages::{ApiError, ApiResult, Query, TokenQuery, plain, table};
use latchkey_service::{RevealedToken, TokenFilter, TokenPage, TokenPortions};

use super::{
    list::{Address, Row, filter},
    listing::Listing,
    reach::Reach,
};
use crate::visitor::Visitor;

/// The columns, named as in JSON.
const COLUMNS: [&str; 11] = [
    "id",
    "name",
    "type",
    "projects",
    "environment",
    "status",
    "createdAt",
    "expiresAt",
    "lastUsedAt",
    "owner",
    "description",
];

/// Returns every token that the list has, of which a page shows 50. Read in portions, so that a list of any length takes
/// bounded memory.
pub(super) async fn csv(visitor: Visitor, reach: Reach, query: Query<TokenQuery>) -> ApiResult {
    let address = Address::of(&reach.path(), &visitor.browser.target);
    let now = visitor.use_cases().now();
    let filter = TokenFilter { limit: None, ..filter(&query, &address, now)? };
    let listing = Listing::of(&visitor, reach)?;
    let TokenPage { tokens, rest, .. } = listing.search(&visitor, filter).await?;
    let start = lines(iter::once(COLUMNS.map(ToOwned::to_owned)).chain(rows(tokens, now)))?;
    let rest = stream::try_unfold(rest, move |rest: Option<TokenPortions>| async move {
        let Some(rest) = rest else { return Ok::<_, ApiError>(None) };
        let TokenPage { tokens, rest, .. } = rest.read().await?;
        Ok(Some((lines(rows(tokens, now))?, rest)))
    });
    let body = stream::iter([Ok(start)]).chain(rest);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tokens.csv\""))
        .streaming(body))
}

fn lines(rows: impl Iterator<Item = [String; COLUMNS.len()]>) -> Result<Bytes, ApiError> {
    table(rows).map(Bytes::from).map_err(ApiError::internal)
}

fn rows(tokens: Vec<RevealedToken>, now: Timestamp) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    tokens.into_iter().map(move |token| cells(&Row::of(token.token, now)))
}

fn cells(row: &Row) -> [String; COLUMNS.len()] {
    let token = &row.token;
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    let attributes = &token.attributes;
    let projects = row.projects();
    let cells = [
        token.id.to_string(),
        token.name.as_str().to_owned(),
        token.access.kind().as_str().to_owned(),
        if projects.is_empty() { "*".to_owned() } else { projects.join(" ") },
        token.access.environment().map_or("*", |environment| environment.as_str()).to_owned(),
        row.status.as_str().to_owned(),
        token.created_at.to_string(),
        moment(token.expires_at),
        moment(token.last_used_at),
        attributes.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        attributes.description.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    cells.map(|cell| plain(&cell))
}
