//! Projects and environments.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectMode,
    ProjectName,
};
use latchkey_ports::{EnvironmentOverview, Inconsistency, ProjectOverview};

use super::Row;
use crate::{
    columns::{DbInt, DbTime, Parsed},
    schema::{environments, projects},
};

/// A row of `projects`, or of a view of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = projects)]
pub struct ProjectRow {
    id: String,
    name: Parsed<ProjectName>,
    description: Parsed<ProjectDescription>,
    mode: Parsed<ProjectMode>,
    created_at: DbTime,
    updated_at: DbTime,
    archived_at: Option<DbTime>,
}

/// The columns of a [`ProjectRow`] in a table or view.
#[macro_export]
macro_rules! project_columns {
    ($table:ident) => {
        (
            $table::id,
            $table::name,
            $table::description,
            $table::mode,
            $table::created_at,
            $table::updated_at,
            $table::archived_at,
        )
    };
}

impl ProjectRow {
    /// The project's id as it is stored.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Converts the row with what lists show besides.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_overview(
        self,
        members: i64,
        tokens: i64,
        environments: Vec<Parsed<EnvironmentName>>,
    ) -> Result<ProjectOverview, Inconsistency> {
        let of = |table| Row { table, key: &self.id };
        let members = of("project_member_counts").count("members", members)?;
        let tokens = of("project_token_counts").count("tokens", tokens)?;
        let environments = of("project_environments").list("environment", environments)?;
        Ok(ProjectOverview { project: self.try_into()?, members, tokens, environments })
    }
}

impl TryFrom<ProjectRow> for Project {
    type Error = Inconsistency;

    fn try_from(row: ProjectRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "projects", key: &row.id };
        Ok(Self {
            id: at.column("id", ProjectId::new(&row.id))?,
            name: at.parsed("name", row.name)?,
            description: at.parsed("description", row.description)?,
            mode: at.parsed("mode", row.mode)?,
            created_at: at.time("created_at", row.created_at)?,
            updated_at: at.time("updated_at", row.updated_at)?,
            archived_at: at.optional_time("archived_at", row.archived_at)?,
        })
    }
}

/// A row of `projects` that is inserted or replaces another.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct NewProjectRow<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    mode: &'static str,
    created_at: DbTime,
    updated_at: DbTime,
    archived_at: Option<DbTime>,
}

impl<'a> From<&'a Project> for NewProjectRow<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            id: project.id.as_str(),
            name: project.name.as_str(),
            description: project.description.as_str(),
            mode: project.mode.as_str(),
            created_at: project.created_at.into(),
            updated_at: project.updated_at.into(),
            archived_at: project.archived_at.map(DbTime::from),
        }
    }
}

/// A row of `environments`, or of a view of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environments)]
pub struct EnvironmentRow {
    name: String,
    kind: Parsed<EnvironmentKind>,
    sort_order: DbInt,
    enabled: bool,
}

/// The columns of an [`EnvironmentRow`] in a table or view.
#[macro_export]
macro_rules! environment_columns {
    ($table:ident) => {
        ($table::name, $table::kind, $table::sort_order, $table::enabled)
    };
}

impl EnvironmentRow {
    /// Converts the row with what lists show besides.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_overview(self, projects: i64, tokens: i64) -> Result<EnvironmentOverview, Inconsistency> {
        let at = Row { table: "environment_token_counts", key: &self.name };
        let (projects, tokens) = (at.count("projects", projects)?, at.count("tokens", tokens)?);
        Ok(EnvironmentOverview { environment: self.try_into()?, projects, tokens })
    }
}

impl TryFrom<EnvironmentRow> for Environment {
    type Error = Inconsistency;

    fn try_from(row: EnvironmentRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "environments", key: &row.name };
        Ok(Self {
            name: at.column("name", EnvironmentName::new(&row.name))?,
            kind: at.parsed("kind", row.kind)?,
            sort_order: at.column("sort_order", i32::try_from(row.sort_order.0))?,
            enabled: row.enabled,
        })
    }
}

/// A row of `environments` that is inserted or replaces another.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = environments, primary_key(name))]
pub struct NewEnvironmentRow<'a> {
    name: &'a str,
    kind: &'static str,
    sort_order: DbInt,
    enabled: bool,
}

impl<'a> From<&'a Environment> for NewEnvironmentRow<'a> {
    fn from(environment: &'a Environment) -> Self {
        Self {
            name: environment.name.as_str(),
            kind: environment.kind.as_str(),
            sort_order: DbInt(environment.sort_order.into()),
            enabled: environment.enabled,
        }
    }
}
