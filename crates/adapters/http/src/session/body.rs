//! The bodies of logging in, of sessions, of changing one's own password, and those that show the caller.

use deserr::Deserr;
use latchkey_domain::{Grant, Permission, PermissionKind, Place, ProjectId, Role, Session, SessionId};
use latchkey_ports::ProjectOverview;
use latchkey_service::{LoggedIn, Myself};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    extract::{
        Body, Problems,
        body::MemberRule,
        text::{FromText, text_members},
    },
    people::{role_body::RoleBody, user_body::UserBody},
    wire_time::WireTime,
};

/// The user id that Unleash gives to admin tokens.
const ADMIN_TOKEN_ID: i64 = -42;

/// Logs a user in. Unknown members are refused.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schema(as = loginSchema)]
pub(super) struct LoginBody {
    /// The user name, or the e-mail address in any case of letters.
    #[schema(value_type = String, example = "user")]
    pub(super) username: LoginName,
    /// The password.
    #[schema(example = "hunter2", format = Password)]
    pub(super) password: String,
}

/// A user name or an e-mail address, without NUL: some stores cannot compare text with it.
pub(super) struct LoginName(pub(super) String);

text_members!(LoginName);

impl FromText for LoginName {
    fn from_text(text: &str, name: &str) -> Result<Self, String> {
        if text.contains('\0') {
            return Err(format!("{name} must not contain NUL."));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A user who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = loggedInSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedInBody<'l> {
    #[serde(flatten)]
    user: UserBody<'l>,
    /// How many of the user's oldest sessions ended because the user has the maximum number of sessions.
    #[schema(example = 0)]
    deleted_sessions: u64,
    /// The maximum number of sessions of one user.
    #[schema(example = 5)]
    active_sessions: u32,
}

impl<'l> LoggedInBody<'l> {
    pub(super) fn of(logged_in: &'l LoggedIn) -> Self {
        Self {
            user: UserBody::of(&logged_in.user),
            deleted_sessions: logged_in.ended_sessions,
            active_sessions: logged_in.max_per_user,
        }
    }
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
pub(super) struct SessionsBody<'s> {
    /// The sessions that have not ended, oldest first.
    sessions: Vec<SessionBody<'s>>,
}

impl<'s> SessionsBody<'s> {
    /// Shows the sessions, of which one may be that of the request.
    pub(super) fn of(sessions: &'s [Session], current: Option<SessionId>) -> Self {
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
pub(super) struct ChangeMyPasswordBody {
    /// The new password: 10 to 128 characters, not a common one.
    #[schema(example = "correct horse battery", min_length = 10, max_length = 128, format = Password)]
    pub(super) password: String,
    /// The new password again.
    #[schema(example = "correct horse battery", format = Password)]
    pub(super) confirm_password: String,
    /// The current password.
    #[schema(example = "hunter2", format = Password)]
    pub(super) old_password: String,
}

impl ChangeMyPasswordBody {
    /// Reads the body.
    pub(super) async fn read(body: Body<Self>) -> Result<Self, ApiError> {
        body.read_with(&[MemberRule::Same { name: "password", other: "confirmPassword" }]).await
    }
}

/// The caller and their permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = meSchema)]
pub(super) struct MyselfBody<'m> {
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
    pub(super) fn of(myself: &'m Myself) -> Self {
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

/// The caller's profile.
#[derive(Serialize, ToSchema)]
#[schema(as = profileSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileBody<'p> {
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
    pub(super) fn of(projects: &'p [ProjectOverview], root_role: &'p Role) -> Self {
        Self {
            projects: projects.iter().map(|overview| overview.project.id.as_str()).collect(),
            root_role: RoleBody::of(root_role),
            subscriptions: [],
            features: [],
        }
    }
}
