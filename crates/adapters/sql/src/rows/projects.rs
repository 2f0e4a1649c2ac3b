//! Projects and environments.

use diesel::{
    AsChangeset, ExpressionMethods, Insertable, JoinOnDsl, QueryDsl, Queryable, Selectable,
    dsl::{auto_type, count_star},
};
use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectMode,
    ProjectName,
};
use latchkey_ports::{EnvironmentOverview, Inconsistency, ProjectOverview};

use super::Row;
use crate::{
    columns::{DbInt, DbTime, Parsed, ParsedList},
    expressions::ListOf,
    schema::{
        environment_token_counts, environments, project_environments, project_member_counts,
        project_token_counts, projects,
    },
};

/// A row of `projects`.
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

/// A row of `projects` with what lists show besides.
#[derive(Queryable, Selectable)]
#[diesel(table_name = projects)]
pub struct ProjectOverviewRow {
    #[diesel(embed)]
    project: ProjectRow,
    #[diesel(select_expression = member_count(), select_expression_type = member_count)]
    members: Option<i64>,
    #[diesel(select_expression = token_count(), select_expression_type = token_count)]
    tokens: Option<i64>,
    #[diesel(
        select_expression = ListOf(environments_of_project()),
        select_expression_type = ListOf<environments_of_project>
    )]
    environments: ParsedList<EnvironmentName>,
}

#[auto_type]
fn member_count() -> _ {
    project_member_counts::table
        .filter(project_member_counts::project_id.eq(projects::id))
        .select(project_member_counts::members)
        .single_value()
}

#[auto_type]
fn token_count() -> _ {
    project_token_counts::table
        .filter(project_token_counts::project_id.eq(projects::id))
        .select(project_token_counts::tokens)
        .single_value()
}

#[auto_type]
fn environments_of_project() -> _ {
    project_environments::table
        .inner_join(environments::table.on(environments::name.eq(project_environments::environment)))
        .filter(project_environments::project_id.eq(projects::id))
        .order((environments::sort_order, environments::name))
        .select(project_environments::environment)
}

impl TryFrom<ProjectOverviewRow> for ProjectOverview {
    type Error = Inconsistency;

    fn try_from(row: ProjectOverviewRow) -> Result<Self, Inconsistency> {
        let of = |table| Row { table, key: &row.project.id };
        let members = of("project_member_counts").count("members", row.members.unwrap_or(0))?;
        let tokens = of("project_token_counts").count("tokens", row.tokens.unwrap_or(0))?;
        let environments = of("project_environments").list("environment", row.environments.0)?;
        Ok(Self { project: row.project.try_into()?, members, tokens, environments })
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

/// A row of `environments`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environments)]
pub struct EnvironmentRow {
    name: String,
    kind: Parsed<EnvironmentKind>,
    sort_order: DbInt,
    enabled: bool,
}

/// A row of `environments` with what lists show besides.
#[derive(Queryable, Selectable)]
#[diesel(table_name = environments)]
pub struct EnvironmentOverviewRow {
    #[diesel(embed)]
    environment: EnvironmentRow,
    #[diesel(select_expression = project_count(), select_expression_type = project_count)]
    projects: Option<i64>,
    #[diesel(select_expression = environment_token_count(), select_expression_type = environment_token_count)]
    tokens: Option<i64>,
}

#[auto_type]
fn project_count() -> _ {
    project_environments::table
        .filter(project_environments::environment.eq(environments::name))
        .select(count_star())
        .single_value()
}

#[auto_type]
fn environment_token_count() -> _ {
    environment_token_counts::table
        .filter(environment_token_counts::environment.eq(environments::name))
        .select(environment_token_counts::tokens)
        .single_value()
}

impl TryFrom<EnvironmentOverviewRow> for EnvironmentOverview {
    type Error = Inconsistency;

    fn try_from(row: EnvironmentOverviewRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "environment_token_counts", key: &row.environment.name };
        let projects = at.count("projects", row.projects.unwrap_or(0))?;
        let tokens = at.count("tokens", row.tokens.unwrap_or(0))?;
        Ok(Self { environment: row.environment.try_into()?, projects, tokens })
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

/// A new row of `project_environments`.
#[derive(Insertable)]
#[diesel(table_name = project_environments)]
pub struct NewProjectEnvironmentRow<'a> {
    project_id: &'a str,
    environment: &'a str,
}

impl<'a> NewProjectEnvironmentRow<'a> {
    /// Returns the row of an environment of a project.
    #[must_use]
    pub fn new(project: &'a ProjectId, environment: &'a EnvironmentName) -> Self {
        Self { project_id: project.as_str(), environment: environment.as_str() }
    }
}
