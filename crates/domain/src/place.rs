//! Projects and environments: what tokens are scoped to.

use std::collections::BTreeSet;

use crate::{EnvironmentName, ProjectDescription, ProjectId, ProjectName, Timestamp};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id, chosen once.
    pub id: ProjectId,
    pub name: ProjectName,
    /// What it is for; may be empty.
    pub description: ProjectDescription,
    pub mode: ProjectMode,
    pub created_at: Timestamp,
    /// When its name, description, mode or state last changed.
    pub updated_at: Timestamp,
    /// Since when it is archived; its tokens still work. `None` = it is not.
    pub archived_at: Option<Timestamp>,
}

impl Project {
    /// The project that is always there and cannot be deleted.
    pub const DEFAULT: &str = "default";
}

named_enum! {
    /// Which users see a project. What they may do in it depends on permissions alone.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub enum ProjectMode {
        #[default]
        Open = "open",
        /// All users, as with `open`; for clients that distinguish the two.
        Protected = "protected",
        /// Its members, and users with a permission in every project.
        Private = "private",
    } else UnknownProjectMode: |_| UnknownProjectMode
}

/// The text is not the name of a project mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a project's mode must be open, protected or private")]
pub struct UnknownProjectMode;

/// The projects that a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectVisibility {
    All,
    NotPrivateAnd(BTreeSet<ProjectId>),
}

impl ProjectVisibility {
    /// Whether the project is visible.
    pub fn shows(&self, project: &Project) -> bool {
        match self {
            Self::All => true,
            Self::NotPrivateAnd(own) => project.mode != ProjectMode::Private || own.contains(&project.id),
        }
    }
}

named_enum! {
    /// What an environment is used for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum EnvironmentKind {
        Development = "development",
        Test = "test",
        PreProduction = "pre-production",
        Production = "production",
    } else UnknownEnvironmentKind: |_| UnknownEnvironmentKind
}

/// The text is not the name of an environment kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment's type must be development, test, pre-production or production")]
pub struct UnknownEnvironmentKind;

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, chosen once.
    pub name: EnvironmentName,
    pub kind: EnvironmentKind,
    /// Its position in lists, ascending.
    pub sort_order: i32,
    /// Whether it is switched on; tokens work either way.
    pub enabled: bool,
}
