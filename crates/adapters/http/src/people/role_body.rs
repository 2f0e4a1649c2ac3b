//! Roles and permissions on the wire.

use std::collections::BTreeSet;

use latchkey_domain::{Permission, PermissionKind, Role, RoleDescription, RoleKind, RoleName};
use latchkey_service::{RoleChange, RoleDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{error::ApiError, extract::fields::Fields};

/// A body that makes a role.
#[derive(ToSchema)]
#[schema(as = createRoleWithPermissionsSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateRoleBody {
    /// What it is called: 1 to 100 characters, trimmed, unlike every other role.
    #[schema(example = "Token auditor", min_length = 1, max_length = 100)]
    name: String,
    /// What it is for, in up to 2,000 characters.
    #[schema(example = "May list the tokens of a project.", max_length = 2000)]
    description: Option<String>,
    /// Where it is held.
    #[schema(value_type = OwnRoleType, example = "custom")]
    r#type: String,
    /// What it allows.
    permissions: Vec<GrantedPermissionBody>,
}

/// A body that changes a role. What is absent stays as it is.
#[derive(ToSchema)]
#[schema(as = updateRoleWithPermissionsSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it, problem by problem")]
pub(crate) struct UpdateRoleBody {
    /// What it is called: 1 to 100 characters, trimmed, unlike every other role.
    #[schema(example = "Token auditor", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// What it is for, in up to 2,000 characters.
    #[schema(example = "May list the tokens of a project.", max_length = 2000)]
    description: Option<String>,
    /// The type that the role has: it cannot be changed.
    #[schema(value_type = Option<OwnRoleType>, example = "custom")]
    r#type: Option<String>,
    /// What it allows from now on, in place of what it allowed.
    permissions: Option<Vec<GrantedPermissionBody>>,
}

/// Where a role of one's own making is held.
#[derive(ToSchema)]
#[schema(as = ownRoleTypeSchema, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes the values for the document")]
pub(crate) enum OwnRoleType {
    /// For the whole instance.
    RootCustom,
    /// In projects.
    Custom,
}

/// A permission that a role is given.
#[derive(ToSchema)]
#[schema(as = grantedPermissionSchema)]
#[expect(dead_code, reason = "it describes the body for the document")]
pub(crate) struct GrantedPermissionBody {
    /// Its name.
    #[schema(example = "READ_PROJECT_API_TOKEN")]
    name: String,
    /// To be left out, null or empty: no permission is held for one environment alone.
    environment: Option<String>,
}

/// Reads the body that makes a role.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<RoleDraft, ApiError> {
    let mut fields = Fields::of(body)?;
    fields.need("type");
    let name = fields.required("name", name);
    let kind = kind(&mut fields);
    let description = fields.optional("description", description);
    fields.need("permissions");
    let permissions = permissions(&mut fields);
    let description = description.map_or_else(|| RoleDescription::new("").ok(), Some);
    let parts = name.zip(kind).zip(description.zip(permissions));
    let draft = parts.map(|((name, kind), (description, permissions))| RoleDraft {
        name,
        kind,
        description,
        permissions,
    });
    fields.finish(draft)
}

/// Reads the body that changes a role.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn change(body: Value) -> Result<RoleChange, ApiError> {
    let mut fields = Fields::of(body)?;
    let change = RoleChange {
        name: fields.optional("name", name),
        kind: kind(&mut fields),
        description: fields.optional("description", description),
        permissions: permissions(&mut fields),
    };
    fields.finish(Some(change))
}

fn name(text: &str) -> Result<RoleName, String> {
    RoleName::new(text).map_err(|error| format!("The {error}."))
}

fn description(text: &str) -> Result<RoleDescription, String> {
    RoleDescription::new(text).map_err(|error| format!("The {error}."))
}

fn kind(fields: &mut Fields) -> Option<RoleKind> {
    fields.optional("type", |text| text.parse().map_err(|_| "type must be root-custom or custom.".to_owned()))
}

fn permissions(fields: &mut Fields) -> Option<BTreeSet<Permission>> {
    fields.list("permissions", permission).map(BTreeSet::from_iter)
}

