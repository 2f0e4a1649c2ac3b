//! Projects and environments.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    Environment, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectName, Timestamp,
};
use latchkey_ports::Inconsistency;

use super::Row;
use crate::schema::{environments, projects};

/// A row of `projects`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(Pg))]
pub(crate) struct ProjectRow {
    id: String,
    name: String,
    description: String,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

impl TryFrom<ProjectRow> for Project {
    type Error = Inconsistency;

    fn try_from(row: ProjectRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "projects", key: &row.id };
        Ok(Self {
            id: at.column("id", ProjectId::new(&row.id))?,
            name: at.column("name", ProjectName::new(&row.name))?,
            created_at: at.moment("created_at", row.created_at)?,
            archived_at: at.optional_moment("archived_at", row.archived_at)?,
            description: at.column("description", ProjectDescription::new(&row.description))?,
        })
    }
}

/// A new row of `projects`.
#[derive(Insertable)]
#[diesel(table_name = projects, treat_none_as_default_value = false)]
pub(crate) struct NewProjectRow<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Project> for NewProjectRow<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            id: project.id.as_str(),
            name: project.name.as_str(),
            description: project.description.as_str(),
            created_at: project.created_at.to_datetime(),
            archived_at: project.archived_at.map(Timestamp::to_datetime),
        }
    }
}

/// A row of `environments`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environments, check_for_backend(Pg))]
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
