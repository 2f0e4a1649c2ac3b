//! `/api/admin/projects`: making, showing, changing, archiving and deleting projects (contract, "People, roles, places").

use std::sync::Arc;

use latchkey_service::{CreateProjects, DeleteProject, InstancePermit, Permit, UpdateProject};

use crate::{
    api::{Api, operation},
    call::Call,
    error_body::ErrorBody,
    error_responses::{BodyErrors, CallerErrors},
    projects::body::{
        CreateProjectBody, ProjectCreatedBody, ProjectOverviewBody, ProjectsBody, UpdateProjectBody, change,
        draft,
    },
    response::{ApiResult, Tagged, created_at, empty, tagged},
};

const COLLECTION: &str = "/api/admin/projects";
const ONE: &str = "/api/admin/projects/{projectId}";
const OVERVIEW: &str = "/api/admin/projects/{projectId}/overview";
const ARCHIVE: &str = "/api/admin/projects/archive/{projectId}";
const REVIVE: &str = "/api/admin/projects/revive/{projectId}";
/// About what one project takes in JSON, in bytes.
const PROJECT_BYTES: usize = 320;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_projects), operation!(create_project)]);
    api.private([operation!(get_project), operation!(update_project), operation!(delete_project)]);
    api.private([operation!(get_project_overview)]);
    api.private([operation!(archive_project)]);
    api.private([operation!(revive_project)]);
}

/// Get a list of all projects.
///
/// Those that the caller sees, by id: all but other people's private ones.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getProjects", tag = "Projects",
    params(
        ("archived" = Option<bool>, Query, description = "Those in the archive, in place of those that are not."),
        ("limit" = Option<u32>, Query, description = "The most that are answered. Absent: all."),
        ("offset" = Option<u64>, Query, description = "How many are passed over."),
    ),
    responses(
        (status = 200, description = "The projects.", body = ProjectsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The query is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_projects(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let mut query = call.query()?;
    let archived = query.boolean("archived").unwrap_or(false);
    let page = query.page();
    query.finish(())?;
    let projects = call.context.use_cases.projects.list(&caller, archived, page).await?;
    tagged(&ProjectsBody::of(&projects), PROJECT_BYTES * projects.len())
}

/// Create a project.
///
/// A user who does becomes its Owner.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createProject", tag = "Projects",
    request_body = CreateProjectBody,
    responses(
        (status = 201, description = "The project.", body = ProjectCreatedBody<'_>,
            headers(("Location" = String, description = "Where the project is, from here."))),
        (status = 400, description = "The body is at fault; every problem is listed.", body = ErrorBody),
        (status = 403, description = "The permission CREATE_PROJECT is missing.", body = ErrorBody),
        (status = 409, description = "There is a project of this id.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn create_project(call: Call) -> ApiResult {
    let permit: InstancePermit<CreateProjects> = InstancePermit::request(&call.caller().await?)?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let made = context.use_cases.projects.create(&permit, draft).await?;
    created_at(&format!("projects/{}", made.project.id), &ProjectCreatedBody::of(&made))
}

/// Get a project.
#[utoipa::path(
    get, path = ONE, operation_id = "getProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The project.", body = ProjectOverviewBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        (status = 404, description = "There is no such project that the caller sees.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_project(call: Call) -> ApiResult<Tagged> {
    overview(&call).await
}

/// Get an overview of a project.
///
/// The same as the project itself, where the reference's clients look for it.
#[utoipa::path(
    get, path = OVERVIEW, operation_id = "getProjectOverview", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The project.", body = ProjectOverviewBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        (status = 404, description = "There is no such project that the caller sees.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_project_overview(call: Call) -> ApiResult<Tagged> {
    overview(&call).await
}

async fn overview(call: &Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let project = call.context.use_cases.projects.get(&caller, &call.parameter("projectId")?).await?;
    tagged(&ProjectOverviewBody::of(&project), PROJECT_BYTES)
}

/// Update a project.
///
/// What the body leaves out stays as it is.
#[utoipa::path(
    put, path = ONE, operation_id = "updateProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    request_body = UpdateProjectBody,
    responses(
        (status = 200, description = "The project is changed."),
        (status = 400, description = "The body is at fault (every problem is listed), or the path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission UPDATE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
        BodyErrors,
    )
)]
pub(crate) async fn update_project(call: Call) -> ApiResult {
    let caller = call.caller().await?;
    let permit: Permit<UpdateProject> = Permit::request_for(&caller, &call.parameter("projectId")?)?;
    let context = Arc::clone(&call.context);
    let change = change(call.json().await?)?;
    context.use_cases.projects.update(&permit, &change).await?;
    Ok(empty())
}

async fn deletion_permit(call: &Call) -> Result<Permit<DeleteProject>, crate::error::ApiError> {
    let caller = call.caller().await?;
    Ok(Permit::request_for(&caller, &call.parameter("projectId")?)?)
}

/// Delete a project.
///
/// Its tokens are revoked, or lose just this project where they name others. The default project stays.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The project is gone."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission DELETE_PROJECT is missing, or it is the default project.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn delete_project(call: Call) -> ApiResult {
    let permit = deletion_permit(&call).await?;
    call.context.use_cases.projects.delete(&permit).await?;
    Ok(empty())
}

/// Archive a project.
///
/// It leaves the list, and its tokens go on working. The default project stays.
#[utoipa::path(
    post, path = ARCHIVE, operation_id = "archiveProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The project is in the archive."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission DELETE_PROJECT is missing, or it is the default project.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn archive_project(call: Call) -> ApiResult {
    let permit = deletion_permit(&call).await?;
    call.context.use_cases.projects.archive(&permit).await?;
    Ok(empty())
}

/// Revive a project.
///
/// Brings it back from the archive.
#[utoipa::path(
    post, path = REVIVE, operation_id = "reviveProject", tag = "Projects",
    params(("projectId" = String, Path, description = "The id of the project.")),
    responses(
        (status = 200, description = "The project is in the list."),
        (status = 400, description = "The path cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission DELETE_PROJECT is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn revive_project(call: Call) -> ApiResult {
    let permit = deletion_permit(&call).await?;
    call.context.use_cases.projects.revive(&permit).await?;
    Ok(empty())
}