fn permission(entry: &Value) -> Result<Permission, String> {
    let Some(name) = entry.get("name").and_then(Value::as_str) else {
        return Err("Each of permissions must be an object with a name, such as \
                    {\"name\": \"READ_PROJECT_API_TOKEN\"}."
            .to_owned());
    };
    // To pass it over would give the permission everywhere, which is more than was asked for.
    if !matches!(entry.get("environment"), None | Some(Value::Null))
        && entry.get("environment").and_then(Value::as_str) != Some("")
    {
        return Err(format!("{name} cannot be held for one environment alone: leave environment out."));
    }
    let unknown =
        |error| format!("permissions: {error}; GET /api/admin/permissions lists those that there are.");
    name.parse().map_err(|error: latchkey_domain::UnknownPermission| unknown(error))
}

/// A role without what it allows, as lists show which there are.
#[derive(Serialize, ToSchema)]
#[schema(as = roleSchema)]
pub(crate) struct RoleBody<'r> {
    /// The id.
    #[schema(example = 2)]
    id: i64,
    /// What it is called.
    #[schema(value_type = String, example = "Editor")]
    name: &'r str,
    /// Where it is held: `root` and `root-custom` for the whole instance, `project` and `custom` in projects.
    #[schema(value_type = String, example = "root")]
    r#type: &'static str,
    /// What it is for.
    #[schema(value_type = String, example = "May work with the tokens of every project, and manage projects.")]
    description: &'r str,
}

impl<'r> RoleBody<'r> {
    pub(crate) fn of(role: &'r Role) -> Self {
        Self {
            id: role.id.0,
            name: RoleName::as_str(&role.name),
            r#type: role.kind.as_str(),
            description: RoleDescription::as_str(&role.description),
        }
    }
}

/// A list of roles.
#[derive(Serialize, ToSchema)]
#[schema(as = rolesWithVersionSchema)]
pub(crate) struct RolesBody<'r> {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    /// The roles, by id.
    roles: Vec<RoleBody<'r>>,
}

impl<'r> RolesBody<'r> {
    pub(crate) fn of(roles: &'r [Role]) -> Self {
        Self { version: 1, roles: roles.iter().map(RoleBody::of).collect() }
    }
}

/// A role with what it allows.
#[derive(Serialize, ToSchema)]
#[schema(as = roleWithPermissionsSchema)]
pub(crate) struct RoleWithPermissionsBody<'r> {
    #[serde(flatten)]
    role: RoleBody<'r>,
    /// What it allows.
    permissions: Vec<PermissionBody>,
}

impl<'r> RoleWithPermissionsBody<'r> {
    pub(crate) fn of(role: &'r Role) -> Self {
        let permissions = role.permissions.iter().copied().map(PermissionBody::of).collect();
        Self { role: RoleBody::of(role), permissions }
    }
}

/// A permission.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PermissionBody {
    /// The number of the permission.
    #[schema(example = 42)]
    id: i64,
    /// Its name.
    #[schema(value_type = String, example = "READ_PROJECT_API_TOKEN")]
    name: &'static str,
    /// What it lets one do.
    #[schema(value_type = String, example = "Read the project's API tokens")]
    display_name: &'static str,
    /// Where it is held: `root` for the whole instance, `project` in projects too.
    #[schema(value_type = String, example = "project")]
    r#type: &'static str,
}

impl PermissionBody {
    fn of(permission: Permission) -> Self {
        Self {
            id: permission.id(),
            name: permission.as_str(),
            display_name: permission.display_name(),
            r#type: permission.kind().as_str(),
        }
    }
}

/// Every permission that there is.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionsSchema)]
pub(crate) struct PermissionsBody {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    /// The permissions, by where they are held.
    permissions: PermissionsByPlace,
}

/// Permissions, by where they are held.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionsByPlaceSchema)]
struct PermissionsByPlace {
    /// Those of the whole instance.
    root: Vec<PermissionBody>,
    /// Those of projects.
    project: Vec<PermissionBody>,
    /// Those of environments: there are none.
    environments: Vec<PermissionBody>,
}

impl PermissionsBody {
    pub(crate) fn all() -> Self {
        let of = |kind: PermissionKind| {
            let those = Permission::ALL.iter().copied().filter(|permission| permission.kind() == kind);
            those.map(PermissionBody::of).collect()
        };
        let permissions = PermissionsByPlace {
            root: of(PermissionKind::Root),
            project: of(PermissionKind::Project),
            environments: Vec::new(),
        };
        Self { version: 1, permissions }
    }
}
