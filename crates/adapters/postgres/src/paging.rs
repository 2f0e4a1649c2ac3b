//! Pages and counts of lists.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};
use latchkey_ports::Page;

/// The most rows of a page; more than any list has where all are asked for.
pub(crate) fn page_limit(page: Page) -> i64 {
    page.limit.unwrap_or(u32::MAX).into()
}

/// How many rows are passed over.
pub(crate) fn page_offset(page: Page) -> i64 {
    i64::try_from(page.offset).unwrap_or(i64::MAX)
}

/// A statement that is planned each time, for the very values in it. What is asked of a list differs from call to call;
/// a plan for any values would be a bad one for rare values, and there are more texts of such statements than a connection
/// should keep.
pub(crate) struct Unprepared<Q>(pub(crate) Q);

impl<Q> QueryId for Unprepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Unprepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Unprepared<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out)
    }
}

/// The number of rows of a statement, its limit obeyed, which diesel's own `count` does not.
#[derive(QueryId)]
pub(crate) struct Counted<Q>(pub(crate) Q);

impl<Q> Query for Counted<Q> {
    type SqlType = BigInt;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Counted<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}
