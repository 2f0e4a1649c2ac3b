//! The permissions that roles are made of.

use std::{fmt, str::FromStr};

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One thing that a principal may be allowed to do, under Unleash's name for it (contract, "Access").
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $variant,)*
        }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire and in stores.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

permissions! {
    /// Implies every other permission, everywhere.
    Admin = "ADMIN",
    /// List the tokens of a project.
    ReadProjectApiToken = "READ_PROJECT_API_TOKEN",
    /// Create tokens in a project.
    CreateProjectApiToken = "CREATE_PROJECT_API_TOKEN",
    /// Revoke tokens of a project.
    DeleteProjectApiToken = "DELETE_PROJECT_API_TOKEN",
    /// List client tokens of the instance.
    ReadClientApiToken = "READ_CLIENT_API_TOKEN",
    /// Create client tokens of any scope.
    CreateClientApiToken = "CREATE_CLIENT_API_TOKEN",
    /// Change client tokens of any scope.
    UpdateClientApiToken = "UPDATE_CLIENT_API_TOKEN",
    /// Revoke client tokens of any scope.
    DeleteClientApiToken = "DELETE_CLIENT_API_TOKEN",
    /// List frontend tokens of the instance.
    ReadFrontendApiToken = "READ_FRONTEND_API_TOKEN",
    /// Create frontend tokens of any scope.
    CreateFrontendApiToken = "CREATE_FRONTEND_API_TOKEN",
    /// Change frontend tokens of any scope.
    UpdateFrontendApiToken = "UPDATE_FRONTEND_API_TOKEN",
    /// Revoke frontend tokens of any scope.
    DeleteFrontendApiToken = "DELETE_FRONTEND_API_TOKEN",
    /// Create projects.
    CreateProject = "CREATE_PROJECT",
    /// Change a project, its members and its environments.
    UpdateProject = "UPDATE_PROJECT",
    /// Archive and delete a project.
    DeleteProject = "DELETE_PROJECT",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no permission.
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
