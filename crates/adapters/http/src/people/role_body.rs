//! The bodies of roles and permissions.

use std::{borrow::Cow, collections::BTreeSet};

use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef as Location};
use latchkey_domain::{
    Permission, PermissionKind, Role, RoleDescription, RoleKind, RoleName, UnknownPermission,
};
use latchkey_ports::EnvironmentOverview;
use latchkey_service::{RoleChange, RoleDraft};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder},
    },
};

use crate::extract::{List, Problems};

/// Creates a role.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = createRoleWithPermissionsSchema)]
pub struct CreateRoleBody {
    /// The name: 1 to 100 characters, trimmed; unique among roles.
    #[schema(value_type = String, example = "Token auditor", min_length = 1, max_length = 100)]
    name: RoleName,
    /// The description, of at most 2,000 characters.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "May list the tokens of a project.", max_length = 2000)]
    description: Option<RoleDescription>,
    /// Where users have the role.
    #[deserr(rename = "type")]
    #[schema(value_type = OwnRoleType, rename = "type", example = "custom")]
    kind: RoleKind,
    /// The permissions that the role gives.
    #[schema(value_type = Vec<GrantedPermissionBody>)]
    permissions: List<GrantedPermissionBody>,
}

impl From<CreateRoleBody> for RoleDraft {
    fn from(CreateRoleBody { name, description, kind, permissions }: CreateRoleBody) -> Self {
        let description = description.unwrap_or_default();
        Self { name, kind, description, permissions: set(permissions) }
    }
}

/// Updates a role. Absent or null members stay as they are.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = updateRoleWithPermissionsSchema)]
pub struct UpdateRoleBody {
    /// The name: 1 to 100 characters, trimmed; unique among roles.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Token auditor", min_length = 1, max_length = 100)]
    name: Option<RoleName>,
    /// The description, of at most 2,000 characters.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "May list the tokens of a project.", max_length = 2000)]
    description: Option<RoleDescription>,
    /// The type that the role has; it cannot be changed.
    #[deserr(default, rename = "type")]
    #[schema(value_type = Option<OwnRoleType>, rename = "type", example = "custom")]
    kind: Option<RoleKind>,
    /// The permissions that the role gives, instead of those that it gave.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<GrantedPermissionBody>>)]
    permissions: Option<List<GrantedPermissionBody>>,
}

impl From<UpdateRoleBody> for RoleChange {
    fn from(body: UpdateRoleBody) -> Self {
        let UpdateRoleBody { name, description, kind, permissions } = body;
        Self { name, kind, description, permissions: permissions.map(set) }
    }
}

/// A permission that a role gives.
#[derive(Debug, ToSchema)]
#[schema(as = grantedPermissionSchema, example = json!({"name": "READ_PROJECT_API_TOKEN"}))]
struct GrantedPermissionBody {
    /// The name of the permission.
    #[schema(value_type = String, example = "READ_PROJECT_API_TOKEN")]
    name: Permission,
    /// Absent, null or empty: no permission can be limited to one environment.
    #[schema(value_type = Option<String>)]
    environment: NoEnvironment,
}

/// No environment.
#[derive(Debug)]
struct NoEnvironment;

/// Written by hand because a problem with an entry is reported at the list.
impl Deserr<Problems> for GrantedPermissionBody {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let mut members = match value {
            Value::Map(members) => Some(members),
            _ => None,
        };
        let mut member = |name| members.as_mut()?.remove(name).map(IntoValue::into_value);
        let Some(Value::String(name)) = member("name") else {
            return Err(Problems::at(
                place,
                "Each of permissions must be an object with a name, such as {\"name\": \"READ_PROJECT_API_TOKEN\"}.",
            ));
        };
        // Ignoring the environment would give the permission in every environment, which is more than was requested.
        let environment = match member("environment") {
            None | Some(Value::Null) => NoEnvironment,
            Some(Value::String(text)) if text.is_empty() => NoEnvironment,
            Some(_) => {
                let message = format!("{name} cannot be limited to one environment: leave environment out.");
                return Err(Problems::at(place, message));
            }
        };
        let unknown = |error: UnknownPermission| {
            let message = format!("permissions: {error}; GET /api/admin/permissions lists those that exist.");
            Problems::at(place, message)
        };
        Ok(Self { name: name.parse().map_err(unknown)?, environment })
    }
}

fn set(List(permissions): List<GrantedPermissionBody>) -> BTreeSet<Permission> {
    let names =
        permissions.into_iter().map(|GrantedPermissionBody { name, environment: NoEnvironment }| name);
    names.collect()
}

/// The schema of the types that a custom role can have.
struct OwnRoleType;

impl PartialSchema for OwnRoleType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("Where users have a custom role: for the whole instance, or in projects."))
            .enum_values(Some([RoleKind::RootCustom.as_str(), RoleKind::Custom.as_str()]))
            .into()
    }
}

impl ToSchema for OwnRoleType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ownRoleTypeSchema")
    }
}

/// The schema of a reference to a role.
pub(super) struct RootRoleReference;

impl PartialSchema for RootRoleReference {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .description(Some("A role, by its id or its name."))
            .examples(["Editor"])
            .item(i64::schema())
            .item(String::schema())
            .into()
    }
}

