//! The query of projects, the bodies that create and update one, and those that show some.

use std::collections::BTreeSet;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{EnvironmentName, Project, ProjectDescription, ProjectId, ProjectMode, ProjectName};
use latchkey_ports::{Page, ProjectOverview};
use latchkey_service::{ProjectChange, ProjectDraft, Rule};
use serde::{Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::{List, Problems, text::Parsed},
    wire_time::WireTime,
};

/// The filter and the page of a list of projects.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProjectsQuery {
    /// Whether to return the archived projects instead of the others.
    #[deserr(default)]
    #[param(value_type = Option<bool>)]
    archived: Option<Parsed<bool>>,
    /// The maximum number of projects to return. Absent: all.
    #[deserr(default)]
    #[param(value_type = Option<u32>, format = "uint32")]
    limit: Option<Parsed<u32>>,
    /// The number of projects to skip.
    #[deserr(default)]
    #[param(value_type = Option<u64>, format = "uint64")]
    offset: Option<Parsed<u64>>,
}

impl ProjectsQuery {
    /// Returns whether the list is to have the archived projects.
    pub(crate) fn is_archived(&self) -> bool {
        self.archived.is_some_and(|Parsed(archived)| archived)
    }

    /// Returns the part of the list to return.
    pub(crate) fn page(&self) -> Page {
        Page {
            limit: self.limit.map(|Parsed(limit)| limit),
            offset: self.offset.map_or(0, |Parsed(offset)| offset),
        }
    }
}

/// Creates a project.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = createProjectSchema)]
pub struct CreateProjectBody {
    /// The id, which cannot be changed. Not `.`, `..`, `archive` or `revive`, which are parts of paths. Absent: made from
    /// the name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    id: Option<ProjectId>,
    /// The name: 1 to 255 characters, trimmed.
    #[schema(value_type = String, example = "Web shop", min_length = 1, max_length = 255)]
    name: ProjectName,
    /// The description, at most 2,000 characters.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Everything that sells.", max_length = 2000)]
    description: Option<ProjectDescription>,
    /// Which users can see the project.
    #[deserr(default)]
    #[schema(value_type = Option<ProjectModeBody>, example = "open", default = "open")]
    mode: Option<ProjectMode>,
    /// The names of its environments. Absent: those that are enabled.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["development", "production"]))]
    environments: Option<EnvironmentNames>,
}

impl From<CreateProjectBody> for ProjectDraft {
    fn from(body: CreateProjectBody) -> Self {
        let CreateProjectBody { id, name, description, mode, environments } = body;
        Self {
            id,
            name,
            description: description.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
            environments: environments.map(|EnvironmentNames(names)| names),
        }
    }
}

/// A list of environments without duplicates.
#[derive(Debug)]
struct EnvironmentNames(Vec<EnvironmentName>);

impl Deserr<Problems> for EnvironmentNames {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let List(names) = List::<EnvironmentName>::deserialize_from_value(value, place)?;
        let mut known = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !known.insert(*name)) {
            let rule = Rule::named("twice").with("name", name);
            return Err(Problems::at(place, rule.says(format!("environments names \"{name}\" twice."))));
        }
        Ok(Self(names))
    }
}

/// Updates a project. Members that are absent or null stay as they are.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = updateProjectSchema)]
pub struct UpdateProjectBody {
    /// The name: 1 to 255 characters, trimmed.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Web shop", min_length = 1, max_length = 255)]
    name: Option<ProjectName>,
    /// The description, at most 2,000 characters.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Everything that sells.", max_length = 2000)]
    description: Option<ProjectDescription>,
    /// Which users can see the project.
    #[deserr(default)]
    #[schema(value_type = Option<ProjectModeBody>, example = "private")]
    mode: Option<ProjectMode>,
}

impl From<UpdateProjectBody> for ProjectChange {
    fn from(UpdateProjectBody { name, description, mode }: UpdateProjectBody) -> Self {
        Self { name, description, mode }
    }
}

/// Updates the settings of a project. Members that are absent or null stay as they are; those that are about feature flags,
/// such as `defaultStickiness` and `featureNaming`, are ignored.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = updateProjectSettingsSchema)]
pub(crate) struct UpdateProjectSettingsBody {
    /// Which users can see the project.
    #[deserr(default)]
    #[schema(value_type = Option<ProjectModeBody>, example = "private")]
    mode: Option<ProjectMode>,
}

impl From<UpdateProjectSettingsBody> for ProjectChange {
    fn from(UpdateProjectSettingsBody { mode }: UpdateProjectSettingsBody) -> Self {
        Self { mode, ..Self::default() }
    }
}

/// An environment of a project.
#[derive(Debug, Deserr, Serialize, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = projectEnvironmentSchema)]
pub struct ProjectEnvironmentBody {
    /// The name of the environment.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "staging")]
    pub environment: EnvironmentName,
}

fn as_text<S: Serializer>(name: &EnvironmentName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_str())
}

/// Which users can see a project: with `open` and `protected` all signed-in users, with `private` its members and users with
/// a permission in every project.
#[derive(Serialize, ToSchema)]
#[schema(as = projectModeSchema)]
#[serde(rename_all = "lowercase")]
enum ProjectModeBody {
    Open,
    Protected,
    Private,
}

impl From<ProjectMode> for ProjectModeBody {
    fn from(mode: ProjectMode) -> Self {
        match mode {
            ProjectMode::Open => Self::Open,
            ProjectMode::Protected => Self::Protected,
            ProjectMode::Private => Self::Private,
        }
    }
}

/// A list of projects.
#[derive(Serialize, ToSchema)]
#[schema(as = projectsSchema)]
pub(crate) struct ProjectsBody<'p> {
    /// The version of this format.
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
    /// The name.
    #[schema(value_type = String, example = "Web shop")]
    name: &'p str,
    /// The description; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Everything that sells.")]
    description: Option<&'p str>,
    /// When the project was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When its name, description or mode was last changed, or the project last archived or revived.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    updated_at: WireTime,
    /// When the project was archived; null: it is not archived.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    archived_at: Option<WireTime>,
    /// Which users can see the project.
    #[schema(example = "open")]
    mode: ProjectModeBody,
    /// The number of users with a role in the project.
    #[schema(example = 3)]
    member_count: u64,
    /// The number of API tokens that name the project.
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
            description: Some(description.as_str()).filter(|text| !text.is_empty()),
            created_at: WireTime(*created_at),
            updated_at: WireTime(*updated_at),
            archived_at: archived_at.map(WireTime),
            mode: (*mode).into(),
            member_count: *members,
            api_token_count: *tokens,
        }
    }
}

/// A project that was just created.
#[derive(Serialize, ToSchema)]
#[schema(as = projectCreatedSchema)]
pub(crate) struct ProjectCreatedBody<'p> {
    #[serde(flatten)]
    project: ProjectBody<'p>,
    /// The names of its environments.
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
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    #[serde(flatten)]
    project: ProjectBody<'p>,
    /// The same number as `memberCount`.
    #[schema(example = 3)]
    members: u64,
    /// Its environments, by sort order, then name.
    environments: Vec<ProjectEnvironmentBody>,
}

impl<'p> ProjectOverviewBody<'p> {
    pub(crate) fn of(overview: &'p ProjectOverview) -> Self {
        let environments = overview.environments.iter().cloned();
        Self {
            version: 1,
            project: ProjectBody::of(overview),
            members: overview.members,
            environments: environments.map(|environment| ProjectEnvironmentBody { environment }).collect(),
        }
    }
}
