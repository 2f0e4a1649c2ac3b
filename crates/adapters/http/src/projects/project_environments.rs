//! `/api/admin/projects/{projectId}/environments`: which environments a project has (contract, "People, roles, places").

use std::sync::Arc;

use latchkey_service::{Permit, UpdateProject};

use crate::{
    api::{Api, operation},
    call::Call,
    error::ApiError,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    projects::body::{ProjectEnvironmentBody, environment},
    response::{ApiResult, empty},
};

const COLLECTION: &str = "/api/admin/projects/{projectId}/environments";
const ONE: &str = "/api/admin/projects/{projectId}/environments/{environment}";

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(add_environment_to_project)]);
    api.private([operation!(remove_environment_from_project)]);
}

async fn permit(call: &Call) -> Result<Permit<UpdateProject>, ApiError> {
    let caller = call.caller().await?;
    Ok(Permit::request_for(&caller, &call.parameter("projectId")?)?)
}

/// Add an environment to a project.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "addEnvironmentToProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    request_body = ProjectEnvironmentBody<'_>,
    responses(
        (status = 200, description = "The project has the environment."),
        (status = 400, description = "The body is at fault, or there is no such environment.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        (status = 409, description = "The project has the environment already.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn add_environment_to_project(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let environment = environment(call.json().await?)?;
    context.use_cases.projects.add_environment(&permit, &environment).await?;
    Ok(empty())
}

/// Remove an environment from a project.
///
/// Done as well where the project does not have it. Tokens are not touched.
#[utoipa::path(
    delete, path = ONE, operation_id = "removeEnvironmentFromProject", tag = "Projects",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("environment" = String, Path, description = "The name of the environment."),
    ),
    responses(
        (status = 200, description = "The project does not have the environment."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn remove_environment_from_project(call: Call) -> ApiResult {
    let permit = permit(&call).await?;
    let environment = call.parameter("environment")?;
    call.context.use_cases.projects.remove_environment(&permit, &environment).await?;
    Ok(empty())
}
