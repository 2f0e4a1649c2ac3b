//! The bodies of environments: those that create, update and sort them, and those that show some.

use std::collections::BTreeMap;

use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef as Location};
use latchkey_domain::{Environment, EnvironmentKind, EnvironmentName};
use latchkey_ports::{EnvironmentOverview, ProjectOverview};
use latchkey_service::{EnvironmentChange, EnvironmentDraft};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{Problems, problems::wrong_kind, text::FromText};

/// Creates an environment.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createEnvironmentSchema, rename_all = "camelCase")]
pub struct CreateEnvironmentBody {
    /// The name, which cannot be changed. Not `.`, `..`, `project`, `sort-order` or `update`, which are parts of paths.
    #[schema(value_type = String, example = "staging", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    name: EnvironmentName,
    /// What the environment is used for.
    #[deserr(rename = "type")]
    #[schema(value_type = EnvironmentType, rename = "type", example = "pre-production")]
    kind: EnvironmentKind,
    /// Whether the environment is enabled.
    #[deserr(default)]
    #[schema(example = true, default = true)]
    enabled: Option<bool>,
    /// The position in lists. Absent: last.
    #[deserr(default)]
    #[schema(example = 4)]
    sort_order: Option<i32>,
}

impl From<CreateEnvironmentBody> for EnvironmentDraft {
    fn from(CreateEnvironmentBody { name, kind, enabled, sort_order }: CreateEnvironmentBody) -> Self {
        Self { name, kind, enabled: enabled.unwrap_or(true), sort_order }
    }
}

/// Updates an environment. Members that are absent or null stay as they are.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = updateEnvironmentSchema, rename_all = "camelCase")]
pub struct UpdateEnvironmentBody {
    /// What the environment is used for.
    #[deserr(default, rename = "type")]
    #[schema(value_type = Option<EnvironmentType>, rename = "type", example = "production")]
    kind: Option<EnvironmentKind>,
    /// Whether the environment is enabled.
    #[deserr(default)]
    #[schema(example = false)]
    enabled: Option<bool>,
    /// The position in lists.
    #[deserr(default)]
    #[schema(example = 9)]
    sort_order: Option<i32>,
}

impl From<UpdateEnvironmentBody> for EnvironmentChange {
    fn from(UpdateEnvironmentBody { kind, enabled, sort_order }: UpdateEnvironmentBody) -> Self {
        Self { kind, enabled, sort_order }
    }
}

/// What an environment is used for.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentTypeSchema)]
#[serde(rename_all = "kebab-case")]
enum EnvironmentType {
    Development,
    Test,
    PreProduction,
    Production,
}

impl From<EnvironmentKind> for EnvironmentType {
    fn from(kind: EnvironmentKind) -> Self {
        match kind {
            EnvironmentKind::Development => Self::Development,
            EnvironmentKind::Test => Self::Test,
            EnvironmentKind::PreProduction => Self::PreProduction,
            EnvironmentKind::Production => Self::Production,
        }
    }
}

/// The new positions in lists of the environments with these names.
#[derive(Debug, ToSchema)]
#[schema(as = sortOrderSchema, value_type = BTreeMap<String, i32>, example = json!({"development": 1, "production": 2}))]
pub struct SortOrderBody(pub Vec<(EnvironmentName, i32)>);

impl Deserr<Problems> for SortOrderBody {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let members = match value {
            Value::Map(members) => members,
            other => return Err(wrong_kind(place, "a JSON object", other.kind())),
        };
        let (mut orders, mut problems) = (Vec::with_capacity(members.len()), Problems::default());
        for (key, value) in members.into_iter() {
            let place = place.push_key(&key);
            let name = EnvironmentName::from_text(&key, &key);
            let order = i32::deserialize_from_value(value.into_value(), place);
            match (name, order) {
                (Ok(name), Ok(order)) => orders.push((name, order)),
                (Err(message), _) => problems.extend(Problems::at(place, message)),
                (Ok(_), Err(problem)) => problems.extend(problem),
            }
        }
        if problems.is_empty() { Ok(Self(orders)) } else { Err(problems) }
    }
}

/// An environment.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentBody<'e> {
    /// The name.
    #[schema(value_type = String, example = "development")]
    name: &'e str,
    /// What the environment is used for.
    #[schema(example = "development")]
    r#type: EnvironmentType,
    /// The position in lists.
    #[schema(example = 2)]
    sort_order: i32,
    /// Whether the environment is enabled. Its tokens are valid either way.
    #[schema(example = true)]
    enabled: bool,
    /// Always false: any environment can be deleted.
    #[schema(example = false)]
    protected: bool,
    /// Always null: change requests are not supported.
    #[schema(required = true, nullable, value_type = Option<u32>)]
    required_approvals: Option<u32>,
}

impl<'e> EnvironmentBody<'e> {
    pub(super) fn of(environment: &'e Environment) -> Self {
        Self {
            name: environment.name.as_str(),
            r#type: environment.kind.into(),
            sort_order: environment.sort_order,
            enabled: environment.enabled,
            protected: false,
            required_approvals: None,
        }
    }
}

/// An environment and its usage.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentUsageSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentUsageBody<'e> {
    #[serde(flatten)]
    environment: EnvironmentBody<'e>,
    /// The number of projects that have the environment.
    #[schema(example = 3)]
    project_count: u64,
    /// The number of API tokens of the environment.
    #[schema(example = 12)]
    api_token_count: u64,
}

impl<'e> EnvironmentUsageBody<'e> {
    pub(super) fn of(overview: &'e EnvironmentOverview) -> Self {
        Self {
            environment: EnvironmentBody::of(&overview.environment),
            project_count: overview.projects,
            api_token_count: overview.tokens,
        }
    }
}

/// A list of environments.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentsSchema)]
pub(super) struct EnvironmentsBody<'e> {
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentUsageBody<'e>>,
}

impl<'e> EnvironmentsBody<'e> {
    pub(super) fn of(environments: &'e [EnvironmentOverview]) -> Self {
        Self { version: 1, environments: environments.iter().map(EnvironmentUsageBody::of).collect() }
    }
}

/// An environment, and whether a project has it.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentProjectSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentOfProjectBody<'e> {
    #[serde(flatten)]
    environment: EnvironmentUsageBody<'e>,
    /// The number of API tokens of the environment that work in the project: those that name it, and those of all projects.
    #[schema(example = 4)]
    project_api_token_count: u64,
    /// Whether the project has the environment.
    #[schema(example = true)]
    visible: bool,
}

/// All environments, and which of them a project has.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentsProjectSchema)]
pub(super) struct EnvironmentsOfProjectBody<'e> {
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentOfProjectBody<'e>>,
}

impl<'e> EnvironmentsOfProjectBody<'e> {
    /// Shows the environments as they are in a project, in which so many tokens work by environment.
    pub(super) fn of(
        environments: &'e [EnvironmentOverview],
        project: &ProjectOverview,
        tokens: &BTreeMap<EnvironmentName, u64>,
    ) -> Self {
        let entry = |overview: &'e EnvironmentOverview| EnvironmentOfProjectBody {
            environment: EnvironmentUsageBody::of(overview),
            project_api_token_count: tokens.get(&overview.environment.name).copied().unwrap_or(0),
            visible: project.environments.contains(&overview.environment.name),
        };
        Self { version: 1, environments: environments.iter().map(entry).collect() }
    }
}
