//! Permissions as rows, by where they can be held.

use latchkey_domain::{Permission, PermissionKind, Role, RoleKind};

/// The permissions that can be held in the same places.
pub(super) struct Block {
    /// The key of its heading.
    pub(super) heading: &'static str,
    pub(super) permissions: Vec<Permission>,
}

/// Returns all permissions.
pub(super) fn all() -> Vec<Block> {
    blocks(|_| true)
}

/// Returns the permissions that a custom role of this kind can give.
pub(super) fn of_kind(kind: RoleKind) -> Vec<Block> {
    blocks(|permission| kind.may_hold(permission).is_ok())
}

fn blocks(is_shown: impl Fn(Permission) -> bool) -> Vec<Block> {
    let block = |kind: PermissionKind| {
        let those = Permission::ALL.iter().copied().filter(|permission| permission.kind() == kind);
        let heading = match kind {
            PermissionKind::Root => "people-of-instance",
            PermissionKind::Project => "people-of-projects",
        };
        Block { heading, permissions: those.filter(|permission| is_shown(*permission)).collect() }
    };
    let mut blocks = vec![block(PermissionKind::Root), block(PermissionKind::Project)];
    blocks.retain(|block| !block.permissions.is_empty());
    blocks
}

/// Returns the key of what a permission allows, in words.
pub(super) fn key(permission: Permission) -> String {
    format!("permission-{}", permission.as_str())
}

/// Returns whether a role gives a permission, by itself or because it gives all.
pub(super) fn gives(role: &Role, permission: Permission) -> bool {
    role.permissions.contains(&permission) || role.permissions.contains(&Permission::Admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(blocks: &[Block]) -> usize {
        blocks.iter().map(|block| block.permissions.len()).sum()
    }

    #[test]
    fn a_role_of_projects_can_give_only_permissions_of_projects() {
        assert_eq!(count(&all()), Permission::ALL.len());
        assert_eq!(count(&of_kind(RoleKind::RootCustom)), Permission::ALL.len() - 1);
        let of_projects = of_kind(RoleKind::Custom);
        assert_eq!((of_projects.len(), count(&of_projects)), (1, 5));
    }

    #[test]
    fn every_permission_has_words() {
        for words in crate::words::Words::all() {
            for permission in Permission::ALL {
                assert!(words.has(&key(*permission)), "{permission} in {}", words.tag);
            }
        }
    }
}
