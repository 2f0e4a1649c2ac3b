//! The projects that tokens name, beside their rows.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection};
use latchkey_ports::StoredToken;

use crate::{
    errors::Failure,
    paging::MAX_BINDS,
    rows::{self, LinkRow, TokenRow},
    schema::api_token_projects,
    token_queries::links,
};

/// The token of a row.
pub(crate) fn with_links(connection: &mut SqliteConnection, row: TokenRow) -> Result<StoredToken, Failure> {
    let projects: Vec<String> = links(row.key()).load(connection)?;
    Ok(row.into_token(projects.iter().map(String::as_str))?)
}

/// The tokens of these rows, in the same order.
pub(crate) fn with_links_of_all(
    connection: &mut SqliteConnection,
    rows: Vec<TokenRow>,
) -> Result<Vec<StoredToken>, Failure> {
    let mut links = Vec::with_capacity(rows.len());
    for rows in rows.chunks(MAX_BINDS) {
        let some: Vec<LinkRow> = api_token_projects::table
            .filter(api_token_projects::token_id.eq_any(rows.iter().map(TokenRow::key)))
            .order((api_token_projects::token_id, api_token_projects::position))
            .select((api_token_projects::token_id, api_token_projects::project_id))
            .load(connection)?;
        links.extend(some);
    }
    Ok(rows::tokens_with_links(rows, &links)?)
}
