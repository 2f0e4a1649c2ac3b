//! Projects and environments: what tokens are scoped to.

use std::str::FromStr;

use crate::{EnvironmentName, ProjectDescription, ProjectId, ProjectName, Timestamp};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id, chosen once.
    pub id: ProjectId,
    /// What people call it.
    pub name: ProjectName,
    /// What it is for; may be empty.
    pub description: ProjectDescription,
    /// When it was created.
    pub created_at: Timestamp,
    /// Since when it is archived; its tokens go on working. `None` = it is not.
    pub archived_at: Option<Timestamp>,
}

/// What an environment is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// Where work is done.
    Development,
    /// Where work is tried.
    Test,
    /// Where releases are tried.
    PreProduction,
    /// Where it counts.
    Production,
}

impl EnvironmentKind {
    const ALL: [Self; 4] = [Self::Development, Self::Test, Self::PreProduction, Self::Production];

    /// The name on the wire and in stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::PreProduction => "pre-production",
            Self::Production => "production",
        }
    }
}

/// The text names no kind of environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment's type must be development, test, pre-production or production")]
pub struct UnknownEnvironmentKind;

impl FromStr for EnvironmentKind {
    type Err = UnknownEnvironmentKind;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironmentKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownEnvironmentKind)
    }
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, chosen once.
    pub name: EnvironmentName,
    /// What it is used for.
    pub kind: EnvironmentKind,
    /// Where it stands in lists, ascending.
    pub sort_order: i32,
    /// Whether it is switched on; tokens work either way, as in the reference.
    pub enabled: bool,
}
