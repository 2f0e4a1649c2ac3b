//! The statements that find API tokens. Each is made in one function, which the test of query plans calls as well.
//!
//! They are written in diesel's language and not as text, because diesel keeps only such statements prepared.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, RunQueryDsl,
    SelectableHelper, SqliteConnection,
    dsl::{AsSelect, auto_type, count_star},
    sqlite::Sqlite,
};
use latchkey_ports::StoredToken;

use crate::{
    errors::DbError,
    paging::MAX_BINDS,
    rows::{self, LinkRow, TokenRow, TokenSecretsRow},
    schema::{api_token_projects, api_tokens, project_token_counts, retired_secrets},
};

// All projects_of_token of a token that was found by one of them.
diesel::alias! {
    pub const LINKS: Alias<Links> = api_token_projects as projects_of_token;
}

type ShownToken = AsSelect<TokenRow, Sqlite>;

/// The hot read: the tokens that name a project, by id. Down one index of the projects_of_token, one step to each token.
#[auto_type]
pub(crate) fn tokens_of_project<'a>(project: &'a str) -> _ {
    let row: ShownToken = TokenRow::as_select();
    api_token_projects::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(api_token_projects::token_id)))
        .filter(api_token_projects::project_id.eq(project))
        .order(api_token_projects::token_id)
        .select(row)
}

/// The projects_of_token of those tokens of a project that name others too, in the same order, then as they were named.
#[auto_type]
pub(crate) fn links_beyond_project<'a>(project: &'a str) -> _ {
    api_token_projects::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(api_token_projects::token_id)))
        .inner_join(LINKS.on(LINKS.field(api_token_projects::token_id).eq(api_tokens::id)))
        .filter(api_token_projects::project_id.eq(project))
        .filter(api_tokens::named_projects.gt(1_i64))
        .order((api_token_projects::token_id, LINKS.field(api_token_projects::position)))
        .select((LINKS.field(api_token_projects::token_id), LINKS.field(api_token_projects::project_id)))
}

/// The projects that a token names, as they were named.
#[auto_type]
pub(crate) fn projects_of_token<'a>(token: &'a [u8]) -> _ {
    api_token_projects::table
        .filter(api_token_projects::token_id.eq(token))
        .order(api_token_projects::position)
        .select(api_token_projects::project_id)
}

/// The token of an id.
#[auto_type]
pub(crate) fn token_by_id<'a>(id: &'a [u8]) -> _ {
    let row: ShownToken = TokenRow::as_select();
    api_tokens::table.filter(api_tokens::id.eq(id)).select(row)
}

/// The token whose secret or alias has this digest: two steps in two unique indexes.
#[auto_type]
pub(crate) fn token_by_digest<'a>(digest: &'a [u8]) -> _ {
    let row: ShownToken = TokenRow::as_select();
    api_tokens::table
        .filter(api_tokens::secret_digest.nullable().eq(digest).or(api_tokens::alias_digest.eq(digest)))
        .select(row)
}

/// The token of which a secret that a rotation retired has this digest, and until when that is good.
#[auto_type]
pub(crate) fn token_by_retired_digest<'a>(digest: &'a [u8]) -> _ {
    let row: ShownToken = TokenRow::as_select();
    retired_secrets::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(retired_secrets::token_id)))
        .filter(retired_secrets::secret_digest.eq(digest))
        .select((row, retired_secrets::good_until))
}

/// The next tokens that name a project, after an id, by id.
#[auto_type]
pub(crate) fn tokens_of_project_after<'a>(project: &'a str, after: &'a [u8], number: i64) -> _ {
    let row: ShownToken = TokenRow::as_select();
    api_token_projects::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(api_token_projects::token_id)))
        .filter(api_token_projects::project_id.eq(project))
        .filter(api_token_projects::token_id.gt(after))
        .order(api_token_projects::token_id)
        .limit(number)
        .select(row)
}

/// The next tokens that work in an environment, after an id, by id.
#[auto_type]
pub(crate) fn tokens_of_environment_after<'a>(environment: &'a str, after: &'a [u8], number: i64) -> _ {
    let row: ShownToken = TokenRow::as_select();
    api_tokens::table
        .filter(api_tokens::environment.eq(environment))
        .filter(api_tokens::id.gt(after))
        .order(api_tokens::id)
        .limit(number)
        .select(row)
}

/// What is kept of the secrets of the next tokens, after an id, by id.
#[auto_type]
pub(crate) fn token_secrets_after<'a>(id: &'a [u8], number: i64) -> _ {
    let row: AsSelect<TokenSecretsRow, Sqlite> = TokenSecretsRow::as_select();
    api_tokens::table.filter(api_tokens::id.gt(id)).order(api_tokens::id).limit(number).select(row)
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

/// The token of a row.
pub(crate) fn with_links(connection: &mut SqliteConnection, row: TokenRow) -> Result<StoredToken, DbError> {
    let projects: Vec<String> = projects_of_token(row.key()).load(connection)?;
    Ok(row.into_token(projects.iter().map(String::as_str))?)
}

/// The tokens of these rows, in the same order.
pub(crate) fn with_links_of_all(
    connection: &mut SqliteConnection,
    rows: Vec<TokenRow>,
) -> Result<Vec<StoredToken>, DbError> {
    let mut projects_of_token = Vec::with_capacity(rows.len());
    for rows in rows.chunks(MAX_BINDS) {
        let some: Vec<LinkRow> = api_token_projects::table
            .filter(api_token_projects::token_id.eq_any(rows.iter().map(TokenRow::key)))
            .order((api_token_projects::token_id, api_token_projects::position))
            .select((api_token_projects::token_id, api_token_projects::project_id))
            .load(connection)?;
        projects_of_token.extend(some);
    }
    Ok(rows::tokens_with_links(rows, &projects_of_token)?)
}
