//! `/api/admin/environments`: the environments that tokens work in.

use actix_web::{HttpResponse, web::Data};
use latchkey_ports::EnvironmentOverview;
use latchkey_service::{Caller, EnvironmentChange, InstancePermit, ManageEnvironments};

use super::environment_body::{
    CreateEnvironmentBody, EnvironmentBody, EnvironmentUsageBody, EnvironmentsBody,
    EnvironmentsOfProjectBody, SortOrderBody, UpdateEnvironmentBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters, caller::PROJECT},
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/environments";
const ONE: &str = "/api/admin/environments/{name}";
const ON: &str = "/api/admin/environments/{name}/on";
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
    let [update] = operations![update_environment_type];
    // `update` is the name of environments from before, which are switched on and off.
    api.private_beside_parameter(update, ON);
}

/// Get all environments.
///
/// Each with the numbers of its projects and of the API tokens that work in it.
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
    let tokens = use_cases.environments.tokens_in(&caller, &project.project.id).await?;
    let body = EnvironmentsOfProjectBody::of(&environments, &project, &tokens);
    tagged(&body, ENVIRONMENT_BYTES * environments.len())
}

/// Get the environment with this name.
///
/// With the numbers of its projects and of the API tokens that work in it.
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

/// Update an environment, at the path that clients of Unleash use.
///
/// As `updateEnvironment`.
#[utoipa::path(put, path = "/api/admin/environments/update/{name}", responses(
    (status = 200, description = "The updated environment.", body = EnvironmentBody<'_>),
))]
async fn update_environment_type(
    permit: Authorized<InstancePermit<ManageEnvironments>>,
    path: PathParameters,
    body: Body<UpdateEnvironmentBody>,
    context: Data<Context>,
) -> ApiResult {
    update_environment(permit, path, body, context).await
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
///
/// Its tokens are valid either way.
#[utoipa::path(post, path = ON, responses(
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
