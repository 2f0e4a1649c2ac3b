//! Insertion of rows that name projects: any number of rows, with all that they name, in one statement.

use std::{iter, marker::PhantomData};

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, HasSqlType, Integer, SqlType, Text},
};
use latchkey_domain::ProjectId;

use crate::creation_groups::MAX_TOKENS;

/// How many rows a statement inserts at most. It may have 65,535 binds, and a row has 16.
pub(crate) const ROWS_AT_ONCE: usize = 1_000;
/// The text of such a statement depends on the number of its rows. Statements of few rows are kept prepared.
const MAX_PREPARED_ROWS: usize = MAX_TOKENS;

/// Returns rows in portions that a statement can insert.
pub(crate) fn portions<R>(rows: Vec<R>) -> impl Iterator<Item = Vec<R>> {
    let mut rows = rows.into_iter().peekable();
    iter::from_fn(move || {
        rows.peek()?;
        Some(rows.by_ref().take(ROWS_AT_ONCE).collect())
    })
}

/// The statement: `WITH inserted AS (<rows><link><named><end>`. `K` is the key of a row, of the SQL type `S`.
///
/// `<named>` is the table `named (owner, project, position)` of the projects that the rows name: the key of the row, the
/// project, and its place in the row.
pub(crate) struct Insertion<'a, I, K, S> {
    rows: I,
    link: &'static str,
    named: Named<'a, K>,
    end: &'static str,
    key: PhantomData<S>,
}

struct Named<'a, K> {
    rows: usize,
    owners: Vec<K>,
    projects: Vec<&'a str>,
    positions: Vec<i32>,
}

impl<'a, I, K: Copy, S> Insertion<'a, I, K, S> {
    /// Returns the statement. `rows` inserts the rows alone; `named` are their keys and projects.
    pub(crate) fn new(
        rows: I,
        link: &'static str,
        named: impl Iterator<Item = (K, &'a [ProjectId])>,
        end: &'static str,
    ) -> Self {
        let mut all = Named { rows: 0, owners: Vec::new(), projects: Vec::new(), positions: Vec::new() };
        for (owner, projects) in named {
            all.rows += 1;
            for (position, project) in (0..).zip(projects) {
                all.owners.push(owner);
                all.projects.push(project.as_str());
                all.positions.push(position);
            }
        }
        Self { rows, link, named: all, end, key: PhantomData }
    }
}

impl<I, K, S> QueryId for Insertion<'_, I, K, S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// What is read, if anything is, are generated numbers.
impl<I, K, S> Query for Insertion<'_, I, K, S> {
    type SqlType = BigInt;
}

impl<I, K, S> QueryFragment<Pg> for Insertion<'_, I, K, S>
where
    I: QueryFragment<Pg>,
    S: SqlType + 'static,
    Pg: HasSqlType<S>,
    Vec<K>: ToSql<Array<S>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH inserted AS (");
        self.rows.walk_ast(out.reborrow())?;
        out.push_sql(self.link);
        out.push_sql("unnest(");
        out.push_bind_param::<Array<S>, _>(&self.named.owners)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.named.projects)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.named.positions)?;
        out.push_sql(") AS named (owner, project, position)");
        out.push_sql(self.end);
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Pg) -> QueryResult<bool> {
        Ok(self.named.rows <= MAX_PREPARED_ROWS)
    }
}
