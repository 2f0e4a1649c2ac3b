//! `/api/admin/user`: the caller, their permissions, their password and their sessions.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{
    Grant, Permission, PermissionKind, Place, ProjectId, Role, Session, SessionId, UserCredential,
};
use latchkey_ports::{Page, ProjectOverview};
use latchkey_service::{Caller, Missing, Myself, ServiceError, SignedIn};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    extract::{
        Authorized, Body, PathParameters, Problems, Query,
        body::{MemberRule, parse_by_rules},
    },
    people::{role_body::RoleBody, user_body::UserBody},
    response::{ApiResult, empty, ok},
    wire_time::WireTime,
};

/// The user id that Unleash gives to admin tokens.
const ADMIN_TOKEN_ID: i64 = -42;

pub(super) fn configure(api: &mut Api) {
    api.tag("Users").private(operations![
        get_me,
        get_profile,
        get_my_roles,
        change_my_password,
        get_my_sessions,
        delete_my_session
    ]);
}

/// Get the caller.
///
/// With all their permissions.
#[utoipa::path(get, path = "/api/admin/user", responses(
    (status = 200, description = "The user or the admin token, and the permissions.", body = MyselfBody<'_>),
    (status = 404, description = "The user was deleted a moment ago."),
))]
async fn get_me(Authorized(caller): Authorized<Caller>, context: Data<Context>) -> ApiResult {
    ok(&MyselfBody::of(&context.use_cases.who_am_i.myself(&caller).await?))
}

/// Get your profile.
///
/// The projects that you can see, and your role for the whole instance.
#[utoipa::path(get, path = "/api/admin/user/profile", responses(
    (status = 200, description = "The profile.", body = ProfileBody<'_>),
    (status = 404, description = "The user was deleted a moment ago."),
))]
async fn get_profile(Authorized(user): Authorized<SignedIn>, context: Data<Context>) -> ApiResult {
    let root_role = context.use_cases.who_am_i.root_role(&user).await?;
    let projects = context.use_cases.projects.list(user.caller(), false, Page::default()).await?;
    ok(&ProfileBody::of(&projects, &root_role))
}

/// Get your roles in a project.
///
/// Your role for the whole instance, which applies there too, then those that you have in the project.
#[utoipa::path(get, path = "/api/admin/user/roles", responses(
    (status = 200, description = "The roles.", body = MyRolesBody<'_>),
    (status = 404, description = "The user was deleted a moment ago."),
))]
async fn get_my_roles(
    Authorized(user): Authorized<SignedIn>,
    query: Query<MyRolesQuery>,
    context: Data<Context>,
) -> ApiResult {
    let MyRolesQuery { project_id } = query.read()?;
    let roles = context.use_cases.who_am_i.roles_in(&user, &project_id).await?;
    ok(&MyRolesBody::of(&roles, &project_id))
}

/// Change your password.
///
/// Ends all your sessions, including this one. Your personal access tokens stay valid.
#[utoipa::path(post, path = "/api/admin/user/change-password", responses(
    (status = 200, description = "The password is changed."),
    (status = 400, description = "Or the two new passwords differ, or the new one is weak."),
    (status = 401, description = "Or the old password is wrong."),
    (status = 404, description = "The user was deleted a moment ago."),
    (status = 429, description = "The old password was wrong too often; it was not checked.",
        headers(("Retry-After" = u64, description = "The number of seconds to wait before the next try."))),
))]
async fn change_my_password(
    Authorized(user): Authorized<SignedIn>,
    body: Body<ChangeMyPasswordBody>,
    context: Data<Context>,
) -> ApiResult {
    let body = ChangeMyPasswordBody::read(body).await?;
    let use_cases = &context.use_cases;
    use_cases.sessions.change_password(&use_cases.users, &user, body.old_and_new()).await?;
    Ok(empty())
}

/// List your sessions.
///
/// Those that have not ended, oldest first.
#[utoipa::path(get, path = "/api/admin/user/sessions", responses(
    (status = 200, description = "The sessions.", body = SessionsBody<'_>),
))]
async fn get_my_sessions(Authorized(user): Authorized<SignedIn>, context: Data<Context>) -> ApiResult {
    let sessions = context.use_cases.sessions.list(&user).await?;
    let current = match user.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    };
    ok(&SessionsBody::of(&sessions, current))
}

