//! Projects and environments.

use diesel::{AsChangeset, Insertable, Queryable, Selectable, sqlite::Sqlite};
use latchkey_domain::{
    Environment, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectName, Timestamp,
};
use latchkey_ports::{EnvironmentOverview, Inconsistency, ProjectOverview};

use super::Row;
use crate::schema::{environments, projects};

/// A row of `projects`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(Sqlite))]
pub(crate) struct ProjectRow {
    id: String,
    name: String,
    description: String,
    mode: String,
    created_at: i64,
    updated_at: i64,
    archived_at: Option<i64>,
}

impl ProjectRow {
    /// The key by which its environments are found.
    pub(crate) fn key(&self) -> &str {
        &self.id
    }
}

impl TryFrom<ProjectRow> for Project {
    type Error = Inconsistency;

    fn try_from(row: ProjectRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "projects", key: &row.id };
        Ok(Self {
            id: at.column("id", ProjectId::new(&row.id))?,
            name: at.column("name", ProjectName::new(&row.name))?,
            mode: at.column("mode", row.mode.parse())?,
            created_at: at.moment("created_at", row.created_at)?,
            updated_at: at.moment("updated_at", row.updated_at)?,
            archived_at: at.optional_moment("archived_at", row.archived_at)?,
            description: at.column("description", ProjectDescription::new(&row.description))?,
        })
    }
}

/// A row of `projects`, new or to be put in the place of another.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct NewProjectRow<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    mode: &'static str,
    created_at: i64,
    updated_at: i64,
    archived_at: Option<i64>,
}

impl<'a> From<&'a Project> for NewProjectRow<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            id: project.id.as_str(),
            name: project.name.as_str(),
            description: project.description.as_str(),
            mode: project.mode.as_str(),
            created_at: project.created_at.millis(),
            updated_at: project.updated_at.millis(),
            archived_at: project.archived_at.map(Timestamp::millis),
        }
    }
}

/// A project's row, how many users hold roles in it, and how many tokens name it.
pub(crate) type ProjectOverviewRow = (ProjectRow, Option<i64>, Option<i64>);

/// A row of `project_environments`: project and environment.
pub(crate) type ProjectEnvironmentRow = (String, String);

/// Projects with the environments in them. Both lists are in the order of project ids; each project of the second is in
/// the first.
pub(crate) fn project_overviews(
    rows: Vec<ProjectOverviewRow>,
    environments: Vec<ProjectEnvironmentRow>,
) -> Result<Vec<ProjectOverview>, Inconsistency> {
    let mut environments = environments.into_iter().peekable();
    rows.into_iter()
        .map(|(row, members, tokens)| {
            let mut names = Vec::new();
            while let Some((_, name)) = environments.next_if(|(project, _)| *project == row.id) {
                let at = Row { table: "project_environments", key: &row.id };
                names.push(at.column("environment", EnvironmentName::new(&name))?);
            }
            let counted = |table| Row { table, key: row.id.clone() };
            let tokens = counted("project_token_counts").number("tokens", tokens)?;
            let members = counted("project_member_counts").number("members", members)?;
            Ok(ProjectOverview { project: row.try_into()?, members, tokens, environments: names })
        })
        .collect()
}

/// A row of `environments`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environments, check_for_backend(Sqlite))]
pub(crate) struct EnvironmentRow {
    name: String,
    kind: String,
    sort_order: i64,
    enabled: bool,
}

impl TryFrom<EnvironmentRow> for Environment {
    type Error = Inconsistency;

    fn try_from(row: EnvironmentRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "environments", key: &row.name };
        Ok(Self {
            name: at.column("name", EnvironmentName::new(&row.name))?,
            kind: at.column("kind", row.kind.parse())?,
            sort_order: at.column("sort_order", i32::try_from(row.sort_order))?,
            enabled: row.enabled,
        })
    }
}

/// A row of `environments`, new or to be put in the place of another.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = environments, primary_key(name))]
pub(crate) struct NewEnvironmentRow<'a> {
    name: &'a str,
    kind: &'static str,
    sort_order: i64,
    enabled: bool,
}

impl<'a> From<&'a Environment> for NewEnvironmentRow<'a> {
    fn from(environment: &'a Environment) -> Self {
        Self {
            name: environment.name.as_str(),
            kind: environment.kind.as_str(),
            sort_order: environment.sort_order.into(),
            enabled: environment.enabled,
        }
    }
}

/// An environment's row, in how many projects it is, and how many tokens work in it.
pub(crate) type EnvironmentOverviewRow = (EnvironmentRow, Option<i64>, Option<i64>);

/// An environment with what lists say about it.
pub(crate) fn environment_overview(
    (row, projects, tokens): EnvironmentOverviewRow,
) -> Result<EnvironmentOverview, Inconsistency> {
    let at = Row { table: "environment_token_counts", key: row.name.clone() };
    let projects = at.number("environment", projects)?;
    let tokens = at.number("tokens", tokens)?;
    Ok(EnvironmentOverview { environment: row.try_into()?, projects, tokens })
}
