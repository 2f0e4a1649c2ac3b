//! Projects and environments.

use chrono::{DateTime, Utc};
use diesel::{AsChangeset, Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    Environment, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectName, Timestamp,
};
use latchkey_ports::{EnvironmentOverview, Inconsistency, ProjectOverview};

use super::Row;
use crate::schema::{environment_rows, environments, project_rows, projects};

/// A project as the view `project_rows` shows it, without what lists add.
#[derive(Queryable, Selectable)]
#[diesel(table_name = project_rows, check_for_backend(Pg))]
pub(crate) struct ProjectRow {
    id: String,
    name: String,
    description: String,
    mode: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

impl TryFrom<ProjectRow> for Project {
    type Error = Inconsistency;

    fn try_from(row: ProjectRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "projects", key: &row.id };
        Ok(Self {
            id: at.column("id", ProjectId::new(&row.id))?,
            name: at.column("name", ProjectName::new(&row.name))?,
            description: at.column("description", ProjectDescription::new(&row.description))?,
            mode: at.column("mode", row.mode.parse())?,
            created_at: at.moment("created_at", row.created_at)?,
            updated_at: at.moment("updated_at", row.updated_at)?,
            archived_at: at.optional_moment("archived_at", row.archived_at)?,
        })
    }
}

/// A project as the view `project_rows` shows it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = project_rows, check_for_backend(Pg))]
pub(crate) struct ProjectOverviewRow {
    #[diesel(embed)]
    project: ProjectRow,
    tokens: i64,
    members: i64,
    environments: Vec<String>,
}

impl TryFrom<ProjectOverviewRow> for ProjectOverview {
    type Error = Inconsistency;

    fn try_from(row: ProjectOverviewRow) -> Result<Self, Inconsistency> {
        let of = |table| Row { table, key: row.project.id.clone() };
        let (members, tokens) = (of("project_member_counts"), of("project_token_counts"));
        let links = of("project_environments");
        let environments: Result<Vec<_>, _> =
            row.environments.iter().map(|name| EnvironmentName::new(name)).collect();
        Ok(Self {
            project: row.project.try_into()?,
            members: members.number("members", row.members)?,
            tokens: tokens.number("tokens", row.tokens)?,
            environments: links.column("environment", environments)?,
        })
    }
}

/// A row of `projects`, new or changed.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct NewProjectRow<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    mode: &'static str,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Project> for NewProjectRow<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            id: project.id.as_str(),
            name: project.name.as_str(),
            description: project.description.as_str(),
            mode: project.mode.as_str(),
            created_at: project.created_at.to_datetime(),
            updated_at: project.updated_at.to_datetime(),
            archived_at: project.archived_at.map(Timestamp::to_datetime),
        }
    }
}

/// An environment as the view `environment_rows` shows it, without what lists add.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environment_rows, check_for_backend(Pg))]
pub(crate) struct EnvironmentRow {
    name: String,
    kind: String,
    sort_order: i32,
    enabled: bool,
}

impl TryFrom<EnvironmentRow> for Environment {
    type Error = Inconsistency;

    fn try_from(row: EnvironmentRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "environments", key: &row.name };
        Ok(Self {
            name: at.column("name", EnvironmentName::new(&row.name))?,
            kind: at.column("kind", row.kind.parse())?,
            sort_order: row.sort_order,
            enabled: row.enabled,
        })
    }
}

/// An environment as the view `environment_rows` shows it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environment_rows, check_for_backend(Pg))]
pub(crate) struct EnvironmentOverviewRow {
    #[diesel(embed)]
    environment: EnvironmentRow,
    tokens: i64,
    projects: i64,
}

impl TryFrom<EnvironmentOverviewRow> for EnvironmentOverview {
    type Error = Inconsistency;

    fn try_from(row: EnvironmentOverviewRow) -> Result<Self, Inconsistency> {
        let counts = Row { table: "environment_token_counts", key: row.environment.name.clone() };
        Ok(Self {
            environment: row.environment.try_into()?,
            projects: counts.number("projects", row.projects)?,
            tokens: counts.number("tokens", row.tokens)?,
        })
    }
}

/// A row of `environments`, new or changed.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = environments, primary_key(name))]
pub(crate) struct NewEnvironmentRow<'a> {
    name: &'a str,
    kind: &'static str,
    sort_order: i32,
    enabled: bool,
}

impl<'a> From<&'a Environment> for NewEnvironmentRow<'a> {
    fn from(environment: &'a Environment) -> Self {
        Self {
            name: environment.name.as_str(),
            kind: environment.kind.as_str(),
            sort_order: environment.sort_order,
            enabled: environment.enabled,
        }
    }
}
