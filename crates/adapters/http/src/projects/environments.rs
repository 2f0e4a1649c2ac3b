//! `/api/admin/environments`: where tokens work (contract, "People, roles, places").

use std::sync::Arc;

use actix_web::HttpResponse;
use latchkey_service::{EnvironmentChange, InstancePermit, ManageEnvironments};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    projects::environment_body::{
        CreateEnvironmentBody, EnvironmentBody, EnvironmentUsageBody, EnvironmentsBody,
        EnvironmentsOfProjectBody, SortOrderBody, UpdateEnvironmentBody, change, draft, orders,
    },
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/environments";
const SORT_ORDER: &str = "/api/admin/environments/sort-order";
const OF_PROJECT: &str = "/api/admin/environments/project/{projectId}";
const ONE: &str = "/api/admin/environments/{name}";
const ON: &str = "/api/admin/environments/{name}/on";
const OFF: &str = "/api/admin/environments/{name}/off";
/// About what one environment takes in JSON, in bytes.
const ENVIRONMENT_BYTES: usize = 192;

/// The fixed paths go before those with a name in their place.
pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_all_environments), operation!(create_environment)]);
    api.private([operation!(update_sort_order)]);
    api.private([operation!(get_project_environments)]);
    api.private([
        operation!(get_environment),
        operation!(update_environment),
        operation!(remove_environment),
    ]);
    api.private([operation!(toggle_environment_on)]);
    api.private([operation!(toggle_environment_off)]);
}

async fn permit(call: &Call) -> Result<InstancePermit<ManageEnvironments>, ApiError> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

/// Get all environments.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getAllEnvironments", tag = "Environments",
    responses(
        (status = 200, description = "The environments.", body = EnvironmentsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_all_environments(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let environments = call.context.use_cases.environments.list(&caller).await?;
    tagged(&EnvironmentsBody::of(&environments), ENVIRONMENT_BYTES * environments.len())
}

/// Create an environment.
///
/// In no project yet.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createEnvironment", tag = "Environments",
    request_body = CreateEnvironmentBody,
    responses(
        (status = 201, description = "The environment.", body = EnvironmentUsageBody<'_>,
            headers(("Location" = String, description = "Where the environment is, from here."))),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 409, description = "There is an environment of this name.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn create_environment(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let environment = context.use_cases.environments.create(&permit, draft).await?;
    created_at(&format!("environments/{}", environment.name), &EnvironmentUsageBody::unused(&environment))
}

/// Update environment sort orders.
///
/// All that the body names, or none.
#[utoipa::path(
    put, path = SORT_ORDER, operation_id = "updateSortOrder", tag = "Environments",
    request_body = SortOrderBody,
    responses(
        (status = 200, description = "The environments have their new places."),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn update_sort_order(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let orders = orders(call.json().await?)?;
    context.use_cases.environments.sort(&permit, &orders).await?;
    Ok(empty())
}

/// Get the environments as a project sees them.
///
/// All of them; `visible` says which the project has.
#[utoipa::path(
    get, path = OF_PROJECT, operation_id = "getProjectEnvironments", tag = "Environments",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The environments.", body = EnvironmentsOfProjectBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        (status = 404, description = "There is no such project that the caller sees.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_project_environments(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let use_cases = &call.context.use_cases;
    let project = use_cases.projects.get(&caller, &call.parameter("projectId")?).await?;
    let environments = use_cases.environments.list(&caller).await?;
    let body = EnvironmentsOfProjectBody::of(&environments, &project);
    tagged(&body, ENVIRONMENT_BYTES * environments.len())
}

/// Get the environment with this name.
#[utoipa::path(
    get, path = ONE, operation_id = "getEnvironment", tag = "Environments",
    params(("name" = String, Path, description = "The name of the environment.")),
    responses(
        (status = 200, description = "The environment.", body = EnvironmentBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_environment(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let environment = call.context.use_cases.environments.get(&caller, &call.parameter("name")?).await?;
    tagged(&EnvironmentBody::of(&environment), ENVIRONMENT_BYTES)
}

/// Update an environment.
///
/// What the body leaves out stays as it is; so does the name.
#[utoipa::path(
    put, path = ONE, operation_id = "updateEnvironment", tag = "Environments",
    params(("name" = String, Path, description = "The name of the environment.")),
    request_body = UpdateEnvironmentBody,
    responses(
        (status = 200, description = "The environment as it is now.", body = EnvironmentBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), or the path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn update_environment(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let name = call.parameter("name")?;
    let context = Arc::clone(&call.context);
    let change = change(call.json().await?)?;
    let environment = context.use_cases.environments.update(&permit, &name, change).await?;
    ok(&EnvironmentBody::of(&environment))
}

/// Delete an environment.
///
/// It leaves all projects, and the tokens that work in it are revoked.
#[utoipa::path(
    delete, path = ONE, operation_id = "removeEnvironment", tag = "Environments",
    params(("name" = String, Path, description = "The name of the environment.")),
    responses(
        (status = 200, description = "The environment is gone."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn remove_environment(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    call.context.use_cases.environments.delete(&permit, &call.parameter("name")?).await?;
    Ok(empty())
}

/// Switch an environment on.
#[utoipa::path(
    post, path = ON, operation_id = "toggleEnvironmentOn", tag = "Environments",
    params(("name" = String, Path, description = "The name of the environment.")),
    responses(
        (status = 204, description = "The environment is on."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn toggle_environment_on(call: Call) -> ApiResult {
    switch(&call, true).await
}

/// Switch an environment off.
///
/// Its tokens go on working.
#[utoipa::path(
    post, path = OFF, operation_id = "toggleEnvironmentOff", tag = "Environments",
    params(("name" = String, Path, description = "The name of the environment.")),
    responses(
        (status = 204, description = "The environment is off."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such environment.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn toggle_environment_off(call: Call) -> ApiResult {
    switch(&call, false).await
}

async fn switch(call: &Call, on: bool) -> ApiResult {
    let permit = permit(call).await?;
    let change = EnvironmentChange { enabled: Some(on), ..EnvironmentChange::default() };
    call.context.use_cases.environments.update(&permit, &call.parameter("name")?, change).await?;
    Ok(HttpResponse::NoContent().finish())
}
