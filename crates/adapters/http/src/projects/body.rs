//! Projects on the wire.

use latchkey_domain::{EnvironmentName, Project, ProjectDescription, ProjectId, ProjectMode, ProjectName};
use latchkey_ports::ProjectOverview;
use latchkey_service::{ProjectChange, ProjectDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{error::ApiError, error_body::Detail, extract::fields::Fields, wire_time::WireTime};

/// A body that makes a project.
#[derive(ToSchema)]
#[schema(as = createProjectSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateProjectBody {
    /// The id, chosen once; not `.`, `..`, `archive` or `revive`, which paths cannot carry. Absent: made from the name.
    #[schema(example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    id: Option<String>,
    /// What people call it: 1 to 255 characters, trimmed.
    #[schema(example = "Web shop", min_length = 1, max_length = 255)]
    name: String,
    /// What it is for, in up to 2,000 characters.
    #[schema(example = "Everything that sells.", max_length = 2000)]
    description: Option<String>,
    /// Who sees it.
    #[schema(value_type = Option<ProjectModeBody>, example = "open", default = "open")]
    mode: Option<String>,
    /// Its environments, by name. Absent: those that are switched on.
    #[schema(example = json!(["development", "production"]))]
    environments: Option<Vec<String>>,
}

/// A body that changes a project. What is absent stays as it is.
#[derive(ToSchema)]
#[schema(as = updateProjectSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it, problem by problem")]
pub(crate) struct UpdateProjectBody {
    /// What people call it: 1 to 255 characters, trimmed.
    #[schema(example = "Web shop", min_length = 1, max_length = 255)]
    name: Option<String>,
    /// What it is for, in up to 2,000 characters.
    #[schema(example = "Everything that sells.", max_length = 2000)]
    description: Option<String>,
    /// Who sees it.
    #[schema(value_type = Option<ProjectModeBody>, example = "private")]
    mode: Option<String>,
}

/// Who sees a project.
#[derive(ToSchema)]
#[schema(as = projectModeSchema, rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the values for the document")]
pub(crate) enum ProjectModeBody {
    /// Everybody who is signed in.
    Open,
    /// Everybody who is signed in.
    Protected,
    /// Its members, and those who hold a permission in every project.
    Private,
}

/// Reads the body that makes a project.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<ProjectDraft, ApiError> {
    let mut fields = Fields::of(body)?;
    let id = fields.optional("id", |text| ProjectId::new(text).map_err(|error| format!("The {error}.")));
    let name = fields.required("name", name);
    let description = fields.optional("description", description);
    let mode = mode(&mut fields).unwrap_or_default();
    let environments = fields.list("environments", listed_environment);
    let environments = environments.and_then(|names| distinct(&mut fields, names));
    let description = description.map_or_else(|| ProjectDescription::new("").ok(), Some);
    let draft = name.zip(description).map(|(name, description)| ProjectDraft {
        id,
        name,
        description,
        mode,
        environments,
    });
    fields.finish(draft)
}

/// Reads the body that changes a project.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn change(body: Value) -> Result<ProjectChange, ApiError> {
    let mut fields = Fields::of(body)?;
    let change = ProjectChange {
        name: fields.optional("name", name),
        description: fields.optional("description", description),
        mode: mode(&mut fields),
    };
    fields.finish(Some(change))
}

/// Reads the body that names an environment.
///
/// # Errors
/// [`ApiError::BadInput`].
pub(crate) fn environment(body: Value) -> Result<EnvironmentName, ApiError> {
    let mut fields = Fields::of(body)?;
    let name = fields.required("environment", environment_name);
    fields.finish(name)
}

fn name(text: &str) -> Result<ProjectName, String> {
    ProjectName::new(text).map_err(|error| format!("The {error}."))
}

fn description(text: &str) -> Result<ProjectDescription, String> {
    ProjectDescription::new(text).map_err(|error| format!("The {error}."))
}

fn mode(fields: &mut Fields) -> Option<ProjectMode> {
    fields.optional("mode", |text| {
        text.parse().map_err(|_| "mode must be open, protected or private.".to_owned())
    })
}

fn environment_name(text: &str) -> Result<EnvironmentName, String> {
    EnvironmentName::new(text).map_err(|error| format!("The {error}."))
}

