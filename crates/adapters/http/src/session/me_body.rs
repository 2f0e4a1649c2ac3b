//! The bodies that say who the caller is.

use latchkey_domain::{Grant, Permission, PermissionKind, Place, ProjectId, Role};
use latchkey_ports::ProjectOverview;
use latchkey_service::Myself;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{people::role_body::RoleBody, people::user_body::UserBody};

/// The number that the reference gives to admin tokens where users have one.
const ADMIN_TOKEN_ID: i64 = -42;

/// The caller, and what they may do.
#[derive(Serialize, ToSchema)]
#[schema(as = meSchema)]
pub(crate) struct MyselfBody<'m> {
    /// The user, or the admin token.
    #[schema(inline)]
    user: CallerBody<'m>,
    /// What the caller may do.
    permissions: Vec<GrantBody<'m>>,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    feedback: [(); 0],
    /// Always empty.
    #[schema(value_type = Object)]
    splash: Map<String, Value>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum CallerBody<'m> {
    /// A user.
    User(UserBody<'m>),
    /// An admin token.
    Token(AdminTokenBody<'m>),
}

/// An admin token, as it sees itself: without its secret, which it knows.
#[derive(Serialize, ToSchema)]
#[schema(as = adminTokenUserSchema)]
#[serde(rename_all = "camelCase")]
struct AdminTokenBody<'m> {
    /// True: it is an API token.
    #[serde(rename = "isAPI")]
    #[schema(example = true)]
    is_api: bool,
    /// The token's name.
    #[schema(value_type = String, example = "admin")]
    username: &'m str,
    /// What it may do.
    #[schema(value_type = Vec<String>, example = json!(["ADMIN"]))]
    permissions: [&'static str; 1],
    /// Where: in all environments.
    #[schema(value_type = String, example = "*")]
    environment: &'static str,
    /// What the token is for.
    #[schema(value_type = String, example = "admin")]
    r#type: &'static str,
    /// Where: in all projects.
    #[schema(value_type = Vec<String>, example = json!(["*"]))]
    projects: [&'static str; 1],
    /// What events have as `createdByUserId` for what an admin token did.
    #[schema(example = -42)]
    internal_admin_token_user_id: i64,
}

/// Something that the caller may do.
#[derive(Serialize, ToSchema)]
#[schema(as = permissionSchema)]
struct GrantBody<'m> {
    /// The permission.
    #[schema(value_type = String, example = "READ_PROJECT_API_TOKEN")]
    permission: &'static str,
    /// In which project; `*` in all. Absent for what is not done in a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = "default")]
    project: Option<&'m str>,
}

impl<'m> MyselfBody<'m> {
    pub(crate) fn of(myself: &'m Myself) -> Self {
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
pub(crate) struct ProfileBody<'p> {
    /// The projects that the caller sees, by id.
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    projects: Vec<&'p str>,
    /// The role that the caller holds for the whole instance.
    root_role: RoleBody<'p>,
    /// Always empty: nobody is written to.
    #[schema(value_type = Vec<String>)]
    subscriptions: [(); 0],
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    features: [(); 0],
}

impl<'p> ProfileBody<'p> {
    pub(crate) fn of(projects: &'p [ProjectOverview], root_role: &'p Role) -> Self {
        Self {
            projects: projects.iter().map(|overview| overview.project.id.as_str()).collect(),
            root_role: RoleBody::of(root_role),
            subscriptions: [],
            features: [],
        }
    }
}
