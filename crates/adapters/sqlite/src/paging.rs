//! Pages and counts of lists, and functions of SQLite on text.

use diesel::{
    Column, Expression, QueryResult, RunQueryDsl, SqliteConnection, define_sql_function,
    dsl::sql,
    expression::{SqlLiteral, TypedExpressionType},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::methods::{LimitDsl, OffsetDsl},
    sql_types::{BigInt, Nullable, Text},
    sqlite::Sqlite,
};
use latchkey_ports::Page;

/// So many values go into one statement; the list of what belongs to more rows takes several.
pub(crate) const MAX_BINDS: usize = 1_000;

/// That page of what a statement finds.
pub(crate) fn paged<Q>(query: Q, page: Page) -> Q
where
    Q: LimitDsl<Output = Q> + OffsetDsl<Output = Q>,
{
    let query = match page.limit {
        Some(limit) => query.limit(limit.into()),
        None => query,
    };
    match i64::try_from(page.offset) {
        Ok(0) => query,
        offset => query.offset(offset.unwrap_or(i64::MAX)),
    }
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

/// How many rows that were.
pub(crate) fn number(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// How many rows a statement finds; diesel counts tables only, and a table knows no limit.
#[derive(QueryId)]
pub(crate) struct Counted<Q>(pub(crate) Q);

impl<Q> Counted<Q>
where
    Self: Query<SqlType = BigInt> + QueryFragment<Sqlite> + QueryId,
{
    /// Counts.
    pub(crate) fn number(self, connection: &mut SqliteConnection) -> QueryResult<u64> {
        let number: i64 = self.get_result(connection)?;
        Ok(number.try_into().unwrap_or(0))
    }
}

impl<Q: Query> Query for Counted<Q> {
    type SqlType = BigInt;
}

impl<Q> RunQueryDsl<SqliteConnection> for Counted<Q> {}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Counted<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

define_sql_function! {
    /// Where a text is in another, from 1; 0 where it is not. Case matters.
    fn instr(whole: Nullable<Text>, part: Nullable<Text>) -> Nullable<Integer>;
}

define_sql_function! {
    /// The text with the letters of ASCII in lower case.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}
