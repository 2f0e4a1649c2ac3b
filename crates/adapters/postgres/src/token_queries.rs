//! The statements that find API tokens. Each is made in one function, which the test of query plans calls as well.
//!
//! They are written in diesel's language and not as text, because diesel keeps only such statements prepared.

#![expect(
    clippy::elidable_lifetime_names,
    reason = "`auto_type` writes the lifetime into the type that it makes"
)]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult,
    dsl::{array, auto_type, count_star, exists},
    select,
    sql_types::Text,
};
use diesel_async::RunQueryDsl;
use latchkey_ports::{Import, SecretDigest};
use latchkey_sql::{
    columns::{DbId, Id},
    errors::DbError,
    rows,
    schema::{api_token_projects, api_tokens, project_token_counts, retired_secrets, token_rows},
    token_columns,
};

use crate::connection::{Connection, Unprepared};

/// A token and the projects that it names, in order.
pub(crate) type TokenRow = rows::TokenRow<rows::ProjectIds>;

/// The columns of a [`TokenRow`].
pub(crate) type TokenColumns = token_columns!(token_rows, project_ids);

/// The columns of a [`TokenRow`].
pub(crate) const TOKEN_COLUMNS: TokenColumns = token_columns!(token_rows, project_ids);

/// The hot read: the next tokens that name a project, from an id on, usually but not certainly by id. Sort them: on the server
/// that would take a tenth of the time of the whole statement, and in the process it takes next to none.
///
/// First their ids, down the key of `api_token_projects`, then one step to each token. As an array the ids leave the
/// planner no join to choose, so it never reads the tokens of all projects, whatever the table's size and the server's
/// settings.
///
/// The ids of all projects that a token names would take a seventh of the time: read them with
/// [`latchkey_sql::queries::projects_of_tokens()`], for tokens that may name several.
#[auto_type]
pub(crate) fn tokens_of_project_from<'a>(project: &'a str, from: DbId, limit: i64) -> _ {
    let columns: ColumnsWithoutProjects = COLUMNS_WITHOUT_PROJECTS;
    let ids: IdsFrom<'a> = array(token_ids_of_project_from(project, from, limit));
    token_rows::table.filter(token_rows::id.eq_any(ids)).select(columns)
}

type IdsFrom<'a> = diesel::dsl::array<Id, token_ids_of_project_from<'a>>;

#[auto_type]
fn token_ids_of_project_from<'a>(project: &'a str, from: DbId, limit: i64) -> _ {
    let ids: token_ids_of_project<'a> = token_ids_of_project(project);
    ids.filter(api_token_projects::token_id.ge(from)).order(api_token_projects::token_id).limit(limit)
}

/// A token, and whether it may name several projects.
pub(crate) type TokenWithoutProjects = rows::TokenRow<bool>;

type ColumnsWithoutProjects = token_columns!(token_rows, may_name_several);
const COLUMNS_WITHOUT_PROJECTS: ColumnsWithoutProjects = token_columns!(token_rows, may_name_several);

/// The ids of the tokens that name a project.
#[auto_type]
pub(crate) fn token_ids_of_project<'a>(project: &'a str) -> _ {
    api_token_projects::table
        .filter(api_token_projects::project_id.eq(project))
        .select(api_token_projects::token_id)
}

/// The token of an id.
#[auto_type]
pub(crate) fn token_by_id(id: DbId) -> _ {
    let columns: TokenColumns = TOKEN_COLUMNS;
    token_rows::table.filter(token_rows::id.eq(id)).select(columns)
}

/// The token of a selector.
#[auto_type]
pub(crate) fn token_by_selector<'a>(selector: &'a str) -> _ {
    let columns: TokenColumns = TOKEN_COLUMNS;
    token_rows::table.filter(token_rows::selector.eq(selector)).select(columns)
}

/// The tokens of these ids, by id.
#[auto_type]
pub(crate) fn tokens_by_ids<'a>(ids: &'a [DbId]) -> _ {
    let columns: TokenColumns = TOKEN_COLUMNS;
    token_rows::table.filter(token_rows::id.eq_any(ids)).order(token_rows::id).select(columns)
}

/// The tokens whose secret, alias or retired secret has one of these digests: steps in three unique indexes.
///
/// To be loaded as a whole, it is nearly always one row. For the first row alone, or for the question whether there is one, the
/// planner would read every token, in the hope of an early end.
#[auto_type]
pub(crate) fn token_by_digest<'a>(digests: &'a [&'a [u8]]) -> _ {
    let columns: TokenColumns = TOKEN_COLUMNS;
    let retired: IdsOfRetired<'a> = array(ids_of_retired(digests));
    token_rows::table
        .filter(
            token_rows::secret_digest
                .eq_any(digests)
                .or(token_rows::alias_digest.assume_not_null().eq_any(digests))
                .or(token_rows::id.eq_any(retired)),
        )
        .select(columns)
}

