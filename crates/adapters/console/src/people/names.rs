//! How accounts and roles are called.

use latchkey_domain::{PersonName, Role, RoleId, User};
use latchkey_service::ServiceError;

use crate::visitor::Visitor;

/// Returns the name that an account is shown by: the display name, or else a name for signing in.
pub(super) fn called(user: &User) -> &str {
    user.name.as_ref().map_or_else(|| user.identity.label(), PersonName::as_str)
}

/// Returns the roles that are held for the whole instance, by id.
pub(super) async fn root_roles(visitor: &Visitor) -> Result<Vec<Role>, ServiceError> {
    let mut roles = visitor.use_cases().roles.list(visitor.caller()).await?;
    roles.retain(|role| role.kind.is_root());
    Ok(roles)
}

/// Returns the name of a role; its id if it has been deleted meanwhile.
pub(super) fn role_name(roles: &[Role], id: RoleId) -> String {
    let found = roles.iter().find(|role| role.id == id);
    found.map_or_else(|| id.to_string(), |role| role.name.as_str().to_owned())
}
