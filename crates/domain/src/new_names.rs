//! An additional rule for the names of new projects and environments: a URL path must be able to carry them.
//!
//! Existing names need not follow it, so that they can still be shown and deleted.

use crate::{EnvironmentName, InvalidName, NameFault, ProjectId};

fn carried_by_paths(
    what: &'static str,
    text: &str,
    reserved: &'static [&'static str],
) -> Result<(), InvalidName> {
    let fault = if matches!(text, "." | "..") {
        NameFault::DotSegment
    } else if reserved.contains(&text) {
        NameFault::Reserved(reserved)
    } else {
        return Ok(());
    };
    Err(InvalidName { what, fault })
}

impl ProjectId {
    /// Fixed path segments in the position of an id (`/api/admin/projects/archive/{projectId}`).
    pub const RESERVED: &[&str] = &["archive", "revive"];

    /// Checks that a new project may have this id: a path can carry it.
    pub fn check_new(&self) -> Result<(), InvalidName> {
        carried_by_paths("project id", self.as_str(), Self::RESERVED)
    }
}

impl EnvironmentName {
    /// Fixed path segments in the position of a name (`/api/admin/environments/sort-order`).
    pub const RESERVED: &[&str] = &["project", "sort-order", "update"];

    /// Checks that a new environment may have this name; as [`ProjectId::check_new`].
    pub fn check_new(&self) -> Result<(), InvalidName> {
        carried_by_paths("environment name", self.as_str(), Self::RESERVED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_one_that_paths_carry() {
        for (name, project, environment) in [
            (".", false, false),
            ("..", false, false),
            ("archive", false, true),
            ("revive", false, true),
            ("project", true, false),
            ("sort-order", true, false),
            ("...", true, true),
            (".a", true, true),
            ("Archive", true, true),
            ("archives", true, true),
        ] {
            assert_eq!(ProjectId::new(name).expect("an id").check_new().is_ok(), project, "{name}");
            assert_eq!(
                EnvironmentName::new(name).expect("a name").check_new().is_ok(),
                environment,
                "{name}"
            );
        }
        for (name, message) in [
            (
                "..",
                "project id must not be \".\" or \"..\": paths lose such a part on their way (RFC 3986, section 5.2.4)",
            ),
            (
                "archive",
                "project id must not be one of these, which mean something else in paths of the API: archive, revive",
            ),
        ] {
            let error = ProjectId::new(name).expect("an id").check_new().expect_err("no new one");
            assert_eq!(error.to_string(), message);
        }
    }
}
