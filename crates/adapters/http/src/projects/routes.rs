//! `/api/admin/projects`: projects and their environments.

use actix_web::web::Data;
use latchkey_service::{Caller, CreateProjects, DeleteProject, InstancePermit, Permit, UpdateProject};

use super::body::{
    CreateProjectBody, ProjectCreatedBody, ProjectEnvironmentBody, ProjectOverviewBody, ProjectsBody,
    ProjectsQuery, UpdateProjectBody, UpdateProjectSettingsBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters, Query, caller::PROJECT},
    response::{ApiResult, Tagged, created_at, empty, tagged},
};

const COLLECTION: &str = "/api/admin/projects";
const ONE: &str = "/api/admin/projects/{projectId}";
/// About how large one project is in JSON, in bytes.
const PROJECT_BYTES: usize = 320;

pub(super) fn configure(api: &mut Api) {
    api.tag("Projects").private(operations![
        get_projects,
        create_project,
        get_project,
        update_project,
        update_project_settings,
        delete_project,
        get_project_overview,
        archive_project,
        revive_project,
        add_environment_to_project,
        remove_environment_from_project
    ]);
}

/// Get a list of all projects.
///
/// The projects that the caller can see, by id: all except private projects that the caller is not a member of.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The projects.", body = ProjectsBody<'_>),
))]
pub(crate) async fn get_projects(
    Authorized(caller): Authorized<Caller>,
    query: Query<ProjectsQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let query = query.read()?;
    let projects = context.use_cases.projects.list(&caller, query.is_archived(), query.page()).await?;
    tagged(&ProjectsBody::of(&projects), PROJECT_BYTES * projects.len())
}

/// Create a project.
///
/// A user that creates a project becomes its owner.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The project.", body = ProjectCreatedBody<'_>,
        headers(("Location" = String, description = "The relative URL of the project."))),
    (status = 409, description = "A project with this id exists already."),
))]
pub(crate) async fn create_project(
    Authorized(permit): Authorized<InstancePermit<CreateProjects>>,
    body: Body<CreateProjectBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    let created = context.use_cases.projects.create(&permit, draft).await?;
    created_at(&format!("projects/{}", created.project.id), &ProjectCreatedBody::of(&created))
}

/// Get a project.
///
/// With its environments and the numbers of its members and tokens.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The project.", body = ProjectOverviewBody<'_>),
    (status = 404, description = "Or the caller cannot see it."),
))]
pub(crate) async fn get_project(
    Authorized(caller): Authorized<Caller>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    overview(&caller, &path, &context).await
}

/// Get an overview of a project.
///
/// The same response as for the project itself. Clients of Unleash use this path.
#[utoipa::path(get, path = "/api/admin/projects/{projectId}/overview", responses(
    (status = 200, description = "The project.", body = ProjectOverviewBody<'_>),
    (status = 404, description = "Or the caller cannot see it."),
))]
pub(crate) async fn get_project_overview(
    Authorized(caller): Authorized<Caller>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    overview(&caller, &path, &context).await
}

async fn overview(caller: &Caller, path: &PathParameters, context: &Context) -> ApiResult<Tagged> {
    let project = context.use_cases.projects.get(caller, &path.text(PROJECT)?).await?;
    tagged(&ProjectOverviewBody::of(&project), PROJECT_BYTES)
}

/// Update a project.
///
/// Members that the body does not have stay as they are.
#[utoipa::path(put, path = ONE, responses((status = 200, description = "The project is updated.")))]
pub(crate) async fn update_project(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<UpdateProjectBody>,
    context: Data<Context>,
) -> ApiResult {
    let change = body.read().await?.into();
    context.use_cases.projects.update(&permit, &change).await?;
    Ok(empty())
}

/// Update the settings of a project.
///
/// What the body leaves out stays as it is.
#[utoipa::path(put, path = "/api/admin/projects/{projectId}/settings", responses(
    (status = 200, description = "The settings are updated."),
))]
pub(crate) async fn update_project_settings(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<UpdateProjectSettingsBody>,
    context: Data<Context>,
) -> ApiResult {
    let change = body.read().await?.into();
    context.use_cases.projects.update(&permit, &change).await?;
    Ok(empty())
}

/// Delete a project.
///
/// Tokens of this project alone are revoked; tokens of several projects lose this one. The default project cannot be
/// deleted.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The project is deleted."),
    (status = 403, description = "Or it is the default project."),
))]
pub(crate) async fn delete_project(
    Authorized(permit): Authorized<Permit<DeleteProject>>,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.projects.delete(&permit).await?;
    Ok(empty())
}

/// Archive a project.
///
/// It is hidden from the list, and its tokens stay valid. The default project cannot be archived.
#[utoipa::path(post, path = "/api/admin/projects/archive/{projectId}", responses(
    (status = 200, description = "The project is archived."),
    (status = 403, description = "Or it is the default project."),
))]
pub(crate) async fn archive_project(
    Authorized(permit): Authorized<Permit<DeleteProject>>,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.projects.archive(&permit).await?;
    Ok(empty())
}

/// Revive a project.
///
/// It returns to the list.
#[utoipa::path(post, path = "/api/admin/projects/revive/{projectId}", responses(
    (status = 200, description = "The project is no longer archived."),
))]
pub(crate) async fn revive_project(
    Authorized(permit): Authorized<Permit<DeleteProject>>,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.projects.revive(&permit).await?;
    Ok(empty())
}

/// Add an environment to a project.
///
/// It is listed among the environments of the project then.
#[utoipa::path(post, path = "/api/admin/projects/{projectId}/environments", responses(
    (status = 200, description = "The project has the environment."),
    (status = 400, description = "Or there is no such environment."),
    (status = 409, description = "The project has the environment already."),
))]
pub(crate) async fn add_environment_to_project(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<ProjectEnvironmentBody>,
    context: Data<Context>,
) -> ApiResult {
    let ProjectEnvironmentBody { environment } = body.read().await?;
    context.use_cases.projects.add_environment(&permit, &environment).await?;
    Ok(empty())
}

/// Remove an environment from a project.
///
/// Succeeds also if the project does not have it. Tokens stay as they are.
#[utoipa::path(delete, path = "/api/admin/projects/{projectId}/environments/{environment}", responses(
    (status = 200, description = "The project does not have the environment."),
))]
pub(crate) async fn remove_environment_from_project(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let environment = path.text("environment")?;
    context.use_cases.projects.remove_environment(&permit, &environment).await?;
    Ok(empty())
}
