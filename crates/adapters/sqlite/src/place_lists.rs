//! The statements that list projects and environments with what lists say about them.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection,
    dsl::{AsSelect, IntoBoxed, auto_type, count_star},
    sqlite::Sqlite,
};
use latchkey_domain::{ProjectId, ProjectMode, ProjectVisibility};
use latchkey_ports::ProjectQuery;

use crate::{
    errors::Failure,
    paging::{MAX_BINDS, paged},
    rows::{EnvironmentRow, ProjectEnvironmentRow, ProjectOverviewRow, ProjectRow},
    schema::{
        environment_token_counts, environments, project_environments, project_member_counts,
        project_token_counts, projects,
    },
};

type ShownProject = AsSelect<ProjectRow, Sqlite>;
type ShownEnvironment = AsSelect<EnvironmentRow, Sqlite>;

/// Every project, with members and tokens, which are counted already.
#[auto_type]
fn project_overviews() -> _ {
    let row: ShownProject = ProjectRow::as_select();
    let members = project_member_counts::table
        .filter(project_member_counts::project_id.eq(projects::id))
        .select(project_member_counts::members)
        .single_value();
    let tokens = project_token_counts::table
        .filter(project_token_counts::project_id.eq(projects::id))
        .select(project_token_counts::tokens)
        .single_value();
    projects::table.select((row, members, tokens))
}

/// One project, with members and tokens.
#[auto_type]
pub(crate) fn project_overview<'a>(id: &'a str) -> _ {
    project_overviews().filter(projects::id.eq(id))
}

/// A page of projects, by id.
pub(crate) fn project_list(query: &ProjectQuery) -> IntoBoxed<'_, project_overviews, Sqlite> {
    let projects = project_overviews().order(projects::id).into_boxed();
    let projects = if query.archived {
        projects.filter(projects::archived_at.is_not_null())
    } else {
        projects.filter(projects::archived_at.is_null())
    };
    let projects = match &query.visibility {
        ProjectVisibility::All => projects,
        ProjectVisibility::NotPrivateAnd(own) => {
            let is_own = projects::id.eq_any(own.iter().map(ProjectId::as_str));
            projects.filter(projects::mode.ne(ProjectMode::Private.as_str()).or(is_own))
        }
    };
    paged(projects, query.page)
}

/// The environments of these projects, in the order of the projects, then of lists.
pub(crate) fn environments_of(
    connection: &mut SqliteConnection,
    projects: &[ProjectOverviewRow],
) -> Result<Vec<ProjectEnvironmentRow>, Failure> {
    let mut environments = Vec::new();
    for projects in projects.chunks(MAX_BINDS) {
        let some: Vec<ProjectEnvironmentRow> = environments_of_some()
            .filter(project_environments::project_id.eq_any(projects.iter().map(|(row, ..)| row.key())))
            .load(connection)?;
        environments.extend(some);
    }
    Ok(environments)
}

#[auto_type]
fn environments_of_some() -> _ {
    project_environments::table
        .inner_join(environments::table.on(environments::name.eq(project_environments::environment)))
        .order((project_environments::project_id, environments::sort_order, environments::name))
        .select((project_environments::project_id, environments::name))
}

/// Every environment in the order of lists, with projects and tokens. The tokens are counted already.
#[auto_type]
pub(crate) fn environment_overviews() -> _ {
    let row: ShownEnvironment = EnvironmentRow::as_select();
    let projects = project_environments::table
        .filter(project_environments::environment.eq(environments::name))
        .select(count_star())
        .single_value();
    let tokens = environment_token_counts::table
        .filter(environment_token_counts::environment.eq(environments::name))
        .select(environment_token_counts::tokens)
        .single_value();
    environments::table.order((environments::sort_order, environments::name)).select((row, projects, tokens))
}
