//! Roles: named sets of permissions, held for the whole instance or in a project.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::Permission;

/// The id of a role, an integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub i64);

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a role is held, and who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// Built in, held for the whole instance.
    Root,
    /// Built in, held in a project.
    Project,
    /// Made by an administrator, held for the whole instance.
    RootCustom,
    /// Made by an administrator, held in a project.
    Custom,
}

impl RoleKind {
    const ALL: [Self; 4] = [Self::Root, Self::Project, Self::RootCustom, Self::Custom];

    /// The name on the wire and in stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Project => "project",
            Self::RootCustom => "root-custom",
            Self::Custom => "custom",
        }
    }

    /// Whether a role of this kind is held for the whole instance.
    #[must_use]
    pub fn is_root(self) -> bool {
        matches!(self, Self::Root | Self::RootCustom)
    }
}

/// The text names no kind of role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role's type must be root, project, root-custom or custom")]
pub struct UnknownRoleKind;

impl FromStr for RoleKind {
    type Err = UnknownRoleKind;

    fn from_str(text: &str) -> Result<Self, UnknownRoleKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownRoleKind)
    }
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its unique name.
    pub name: String,
    /// Where it is held.
    pub kind: RoleKind,
    /// What it is for, in a sentence.
    pub description: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
}

impl Role {
    /// The roles that every instance has (contract, "Access"), under the reference's ids.
    #[must_use]
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
            name: name.to_owned(),
            kind,
            description: description.to_owned(),
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