/// How many digests a statement looks for at most: for more of them, the planner would rather read all tokens.
const MAX_DIGESTS: usize = 250;
/// The same where there are few tokens: to read all of them is the best plan then.
const MAX_DIGESTS_AMONG_FEW: usize = 20_000;

/// Loads the tokens of any number of digests: those of [`token_by_digest`], one of them perhaps twice.
pub(crate) async fn tokens_by_digests(
    connection: &mut Connection,
    digests: &[SecretDigest],
) -> QueryResult<Vec<TokenRow>> {
    let digests: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
    let among_few = digests.len() > MAX_DIGESTS && has_few_tokens(connection).await?;
    let at_once = if among_few { MAX_DIGESTS_AMONG_FEW } else { MAX_DIGESTS };
    let mut found = Vec::new();
    for some in digests.chunks(at_once) {
        // A plan from when the table was small reads all of it, and would be kept while the first thousands are created.
        let rows: Vec<TokenRow> = Unprepared(token_by_digest(some)).load(connection).await?;
        found.extend(rows);
    }
    Ok(found)
}

type IdsOfRetired<'a> = diesel::dsl::array<Id, ids_of_retired<'a>>;

#[auto_type]
fn ids_of_retired<'a>(digests: &'a [&'a [u8]]) -> _ {
    retired_secrets::table
        .filter(retired_secrets::secret_digest.eq_any(digests))
        .select(retired_secrets::token_id)
}

/// Which of these digests that token's retired secret has, and until when it is good.
#[auto_type]
pub(crate) fn end_of_retired_secret<'a>(token: DbId, digests: &'a [&'a [u8]]) -> _ {
    retired_secrets::table
        .filter(retired_secrets::secret_digest.eq_any(digests))
        .filter(retired_secrets::token_id.eq(token))
        .select((retired_secrets::secret_digest, retired_secrets::good_until))
}

/// Until when the retired secrets of a token are good, soonest first.
#[auto_type]
pub(crate) fn ends_of_retired_secrets(token: DbId) -> _ {
    retired_secrets::table
        .filter(retired_secrets::token_id.eq(token))
        .order(retired_secrets::good_until.asc())
        .select(retired_secrets::good_until)
}

/// The retired secrets of these digests, with their tokens and until when they are good.
#[auto_type]
pub(crate) fn retired_secrets_of<'a>(digests: &'a [&'a [u8]]) -> _ {
    retired_secrets::table.filter(retired_secrets::secret_digest.eq_any(digests)).select((
        retired_secrets::secret_digest,
        retired_secrets::token_id,
        retired_secrets::good_until,
    ))
}

diesel::define_sql_function! {
    /// The value of a setting of the server.
    fn current_setting(name: Text) -> Text;
}

/// How many tokens name each of these projects, by project, and how many connections the server allows.
#[auto_type]
pub(crate) fn count_tokens_of_projects<'a>(projects: &'a [&'a str]) -> _ {
    project_token_counts::table
        .filter(project_token_counts::project_id.eq_any(projects))
        .order(project_token_counts::project_id)
        .select((project_token_counts::tokens, current_setting("max_connections")))
}

/// How many tokens are for all projects, and how many connections the server allows. The bare column is the very condition
/// of the partial index.
#[auto_type]
pub(crate) fn count_tokens_of_all_projects() -> _ {
    api_tokens::table
        .filter(api_tokens::all_projects)
        .select((count_star(), current_setting("max_connections")))
}

/// Whether there are at most [`Import::FEW_TOKENS`].
async fn has_few_tokens(connection: &mut Connection) -> QueryResult<bool> {
    let beyond = api_tokens::table.select(api_tokens::id).offset(Import::FEW_TOKENS.into()).limit(1);
    Ok(beyond.load::<DbId>(connection).await?.is_empty())
}

/// Whether there is any token.
pub(crate) async fn any_token(connection: &mut Connection) -> Result<bool, DbError> {
    Ok(select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection).await?)
}

/// Notes when tokens last authenticated. Rows are locked in order, so that two processes cannot wait for each other.
pub(crate) const RECORD_USE: &str = "\
    WITH latest AS (\
        SELECT kept.id, seen.at FROM api_tokens AS kept \
        INNER JOIN (SELECT id, max(at) AS at FROM unnest($1, $2) AS one (id, at) GROUP BY id) AS seen USING (id) \
        WHERE kept.seen_at IS NULL OR kept.seen_at < seen.at ORDER BY kept.id FOR NO KEY UPDATE OF kept) \
    UPDATE api_tokens SET seen_at = latest.at FROM latest WHERE api_tokens.id = latest.id";
