//! Expressions and statements that diesel does not have.

use diesel::{
    AppearsOnTable, Expression, QueryResult, RunQueryDsl, SelectableExpression,
    backend::Backend,
    expression::{ValidGrouping, is_aggregate},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};

use crate::columns::TextList;

/// Counts the rows of a statement and obeys its limit, unlike diesel's own `count`.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Counted<Q>(pub Q);

impl<Q> Query for Counted<Q> {
    type SqlType = BigInt;
}

impl<Q, C> RunQueryDsl<C> for Counted<Q> {}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Counted<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

/// The rows of a correlated subquery of one text column, as one value.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct ListOf<Q>(pub Q);

impl<Q> Expression for ListOf<Q> {
    type SqlType = TextList;
}

impl<Q, S> SelectableExpression<S> for ListOf<Q> {}

impl<Q, S> AppearsOnTable<S> for ListOf<Q> {}

impl<Q, G> ValidGrouping<G> for ListOf<Q> {
    type IsAggregate = is_aggregate::No;
}

#[cfg(feature = "postgres")]
impl<Q: QueryFragment<diesel::pg::Pg>> QueryFragment<diesel::pg::Pg> for ListOf<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        out.push_sql("ARRAY(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

#[cfg(feature = "sqlite")]
impl<Q: QueryFragment<diesel::sqlite::Sqlite>> QueryFragment<diesel::sqlite::Sqlite> for ListOf<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        out.push_sql("(WITH list (item) AS (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") SELECT json_group_array(item) FROM list)");
        Ok(())
    }
}
