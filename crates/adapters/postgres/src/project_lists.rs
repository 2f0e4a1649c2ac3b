//! The statement that lists projects. It is made in one function, which the test of query plans calls as well.

#![expect(
    clippy::elidable_lifetime_names,
    reason = "`auto_type` writes the lifetime into the type that it makes"
)]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper,
    dsl::{AsSelect, Select, array, auto_type},
    pg::Pg,
    sql_types::Text,
};
use latchkey_domain::{ProjectId, ProjectMode, Visibility};
use latchkey_ports::ProjectQuery;

use crate::{
    page,
    rows::ProjectOverviewRow,
    schema::{project_rows, projects},
    unprepared::Unprepared,
};

type ShownProject = AsSelect<ProjectOverviewRow, Pg>;
type Ids<'q> = diesel::dsl::array<Text, Select<projects::BoxedQuery<'q, Pg>, projects::id>>;

/// The projects asked for. First the ids of the page, so that nothing is counted for a project that is passed over.
pub(crate) fn listed(query: &ProjectQuery) -> Unprepared<of_ids<'_>> {
    let mut projects = projects::table.into_boxed();
    projects = if query.archived {
        projects.filter(projects::archived_at.is_not_null())
    } else {
        projects.filter(projects::archived_at.is_null())
    };
    if let Visibility::NotPrivateAnd(own) = &query.visibility {
        let own = own.iter().map(ProjectId::as_str);
        let seen_by_all = projects::mode.ne(ProjectMode::Private.as_str());
        projects = projects.filter(seen_by_all.or(projects::id.eq_any(own)));
    }
    let page = projects.order(projects::id).limit(page::limit(query.page)).offset(page::offset(query.page));
    Unprepared(of_ids(array(page.select(projects::id))))
}

#[auto_type]
fn of_ids<'q>(ids: Ids<'q>) -> _ {
    let row: ShownProject = ProjectOverviewRow::as_select();
    project_rows::table.filter(project_rows::id.eq_any(ids)).order(project_rows::id).select(row)
}
