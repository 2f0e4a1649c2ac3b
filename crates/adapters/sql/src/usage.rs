//! How often tokens are used: the statements that read it.

use std::ops::Range;

use diesel::{
    backend::Backend,
    query_builder::{BoxedSqlQuery, SqlQuery},
    serialize::ToSql,
    sql_query,
    sql_types::{HasSqlType, Text},
};
use latchkey_domain::{Hour, TokenKind};
use latchkey_ports::UsageScope;

use crate::columns::{DbId, DbInt, Id, Int};

/// The number of rows that are deleted at once, so that others can write in between.
pub const FORGOTTEN_AT_ONCE: usize = 5_000;

/// Selects the last addresses of the token `$1`.
pub const ADDRESSES: &str = "SELECT token_id, address, seen_at FROM token_addresses WHERE token_id = $1 ORDER BY seen_at DESC, address";

/// Selects the tokens with ids from `$4` on that had the outcome `$1` in the hours from `$2` to before `$3`, each with the last such
/// hour; at most `$5`.
pub const LAST_HOURS: &str = "\
    SELECT token_id, max(hour) AS hour FROM token_usage \
    WHERE outcome = $1 AND hour >= $2 AND hour < $3 AND token_id >= $4 GROUP BY token_id ORDER BY token_id LIMIT $5";

/// Returns the statement that sums the uses of tokens by hour and outcome. Its binds are those of the scope, and the hours from
/// the first to the one after the last: the id of the token, the id of the project, or three kinds.
#[must_use]
pub fn sum_by_hour(scope: &UsageScope) -> String {
    let (source, after) = source(scope);
    format!(
        "SELECT used.hour, used.outcome, CAST(sum(used.count) AS bigint) AS count {source} \
         AND used.hour >= ${} AND used.hour < ${} GROUP BY used.hour, used.outcome",
        after,
        after + 1
    )
}

/// Returns the statement that sums the uses of each token and selects those that were used most. Its binds are those of
/// [`sum_by_hour`], and the number of tokens.
#[must_use]
pub fn most_used(scope: &UsageScope) -> String {
    let (source, after) = source(scope);
    format!(
        "SELECT token.id, token.name, \
         CAST(sum(CASE WHEN used.outcome = 'verified' THEN used.count ELSE 0 END) AS bigint) AS verified, \
         CAST(sum(CASE WHEN used.outcome = 'verified' THEN 0 ELSE used.count END) AS bigint) AS refused {source} \
         AND used.hour >= ${} AND used.hour < ${} \
         GROUP BY token.id, token.name ORDER BY sum(used.count) DESC, token.id LIMIT ${}",
        after,
        after + 1,
        after + 2
    )
}

/// Returns where the uses of these tokens are, and the number of the bind after those of the scope.
fn source(scope: &UsageScope) -> (&'static str, u32) {
    match scope {
        UsageScope::One(_) => (
            "FROM token_usage AS used INNER JOIN api_tokens AS token ON token.id = used.token_id \
             WHERE used.token_id = $1",
            2,
        ),
        // From the links to the tokens, because a project has few of them.
        UsageScope::Project(_) => (
            "FROM api_token_projects AS link INNER JOIN api_tokens AS token ON token.id = link.token_id \
             INNER JOIN token_usage AS used ON used.token_id = link.token_id WHERE link.project_id = $1",
            2,
        ),
        UsageScope::Kinds(_) => (
            "FROM token_usage AS used INNER JOIN api_tokens AS token ON token.id = used.token_id \
             WHERE token.kind IN ($1, $2, $3)",
            4,
        ),
    }
}

/// Binds the scope and the hours to one of these statements.
pub fn bound<DB>(
    statement: &str,
    scope: &UsageScope,
    hours: Range<Hour>,
) -> BoxedSqlQuery<'static, DB, SqlQuery>
where
    DB: Backend + HasSqlType<Id> + HasSqlType<Int>,
    DbId: ToSql<Id, DB>,
    DbInt: ToSql<Int, DB>,
    String: ToSql<Text, DB>,
{
    let statement = sql_query(statement).into_boxed();
    let statement = match scope {
        UsageScope::One(token) => statement.bind::<Id, _>(DbId::from(*token)),
        UsageScope::Project(project) => statement.bind::<Text, _>(project.to_string()),
        UsageScope::Kinds(kinds) => TokenKind::ALL.iter().fold(statement, |statement, kind| {
            let kind = kinds.get(kind).map(ToString::to_string);
            statement.bind::<Text, _>(kind.unwrap_or_default())
        }),
    };
    statement.bind::<Int, _>(hour(hours.start)).bind::<Int, _>(hour(hours.end))
}

/// Returns the hour as stores keep it.
#[must_use]
pub fn hour(Hour(hour): Hour) -> DbInt {
    DbInt(hour.into())
}