impl ToSchema for RootRoleReference {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("rootRoleReferenceSchema")
    }
}

/// A role without its permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = roleSchema)]
pub(crate) struct RoleBody<'r> {
    /// The id.
    #[schema(example = 2)]
    id: i64,
    /// The name.
    #[schema(value_type = String, example = "Editor")]
    name: &'r str,
    /// Where users have the role: `root` and `root-custom` for the whole instance, `project` and `custom` in projects.
    #[schema(value_type = String, example = "root")]
    r#type: &'static str,
    /// The description.
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
pub(super) struct RolesBody<'r> {
    /// The version of this schema.
    #[schema(example = 1)]
    version: u32,
    /// The roles, by id.
    roles: Vec<RoleBody<'r>>,
}

impl<'r> RolesBody<'r> {
    pub(super) fn of(roles: &'r [Role]) -> Self {
        Self { version: 1, roles: roles.iter().map(RoleBody::of).collect() }
    }
}

/// A role with its permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = roleWithPermissionsSchema)]
pub(super) struct RoleWithPermissionsBody<'r> {
    #[serde(flatten)]
    role: RoleBody<'r>,
    /// The permissions that the role gives.
    permissions: Vec<PermissionBody>,
}

impl<'r> RoleWithPermissionsBody<'r> {
    pub(super) fn of(role: &'r Role) -> Self {
        let permissions = role.permissions.iter().copied().map(PermissionBody::of).collect();
        Self { role: RoleBody::of(role), permissions }
    }
}

/// A role that was just created or updated.
#[derive(Serialize, ToSchema)]
#[schema(as = changedRoleSchema)]
pub(super) struct ChangedRoleBody<'r> {
    /// The version of this schema.
    #[schema(example = 1)]
    version: u32,
    /// The role again, without its permissions. Terraform's client reads it here.
    #[serde(rename = "roles")]
    role: RoleBody<'r>,
    #[serde(flatten)]
    with_permissions: RoleWithPermissionsBody<'r>,
}

impl<'r> ChangedRoleBody<'r> {
    pub(super) fn of(role: &'r Role) -> Self {
        Self { version: 1, role: RoleBody::of(role), with_permissions: RoleWithPermissionsBody::of(role) }
    }
}

/// A permission.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionBody {
    /// The number of the permission.
    #[schema(example = 42)]
    id: i64,
    /// The name.
    #[schema(value_type = String, example = "READ_PROJECT_API_TOKEN")]
    name: &'static str,
    /// What the permission allows.
    #[schema(value_type = String, example = "Read the project's API tokens")]
    display_name: &'static str,
    /// Where it is given: `root` for the whole instance, `project` in projects too.
    #[schema(value_type = String, example = "project")]
    r#type: &'static str,
}

impl PermissionBody {
    pub(super) fn of(permission: Permission) -> Self {
        Self {
            id: permission.id(),
            name: permission.as_str(),
            display_name: permission.display_name(),
            r#type: permission.kind().as_str(),
        }
    }
}

/// All permissions.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionsSchema)]
pub(super) struct PermissionsBody<'e> {
    /// The version of this schema.
    #[schema(example = 1)]
    version: u32,
    /// The permissions, by where they are given.
    permissions: PermissionsByPlace<'e>,
}

/// Permissions, by where they are given.
#[derive(Serialize, ToSchema)]
#[schema(as = adminPermissionsByPlaceSchema)]
struct PermissionsByPlace<'e> {
    /// Those of the whole instance.
    root: Vec<PermissionBody>,
    /// Those of projects.
    project: Vec<PermissionBody>,
    /// Those of each environment: none.
    environments: Vec<EnvironmentPermissionsBody<'e>>,
}

/// The permissions that can be given in one environment alone.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentPermissionsSchema)]
struct EnvironmentPermissionsBody<'e> {
    /// The name of the environment.
    #[schema(value_type = String, example = "development")]
    name: &'e str,
    /// Always empty: no permission can be limited to one environment.
    #[schema(value_type = Vec<PermissionBody>)]
    permissions: [PermissionBody; 0],
}

impl<'e> PermissionsBody<'e> {
    /// Shows all permissions, and the environments.
    pub(super) fn of(environments: &'e [EnvironmentOverview]) -> Self {
        let of = |kind: PermissionKind| {
            let those = Permission::ALL.iter().copied().filter(|permission| permission.kind() == kind);
            those.map(PermissionBody::of).collect()
        };
        let permissions = PermissionsByPlace {
            root: of(PermissionKind::Root),
            project: of(PermissionKind::Project),
            environments: environments
                .iter()
                .map(|overview| EnvironmentPermissionsBody {
                    name: overview.environment.name.as_str(),
                    permissions: [],
                })
                .collect(),
        };
        Self { version: 1, permissions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_a_role_is_documented_as_the_id_or_the_name_itself() {
        let schema = serde_json::to_value(RootRoleReference::schema()).expect("JSON");
        assert_eq!([&schema["oneOf"][0]["type"], &schema["oneOf"][1]["type"]], ["integer", "string"]);
    }
}
