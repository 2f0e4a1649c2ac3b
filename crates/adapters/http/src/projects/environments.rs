//! `/api/admin/environments`: the environments that tokens work in.

use actix_web::{HttpResponse, web::Data};
use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef as Location};
use latchkey_domain::{Environment, EnvironmentKind, EnvironmentName};
use latchkey_ports::{EnvironmentOverview, ProjectOverview};
use latchkey_service::{Caller, EnvironmentChange, EnvironmentDraft, InstancePermit, ManageEnvironments};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::{
        Authorized, Body, PathParameters, Problems, caller::PROJECT, problems::wrong_kind, text::FromText,
    },
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/environments";
const ONE: &str = "/api/admin/environments/{name}";
/// About how large one environment is in JSON, in bytes.
const ENVIRONMENT_BYTES: usize = 192;

pub(super) fn configure(api: &mut Api) {
    api.tag("Environments").private(operations![
        get_all_environments,
        create_environment,
        update_sort_order,
        get_project_environments,
        get_environment,
        update_environment,
        remove_environment,
        toggle_environment_on,
        toggle_environment_off
    ]);
}

/// Get all environments.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The environments.", body = EnvironmentsBody<'_>),
))]
async fn get_all_environments(
    Authorized(caller): Authorized<Caller>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let environments = context.use_cases.environments.list(&caller).await?;
    tagged(&EnvironmentsBody::of(&environments), ENVIRONMENT_BYTES * environments.len())
}

/// Create an environment.
///
/// No project has it at first.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The environment.", body = EnvironmentUsageBody<'_>,
        headers(("Location" = String, description = "The relative URL of the environment."))),
    (status = 409, description = "An environment with this name exists already."),
))]
async fn create_environment(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    body: Body<CreateEnvironmentBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let environment = context.use_cases.environments.create(&permit, draft).await?;
    let location = format!("environments/{}", environment.name);
    let unused = EnvironmentOverview { environment, projects: 0, tokens: 0 };
    created_at(&location, &EnvironmentUsageBody::of(&unused))
}

/// Update environment sort orders.
///
/// The change applies to all environments in the body, or to none.
#[utoipa::path(put, path = "/api/admin/environments/sort-order", responses(
    (status = 200, description = "The sort order is changed."),
    (status = 404, description = "There is no such environment."),
))]
async fn update_sort_order(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    body: Body<SortOrderBody>,
    context: Data<Context>,
) -> ApiResult {
    let SortOrderBody(orders) = body.read().await?;
    context.use_cases.environments.sort(&permit, &orders).await?;
    Ok(empty())
}

/// Get the environments of a project.
///
/// The list has all environments; `visible` says whether the project has it.
#[utoipa::path(get, path = "/api/admin/environments/project/{projectId}", responses(
    (status = 200, description = "The environments.", body = EnvironmentsOfProjectBody<'_>),
    (status = 404, description = "Or the caller cannot see it."),
))]
async fn get_project_environments(
    Authorized(caller): Authorized<Caller>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let use_cases = &context.use_cases;
    let project = use_cases.projects.get(&caller, &path.text(PROJECT)?).await?;
    let environments = use_cases.environments.list(&caller).await?;
    let body = EnvironmentsOfProjectBody::of(&environments, &project);
    tagged(&body, ENVIRONMENT_BYTES * environments.len())
}

/// Get the environment with this name.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The environment.", body = EnvironmentBody<'_>),
))]
async fn get_environment(
    Authorized(caller): Authorized<Caller>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let environment = context.use_cases.environments.get(&caller, &path.text("name")?).await?;
    tagged(&EnvironmentBody::of(&environment), ENVIRONMENT_BYTES)
}

/// Update an environment.
///
/// Members that the body does not have stay as they are. The name cannot be changed.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The updated environment.", body = EnvironmentBody<'_>),
))]
async fn update_environment(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    path: PathParameters,
    body: Body<UpdateEnvironmentBody>,
    context: Data<Context>,
) -> ApiResult {
    let (name, change) = (path.text("name")?, body.read().await?.into());
    let environment = context.use_cases.environments.update(&permit, &name, change).await?;
    ok(&EnvironmentBody::of(&environment))
}

/// Delete an environment.
///
/// It is removed from all projects, and its tokens are revoked.
#[utoipa::path(delete, path = ONE, responses((status = 200, description = "The environment is deleted.")))]
async fn remove_environment(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.environments.delete(&permit, &path.text("name")?).await?;
    Ok(empty())
}

/// Enable an environment.
#[utoipa::path(post, path = "/api/admin/environments/{name}/on", responses(
    (status = 204, description = "The environment is enabled."),
))]
async fn toggle_environment_on(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    set_enabled(&permit, &path, &context, true).await
}

/// Disable an environment.
///
/// Its tokens stay valid.
#[utoipa::path(post, path = "/api/admin/environments/{name}/off", responses(
    (status = 204, description = "The environment is disabled."),
))]
async fn toggle_environment_off(
    Authorized(permit): Authorized<InstancePermit<ManageEnvironments>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    set_enabled(&permit, &path, &context, false).await
}

async fn set_enabled(
    permit: &InstancePermit<ManageEnvironments>,
    path: &PathParameters,
    context: &Context,
    enabled: bool,
) -> ApiResult {
    let change = EnvironmentChange { enabled: Some(enabled), ..EnvironmentChange::default() };
    context.use_cases.environments.update(permit, &path.text("name")?, change).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Creates an environment.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createEnvironmentSchema, rename_all = "camelCase")]
struct CreateEnvironmentBody {
    /// The name, which cannot be changed. Not `.`, `..`, `project` or `sort-order`, which are parts of paths.
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
struct UpdateEnvironmentBody {
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
struct SortOrderBody(pub(crate) Vec<(EnvironmentName, i32)>);

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
struct EnvironmentBody<'e> {
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
    fn of(environment: &'e Environment) -> Self {
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
struct EnvironmentUsageBody<'e> {
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
    fn of(overview: &'e EnvironmentOverview) -> Self {
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
struct EnvironmentsBody<'e> {
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentUsageBody<'e>>,
}

impl<'e> EnvironmentsBody<'e> {
    fn of(environments: &'e [EnvironmentOverview]) -> Self {
        Self { version: 1, environments: environments.iter().map(EnvironmentUsageBody::of).collect() }
    }
}

/// An environment, and whether a project has it.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentProjectSchema)]
struct EnvironmentOfProjectBody<'e> {
    #[serde(flatten)]
    environment: EnvironmentUsageBody<'e>,
    /// Whether the project has the environment.
    #[schema(example = true)]
    visible: bool,
}

/// All environments, and which of them a project has.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentsProjectSchema)]
struct EnvironmentsOfProjectBody<'e> {
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentOfProjectBody<'e>>,
}

impl<'e> EnvironmentsOfProjectBody<'e> {
    fn of(environments: &'e [EnvironmentOverview], project: &ProjectOverview) -> Self {
        let entry = |overview: &'e EnvironmentOverview| EnvironmentOfProjectBody {
            environment: EnvironmentUsageBody::of(overview),
            visible: project.environments.contains(&overview.environment.name),
        };
        Self { version: 1, environments: environments.iter().map(entry).collect() }
    }
}
