//! The statements that find API tokens. Each is made in one function, which the test of query plans calls as well.
//!
//! They are written in diesel's language and not as text, because diesel keeps only such statements prepared.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl,
    SqliteConnection,
    connection::DefaultLoadingMode,
    dsl::{auto_type, count_star},
};
use latchkey_domain::ProjectId;
use latchkey_ports::StoredToken;
use latchkey_sql::{
    columns::{DbId, Parsed},
    errors::DbError,
    queries::projects_of_tokens,
    rows,
    schema::{api_token_projects, api_tokens, project_token_counts, retired_secrets},
    token_columns,
};

use crate::paging::MAX_BINDS;

/// A token and the number of projects that it names.
pub(crate) type TokenRow = rows::TokenRow<i64>;

/// The columns of a [`TokenRow`].
pub(crate) type TokenColumns = token_columns!(api_tokens, named_projects);

/// The columns of a [`TokenRow`].
pub(crate) const TOKEN_COLUMNS: TokenColumns = token_columns!(api_tokens, named_projects);

/// The projects that a token names, as they were named.
#[auto_type]
pub(crate) fn projects_of_token(token: DbId) -> _ {
    api_token_projects::table
        .filter(api_token_projects::token_id.eq(token))
        .order(api_token_projects::position)
        .select(api_token_projects::project_id)
}

/// The token of an id.
#[auto_type]
pub(crate) fn token_by_id(id: DbId) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    api_tokens::table.filter(api_tokens::id.eq(id)).select(row)
}

/// The token of a selector.
#[auto_type]
pub(crate) fn token_by_selector<'a>(selector: &'a str) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    api_tokens::table.filter(api_tokens::selector.eq(selector)).select(row)
}

/// The token whose secret or alias has this digest: two steps in two unique indexes.
#[auto_type]
pub(crate) fn token_by_digest<'a>(digest: &'a [u8]) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    api_tokens::table
        .filter(api_tokens::secret_digest.nullable().eq(digest).or(api_tokens::alias_digest.eq(digest)))
        .select(row)
}

/// Until when the retired secrets of a token are good, soonest first.
#[auto_type]
pub(crate) fn ends_of_retired_secrets(token: DbId) -> _ {
    retired_secrets::table
        .filter(retired_secrets::token_id.eq(token))
        .order(retired_secrets::good_until.asc())
        .select(retired_secrets::good_until)
}

/// The token of which a secret that a rotation retired has this digest, and until when that is good.
#[auto_type]
pub(crate) fn token_by_retired_digest<'a>(digest: &'a [u8]) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    retired_secrets::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(retired_secrets::token_id)))
        .filter(retired_secrets::secret_digest.eq(digest))
        .select((row, retired_secrets::good_until))
}

/// The hot read: the tokens that name a project, from an id on, by id. Down one index of the links, one step to each token.
///
/// It has no `LIMIT`, because `SQLite` looks at the bound number when it plans, and so plans anew for each execution
/// (`sqlite3ExprIsInteger`), which takes as long as all the rest of a short list. Read it with [`first_tokens_of_project`].
#[auto_type]
pub(crate) fn tokens_of_project_from<'a>(project: &'a str, from: DbId) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    api_token_projects::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(api_token_projects::token_id)))
        .filter(api_token_projects::project_id.eq(project))
        .filter(api_token_projects::token_id.ge(from))
        .order(api_token_projects::token_id)
        .select(row)
}

/// Reads the next tokens that name a project, from an id on. The order is that of the index, so no other is read.
pub(crate) fn first_tokens_of_project(
    connection: &mut SqliteConnection,
    project: &str,
    from: DbId,
    number: u32,
) -> Result<Vec<TokenRow>, DbError> {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let rows = tokens_of_project_from(project, from).load_iter::<_, DefaultLoadingMode>(connection)?;
    Ok(rows.take(number).collect::<Result<_, _>>()?)
}

/// The next tokens that work in an environment, after an id, by id.
#[auto_type]
pub(crate) fn tokens_of_environment_after<'a>(environment: &'a str, after: DbId, number: i64) -> _ {
    let row: TokenColumns = TOKEN_COLUMNS;
    api_tokens::table
        .filter(api_tokens::environment.eq(environment))
        .filter(api_tokens::id.gt(after))
        .order(api_tokens::id)
        .limit(number)
        .select(row)
}

/// How many tokens name a project, as the triggers count them.
#[auto_type]
pub(crate) fn count_tokens_of_project<'a>(project: &'a str) -> _ {
    project_token_counts::table.find(project).select(project_token_counts::tokens)
}

/// How many tokens are for all projects. The bare column is the very condition of the partial index.
#[auto_type]
pub(crate) fn count_tokens_of_all_projects() -> _ {
    api_tokens::table.filter(api_tokens::all_projects).select(count_star())
}

/// Notes when tokens last authenticated. The one bind is JSON: `[["<id in hex>", <milliseconds>], …]`.
pub(crate) const RECORD_USE: &str = "\
    UPDATE api_tokens SET seen_at = latest.at \
    FROM (SELECT unhex(value ->> 0) AS id, max(value ->> 1) AS at FROM json_each(?) GROUP BY 1) AS latest \
    WHERE api_tokens.id = latest.id AND (api_tokens.seen_at IS NULL OR api_tokens.seen_at < latest.at)";

/// Reads the projects of a token and converts its row.
pub(crate) fn with_links(connection: &mut SqliteConnection, row: TokenRow) -> Result<StoredToken, DbError> {
    let projects = projects_of_token(row.id()).load(connection)?;
    Ok(row.into_checked_token(projects)?)
}

/// Reads the projects of tokens and converts their rows, in the same order. If all of them name one project, those that
/// name no other need no look-up.
pub(crate) fn with_links_of_all(
    connection: &mut SqliteConnection,
    rows: Vec<TokenRow>,
    common: Option<&ProjectId>,
) -> Result<Vec<StoredToken>, DbError> {
    let only = |row: &TokenRow| common.filter(|_| row.named_projects() == 1);
    let ids: Vec<_> = rows.iter().filter(|row| only(row).is_none()).map(TokenRow::id).collect();
    let mut links = Vec::new();
    for ids in ids.chunks(MAX_BINDS) {
        links.extend(projects_of_tokens(ids).load(connection)?);
    }
    let mut projects = rows::projects_by_token(links);
    let token = |row: TokenRow| {
        let named = match only(&row) {
            Some(project) => vec![Parsed(Ok(project.clone()))],
            None => projects.remove(&row.id()).unwrap_or_default(),
        };
        row.into_checked_token(named)
    };
    let tokens: Result<_, _> = rows.into_iter().map(token).collect();
    Ok(tokens?)
}
