//! Insertion of rows that name projects: any number of rows, with all that they name, in one statement.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::AstPass,
    serialize::ToSql,
    sql_types::{Array, HasSqlType, Integer, SqlType, Text},
};
use latchkey_domain::ProjectId;

/// How many rows a statement inserts at most. It may have 65,535 binds, and a row has 15.
pub(crate) const ROWS_AT_ONCE: usize = 1_000;
/// The text of such a statement depends on the number of its rows. Statements of few rows are kept prepared.
const MAX_PREPARED_ROWS: usize = crate::creation_groups::MAX_TOKENS;

/// The projects that rows name, as the table `named (owner, project, position)`: the key of the row, the project, and its
/// place in the row.
pub(crate) struct NamedProjects<'a, K> {
    rows: usize,
    owners: Vec<K>,
    projects: Vec<&'a str>,
    positions: Vec<i32>,
}

impl<'a, K: Copy> NamedProjects<'a, K> {
    pub(crate) fn of(named: impl Iterator<Item = (K, &'a [ProjectId])>) -> Self {
        let mut all = Self { rows: 0, owners: Vec::new(), projects: Vec::new(), positions: Vec::new() };
        for (owner, projects) in named {
            all.rows += 1;
            for (position, project) in (0..).zip(projects) {
                all.owners.push(owner);
                all.projects.push(project.as_str());
                all.positions.push(position);
            }
        }
        all
    }
}

impl<K> NamedProjects<'_, K> {
    /// Whether the statement is kept prepared, as to its number of rows.
    pub(crate) fn are_kept_prepared(&self) -> bool {
        self.rows <= MAX_PREPARED_ROWS
    }

    /// Writes the table. `S` is the type of the key.
    pub(crate) fn walk<'b, S>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()>
    where
        S: SqlType + 'static,
        Pg: HasSqlType<S>,
        Vec<K>: ToSql<Array<S>, Pg>,
    {
        out.push_sql("unnest(");
        out.push_bind_param::<Array<S>, _>(&self.owners)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.projects)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.positions)?;
        out.push_sql(") AS named (owner, project, position)");
        Ok(())
    }
}
