//! Pages and counts of lists, and functions of SQLite on text.

use diesel::{
    Column, Expression, IntoSql, QueryResult, RunQueryDsl, SqliteConnection, define_sql_function,
    dsl::sql,
    expression::{SqlLiteral, TypedExpressionType},
    query_dsl::{
        LoadQuery,
        methods::{LimitDsl, OffsetDsl},
    },
    sql_types::{Nullable, Text},
};
use latchkey_ports::Page;
use latchkey_sql::{
    Counted,
    queries::{page_limit, page_offset},
};

/// The largest number of values that one statement lists; longer lists take several statements.
pub(crate) const MAX_BINDS: usize = 1_000;

/// Limits a statement to a page.
pub(crate) fn paged<Q>(query: Q, page: Page) -> Q
where
    Q: LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = query.limit(page_limit(page));
    // With an OFFSET, SQLite does not turn EXISTS into a join.
    if page.offset == 0 { query } else { query.offset(page_offset(page)) }
}

/// The column in a form that no index is used for (SQLite, "The SQLite Query Optimizer Overview", section 3).
///
/// Without statistics the planner takes each index for a good one, so a list says itself which of its filters, or its
/// order, goes down an index.
pub(crate) fn unindexed<C>(_column: C) -> SqlLiteral<C::SqlType>
where
    C: Column + Expression<SqlType: TypedExpressionType>,
{
    sql(&format!("+{}", C::NAME))
}

/// Returns a number of rows.
pub(crate) fn row_count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Counts the rows of a statement, its limit obeyed.
pub(crate) fn count<'q, Q>(connection: &mut SqliteConnection, statement: Q) -> QueryResult<u64>
where
    Counted<Q>: LoadQuery<'q, SqliteConnection, i64>,
{
    let count: i64 = Counted(statement).get_result(connection)?;
    Ok(count.unsigned_abs())
}

define_sql_function! {
    /// Where a text is in another, from 1; 0 where it is not. Case matters.
    fn instr(whole: Nullable<Text>, part: Nullable<Text>) -> Nullable<Integer>;
}

define_sql_function! {
    /// The value at a path in JSON; NULL if there is none.
    fn json_extract(json: latchkey_sql::columns::Json, path: Text) -> Nullable<Text>;
}

diesel::infix_operator!(JsonAt, " -> ", Nullable<Text>);

/// The JSON at a path in JSON, as text without blanks; NULL if there is none. `json_extract` makes numbers of booleans.
pub(crate) fn json_at<C>(json: C, path: String) -> JsonAt<C, diesel::dsl::AsExprOf<String, Text>>
where
    C: Expression<SqlType = latchkey_sql::columns::Json>,
{
    JsonAt::new(json, path.into_sql::<Text>())
}

define_sql_function! {
    /// The text with the letters of ASCII in lower case.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}
