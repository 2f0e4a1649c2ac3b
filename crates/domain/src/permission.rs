//! The permissions that roles are made of.

use std::{fmt, str::FromStr};

/// Where a permission can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionKind {
    /// For the instance as a whole only.
    Root,
    /// In a project; held for the instance, it applies to every project.
    Project,
}

impl PermissionKind {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Project => "project",
        }
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $id:literal, $kind:ident, $shown:literal,)*) => {
        /// A permission, under Unleash's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $variant,)*
        }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name on the wire and in stores.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the number on the wire, which is Unleash's.
            pub fn id(self) -> i64 {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// Returns where it can be held.
            pub fn kind(self) -> PermissionKind {
                match self {
                    $(Self::$variant => PermissionKind::$kind,)*
                }
            }

            /// Returns a description for people.
            pub fn display_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $shown,)*
                }
            }
        }
    };
}

permissions! {
    /// Implies every other permission, everywhere.
    Admin = "ADMIN", 1, Root, "Administer everything",
    ReadProjectApiToken = "READ_PROJECT_API_TOKEN", 42, Project, "Read the project's API tokens",
    CreateProjectApiToken = "CREATE_PROJECT_API_TOKEN", 43, Project, "Create API tokens in the project",
    DeleteProjectApiToken = "DELETE_PROJECT_API_TOKEN", 44, Project, "Delete the project's API tokens",
    ReadClientApiToken = "READ_CLIENT_API_TOKEN", 53, Root, "Read client API tokens",
    CreateClientApiToken = "CREATE_CLIENT_API_TOKEN", 50, Root, "Create client API tokens",
    UpdateClientApiToken = "UPDATE_CLIENT_API_TOKEN", 51, Root, "Change client API tokens",
    DeleteClientApiToken = "DELETE_CLIENT_API_TOKEN", 52, Root, "Delete client API tokens",
    ReadFrontendApiToken = "READ_FRONTEND_API_TOKEN", 57, Root, "Read frontend API tokens",
    CreateFrontendApiToken = "CREATE_FRONTEND_API_TOKEN", 54, Root, "Create frontend API tokens",
    UpdateFrontendApiToken = "UPDATE_FRONTEND_API_TOKEN", 55, Root, "Change frontend API tokens",
    DeleteFrontendApiToken = "DELETE_FRONTEND_API_TOKEN", 56, Root, "Delete frontend API tokens",
    CreateProject = "CREATE_PROJECT", 12, Root, "Create projects",
    UpdateProject = "UPDATE_PROJECT", 13, Project, "Change a project, its members and its environments",
    DeleteProject = "DELETE_PROJECT", 14, Project, "Archive and delete a project",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission {0:?}")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let found = Self::ALL.iter().find(|permission| permission.as_str() == text);
        found.copied().ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_nothing_else_is() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
        assert!("admin".parse::<Permission>().is_err());
        assert!("".parse::<Permission>().is_err());
    }
}