fn listed_environment(entry: &Value) -> Result<EnvironmentName, String> {
    let name = entry.as_str().ok_or("environments must be a list of names.")?;
    environment_name(name)
}

fn distinct(fields: &mut Fields, names: Vec<EnvironmentName>) -> Option<Vec<EnvironmentName>> {
    let mut seen = std::collections::BTreeSet::new();
    let repeated = names.iter().find(|name| !seen.insert(*name));
    if let Some(name) = repeated {
        let problem = Detail::of_field("environments", format!("environments names \"{name}\" twice."));
        fields.problem(problem);
        return None;
    }
    Some(names)
}

/// A list of projects.
#[derive(Serialize, ToSchema)]
#[schema(as = projectsSchema)]
pub(crate) struct ProjectsBody<'p> {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    /// The projects, by id.
    projects: Vec<ProjectBody<'p>>,
}

impl<'p> ProjectsBody<'p> {
    pub(crate) fn of(projects: &'p [ProjectOverview]) -> Self {
        Self { version: 1, projects: projects.iter().map(ProjectBody::of).collect() }
    }
}

/// A project.
#[derive(Serialize, ToSchema)]
#[schema(as = projectSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectBody<'p> {
    /// The id.
    #[schema(value_type = String, example = "web-shop")]
    id: &'p str,
    /// What people call it.
    #[schema(value_type = String, example = "Web shop")]
    name: &'p str,
    /// What it is for; may be empty.
    #[schema(value_type = String, example = "Everything that sells.")]
    description: &'p str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When its name, description, mode or state last changed.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    updated_at: WireTime,
    /// Since when it is archived; null: it is not.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    archived_at: Option<WireTime>,
    /// Who sees it.
    #[schema(value_type = ProjectModeBody, example = "open")]
    mode: &'static str,
    /// How many users hold a role in it.
    #[schema(example = 3)]
    member_count: u64,
    /// How many tokens name it.
    #[schema(example = 12)]
    api_token_count: u64,
}

impl<'p> ProjectBody<'p> {
    fn of(overview: &'p ProjectOverview) -> Self {
        let ProjectOverview { project, members, tokens, environments: _ } = overview;
        let Project { id, name, description, mode, created_at, updated_at, archived_at } = project;
        Self {
            id: id.as_str(),
            name: name.as_str(),
            description: description.as_str(),
            created_at: WireTime(*created_at),
            updated_at: WireTime(*updated_at),
            archived_at: archived_at.map(WireTime),
            mode: mode.as_str(),
            member_count: *members,
            api_token_count: *tokens,
        }
    }
}

/// A project that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = projectCreatedSchema)]
pub(crate) struct ProjectCreatedBody<'p> {
    #[serde(flatten)]
    project: ProjectBody<'p>,
    /// Its environments, by name.
    #[schema(value_type = Vec<String>, example = json!(["development", "production"]))]
    environments: Vec<&'p str>,
}

impl<'p> ProjectCreatedBody<'p> {
    pub(crate) fn of(overview: &'p ProjectOverview) -> Self {
        let environments = overview.environments.iter().map(EnvironmentName::as_str).collect();
        Self { project: ProjectBody::of(overview), environments }
    }
}

/// A project with its environments.
#[derive(Serialize, ToSchema)]
#[schema(as = projectOverviewSchema)]
pub(crate) struct ProjectOverviewBody<'p> {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    #[serde(flatten)]
    project: ProjectBody<'p>,
    /// How many users hold a role in it, under the reference's name.
    #[schema(example = 3)]
    members: u64,
    /// Its environments, as lists have them in order.
    environments: Vec<ProjectEnvironmentBody<'p>>,
}

/// An environment that a project has, or is to have.
#[derive(Serialize, ToSchema)]
#[schema(as = projectEnvironmentSchema)]
pub(crate) struct ProjectEnvironmentBody<'p> {
    /// The environment's name.
    #[schema(value_type = String, example = "development")]
    environment: &'p str,
}

impl<'p> ProjectOverviewBody<'p> {
    pub(crate) fn of(overview: &'p ProjectOverview) -> Self {
        let environments = overview.environments.iter().map(EnvironmentName::as_str);
        Self {
            version: 1,
            project: ProjectBody::of(overview),
            members: overview.members,
            environments: environments.map(|environment| ProjectEnvironmentBody { environment }).collect(),
        }
    }
}
