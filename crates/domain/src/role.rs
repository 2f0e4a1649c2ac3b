//! Roles: named sets of permissions, held for the whole instance or in a project.

use std::{collections::BTreeSet, fmt};

use crate::{Permission, PermissionKind, RoleDescription, RoleName};

/// The id of a role, an integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub i64);

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

named_enum! {
    /// Where a role is held, and whether it is built in.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum RoleKind {
        /// Built in, held for the whole instance.
        Root = "root",
        /// Built in, held in a project.
        Project = "project",
        /// Custom, held for the whole instance.
        RootCustom = "root-custom",
        /// Custom, held in a project.
        Custom = "custom",
    } else UnknownRoleKind: |_| UnknownRoleKind
}

impl RoleKind {
    /// Whether a role of this kind is built in and cannot be changed.
    pub fn is_built_in(self) -> bool {
        matches!(self, Self::Root | Self::Project)
    }

    /// Whether a role of this kind is held for the whole instance.
    pub fn is_root(self) -> bool {
        matches!(self, Self::Root | Self::RootCustom)
    }
}

/// The text is not the name of a role kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role's type must be root, project, root-custom or custom")]
pub struct UnknownRoleKind;

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub id: RoleId,
    /// Its unique name.
    pub name: RoleName,
    pub kind: RoleKind,
    pub description: RoleDescription,
    pub permissions: BTreeSet<Permission>,
}

/// A role to be created; the store assigns the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its unique name.
    pub name: RoleName,
    /// Where it will be held: [`RoleKind::RootCustom`] or [`RoleKind::Custom`].
    pub kind: RoleKind,
    pub description: RoleDescription,
    pub permissions: BTreeSet<Permission>,
}

/// Why a custom role cannot have a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PermissionFault {
    /// `ADMIN` belongs to the role Admin alone, so that administrators are known by one role.
    #[error("ADMIN is held by the built-in role Admin alone: give that role instead")]
    Admin,
    #[error("{0} is a permission for the whole instance: a role of projects cannot hold it")]
    NotInProjects(Permission),
}

impl RoleKind {
    /// Checks that a custom role of this kind may have the permission.
    pub fn may_hold(self, permission: Permission) -> Result<(), PermissionFault> {
        match permission.kind() {
            _ if permission == Permission::Admin => Err(PermissionFault::Admin),
            PermissionKind::Root if !self.is_root() => Err(PermissionFault::NotInProjects(permission)),
            PermissionKind::Root | PermissionKind::Project => Ok(()),
        }
    }
}

impl NewRole {
    /// Returns the role with the id that the store assigned.
    pub fn with_id(self, id: RoleId) -> Role {
        let Self { name, kind, description, permissions } = self;
        Role { id, name, kind, description, permissions }
    }
}

impl Role {
    /// The id of the built-in role Admin; at least one person must have it as the root role.
    pub const ADMIN: RoleId = RoleId(1);
    /// The id of the built-in role Owner.
    pub const OWNER: RoleId = RoleId(4);

    /// Returns the roles that every instance has, under Unleash's ids.
    ///
    /// # Panics
    /// Never: the names are valid, as its test shows.
    #[expect(
        clippy::expect_used,
        reason = "the names are fixed, and the test of this function makes them all"
    )]
    pub fn built_in() -> [Self; 5] {
        use Permission as P;
        let project_tokens = [P::ReadProjectApiToken, P::CreateProjectApiToken, P::DeleteProjectApiToken];
        let editor = [
            P::ReadClientApiToken,
            P::ReadFrontendApiToken,
            P::CreateProject,
            P::UpdateProject,
            P::DeleteProject,
        ];
        let owner = [P::UpdateProject, P::DeleteProject];
        let role = |id, name: &str, kind, description: &str, permissions: Vec<P>| Self {
            id: RoleId(id),
            name: RoleName::new(name).expect("a valid name"),
            kind,
            description: RoleDescription::new(description).expect("a valid description"),
            permissions: permissions.into_iter().collect(),
        };
        [
            role(1, "Admin", RoleKind::Root, "May do everything.", vec![P::Admin]),
            role(
                2,
                "Editor",
                RoleKind::Root,
                "May work with the tokens of every project, and manage projects.",
                [&project_tokens[..], &editor[..]].concat(),
            ),
            role(3, "Viewer", RoleKind::Root, "May look around, but sees no tokens.", vec![]),
            role(
                4,
                "Owner",
                RoleKind::Project,
                "May work with the project's tokens, and manage the project.",
                [&project_tokens[..], &owner[..]].concat(),
            ),
            role(
                5,
                "Member",
                RoleKind::Project,
                "May work with the project's tokens.",
                project_tokens.to_vec(),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_keep_the_numbers_of_the_reference() {
        let roles = Role::built_in();
        let ids: Vec<_> = roles.iter().map(|role| (role.id.0, role.name.as_str())).collect();
        assert_eq!(ids, [(1, "Admin"), (2, "Editor"), (3, "Viewer"), (4, "Owner"), (5, "Member")]);
        assert!(roles.iter().all(|role| role.kind.is_built_in()));
    }

    #[test]
    fn what_a_role_of_ones_own_making_may_hold() {
        let held = |kind: RoleKind| {
            Permission::ALL.iter().filter(move |permission| kind.may_hold(**permission).is_ok()).count()
        };
        assert_eq!(held(RoleKind::RootCustom), Permission::ALL.len() - 1);
        assert_eq!(held(RoleKind::Custom), 5);
        assert_eq!(RoleKind::Custom.may_hold(Permission::Admin), Err(PermissionFault::Admin));
    }
}
