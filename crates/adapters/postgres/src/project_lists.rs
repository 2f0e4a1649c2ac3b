//! The statement that lists projects. It is made in one function, which the test of query plans calls as well.

use diesel::dsl::{AsSelect, IntoBoxed, Select};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, SelectableHelper, pg::Pg,
};
use latchkey_domain::{ProjectId, ProjectMode, ProjectVisibility};
use latchkey_ports::ProjectQuery;

use crate::{
    page,
    rows::ProjectOverviewRow,
    schema::{project_rows, projects},
    unprepared::Unprepared,
};

type Rows<'q> = IntoBoxed<'q, Select<project_rows::table, AsSelect<ProjectOverviewRow, Pg>>, Pg>;

/// The projects of one table, or of its view, that are asked for, by id.
macro_rules! in_order {
    ($table:ident, $projects:expr, $query:expr) => {{
        let projects = $projects.into_boxed();
        let projects = if $query.archived {
            projects.filter($table::archived_at.is_not_null())
        } else {
            projects.filter($table::archived_at.is_null())
        };
        let projects = match &$query.visibility {
            ProjectVisibility::All => projects,
            ProjectVisibility::NotPrivateAnd(own) => {
                let seen_by_all = $table::mode.ne(ProjectMode::Private.as_str());
                projects.filter(seen_by_all.or($table::id.eq_any(own.iter().map(ProjectId::as_str))))
            }
        };
        projects.order($table::id)
    }};
}

/// The projects asked for. A page is the walk of an index from the first project of the page on; that one is found among the
/// bare projects, so that nothing is put together for those that are passed over.
pub(crate) fn listed(query: &ProjectQuery) -> Unprepared<Rows<'_>> {
    let mut rows =
        in_order!(project_rows, project_rows::table.select(ProjectOverviewRow::as_select()), query);
    if query.page.offset > 0 {
        let first = in_order!(projects, projects::table.select(projects::id), query);
        let first = first.limit(1).offset(page::offset(query.page)).single_value();
        rows = rows.filter(project_rows::id.nullable().ge(first));
    }
    Unprepared(rows.limit(page::limit(query.page)))
}