/// End one of your sessions.
///
/// It is refused from the response on.
#[utoipa::path(delete, path = "/api/admin/user/sessions/{id}",
    params(("id" = String, Path, description = "The session's id.")), responses(
    (status = 200, description = "The session has ended."),
    (status = 404, description = "You have no such session."),
))]
async fn delete_my_session(
    Authorized(user): Authorized<SignedIn>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let id = SessionId::parse(&path.text("id")?).ok_or(ServiceError::NotFound(Missing::Session))?;
    context.use_cases.sessions.end(&user, id).await?;
    Ok(empty())
}

/// A session, without the secret in its cookie.
#[derive(Serialize, ToSchema)]
#[schema(as = sessionSchema)]
#[serde(rename_all = "camelCase")]
struct SessionBody<'s> {
    /// The id, by which the session can be ended.
    #[schema(example = "9c40958a-daac-400e-98fb-3bb438567008")]
    id: String,
    /// When the user logged in.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When the session ends, however much it is used.
    #[schema(value_type = String, format = DateTime, example = "2023-04-21T08:15:14.000Z")]
    expires_at: WireTime,
    /// The address that the user logged in from.
    #[schema(required = true, example = "203.0.113.7")]
    address: Option<String>,
    /// The `User-Agent` of the client that the user logged in with.
    #[schema(required = true, example = "Mozilla/5.0")]
    user_agent: Option<&'s str>,
    /// Whether it is the session of this request.
    #[schema(example = true)]
    current: bool,
}

/// The sessions of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = sessionsSchema)]
struct SessionsBody<'s> {
    /// The sessions that have not ended, oldest first.
    sessions: Vec<SessionBody<'s>>,
}

impl<'s> SessionsBody<'s> {
    /// Shows the sessions, of which one may be that of the request.
    fn of(sessions: &'s [Session], current: Option<SessionId>) -> Self {
        let shown = sessions.iter().map(|session| SessionBody {
            id: session.id.to_string(),
            created_at: WireTime(session.created_at),
            expires_at: WireTime(session.expires_at),
            address: session.origin.address.map(|address| address.to_string()),
            user_agent: session.origin.user_agent.as_deref(),
            current: current == Some(session.id),
        });
        Self { sessions: shown.collect() }
    }
}

/// Changes the caller's own password.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = changeMyPasswordSchema, rename_all = "camelCase")]
pub struct ChangeMyPasswordBody {
    /// The new password: 10 to 128 characters, not a common one.
    #[schema(example = "correct horse battery", min_length = 10, max_length = 128, format = Password)]
    password: String,
    /// The new password again.
    #[schema(example = "correct horse battery", format = Password)]
    confirm_password: String,
    /// The current password.
    #[schema(example = "k!5As3HquUrQ", format = Password)]
    old_password: String,
}

impl ChangeMyPasswordBody {
    const RULES: [MemberRule; 1] = [MemberRule::Same { name: "password", other: "confirmPassword" }];

    /// Reads the body.
    async fn read(body: Body<Self>) -> Result<Self, ApiError> {
        body.read_with(&Self::RULES).await
    }

    /// Reads the body from its members, which a form has sent.
    ///
    /// # Errors
    /// [`ApiError::BadInput`].
    pub fn of_members(members: Map<String, Value>) -> Result<Self, ApiError> {
        Ok(parse_by_rules(members, &Self::RULES, Problems::default())?)
    }

    /// Returns the current password and the new one.
    #[must_use]
    pub fn old_and_new(&self) -> (&str, &str) {
        let Self { password, confirm_password: _same, old_password } = self;
        (old_password, password)
    }
}

/// The caller and their permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = meSchema)]
struct MyselfBody<'m> {
    /// The user, or the admin token.
    #[schema(inline)]
    user: CallerBody<'m>,
    /// The permissions of the caller.
    permissions: Vec<GrantBody<'m>>,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    feedback: [(); 0],
    /// Always empty.
    #[schema(value_type = Object)]
    splash: Map<String, Value>,
}

/// The caller.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum CallerBody<'m> {
    /// A user.
    User(UserBody<'m>),
    /// An admin token.
    Token(AdminTokenBody<'m>),
}

/// An admin token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = adminTokenUserSchema)]
#[serde(rename_all = "camelCase")]
struct AdminTokenBody<'m> {
    /// True: it is an API token.
    #[serde(rename = "isAPI")]
    #[schema(example = true)]
    is_api: bool,
    /// The name of the token.
    #[schema(value_type = String, example = "admin")]
    username: &'m str,
    /// The permissions of the token.
    #[schema(value_type = Vec<String>, example = json!(["ADMIN"]))]
    permissions: [&'static str; 1],
    /// The environments that the token works in: all.
    #[schema(value_type = String, example = "*")]
    environment: &'static str,
    /// What the token is for.
    #[schema(value_type = String, example = "admin")]
    r#type: &'static str,
    /// The projects that the token works in: all.
    #[schema(value_type = Vec<String>, example = json!(["*"]))]
    projects: [&'static str; 1],
    /// The `createdByUserId` of events that an admin token caused.
    #[schema(example = -42)]
    internal_admin_token_user_id: i64,
}

/// A permission of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = permissionSchema)]
struct GrantBody<'m> {
    /// The name of the permission.
    #[schema(value_type = String, example = "READ_PROJECT_API_TOKEN")]
    permission: &'static str,
    /// The project that the permission is for; `*` for all. Absent for a permission of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = "default")]
    project: Option<&'m str>,
}

impl<'m> MyselfBody<'m> {
    fn of(myself: &'m Myself) -> Self {
        let (user, permissions) = match myself {
            Myself::User { user, grants } => {
                (CallerBody::User(UserBody::of(user)), grants.iter().map(GrantBody::of).collect())
            }
            Myself::AdminToken { name } => {
                let permission = Permission::Admin.as_str();
                let token = AdminTokenBody {
                    is_api: true,
                    username: name.as_str(),
                    permissions: [permission],
                    environment: "*",
                    r#type: "admin",
                    projects: ["*"],
                    internal_admin_token_user_id: ADMIN_TOKEN_ID,
                };
                (CallerBody::Token(token), vec![GrantBody { permission, project: None }])
            }
        };
        Self { user, permissions, feedback: [], splash: Map::new() }
    }
}

impl<'m> GrantBody<'m> {
    fn of(Grant { permission, place }: &'m Grant) -> Self {
        let project = match place {
            Place::Project(project) => Some(ProjectId::as_str(project)),
            Place::Instance => (permission.kind() == PermissionKind::Project).then_some("*"),
        };
        Self { permission: permission.as_str(), project }
    }
}

/// The project that the caller's roles are asked for.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct MyRolesQuery {
    /// The project.
    #[param(value_type = String, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    project_id: ProjectId,
}

/// The caller's roles in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = profileRolesSchema)]
struct MyRolesBody<'r> {
    /// The version of this schema.
    #[schema(example = 1)]
    version: u32,
    /// The role for the whole instance, then those in the project, by id.
    roles: Vec<RoleInProjectBody<'r>>,
}

/// A role that the caller has in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = roleInProjectSchema)]
struct RoleInProjectBody<'r> {
    #[serde(flatten)]
    role: RoleBody<'r>,
    /// The project.
    #[schema(value_type = String, example = "web-shop")]
    project: &'r str,
}

impl<'r> MyRolesBody<'r> {
    fn of(roles: &'r [Role], project: &'r ProjectId) -> Self {
        let in_project =
            |role: &'r Role| RoleInProjectBody { role: RoleBody::of(role), project: project.as_str() };
        Self { version: 1, roles: roles.iter().map(in_project).collect() }
    }
}

/// The caller's profile.
#[derive(Serialize, ToSchema)]
#[schema(as = profileSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileBody<'p> {
    /// The projects that the caller can see, by id.
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    projects: Vec<&'p str>,
    /// The role of the caller for the whole instance.
    root_role: RoleBody<'p>,
    /// Always empty: no e-mail is sent.
    #[schema(value_type = Vec<String>)]
    subscriptions: [(); 0],
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    features: [(); 0],
}

impl<'p> ProfileBody<'p> {
    fn of(projects: &'p [ProjectOverview], root_role: &'p Role) -> Self {
        Self {
            projects: projects.iter().map(|overview| overview.project.id.as_str()).collect(),
            root_role: RoleBody::of(root_role),
            subscriptions: [],
            features: [],
        }
    }
}
