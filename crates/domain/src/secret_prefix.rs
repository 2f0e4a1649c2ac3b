//! The prefix of a secret, `<projects>:<environment>.`, by which people and clients see the scope of its token.

use std::fmt;

use crate::{EnvironmentName, EnvironmentScope, InvalidName, ProjectId, ProjectScope, TokenAccess};

/// The scope in the prefix of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPrefix {
    projects: ProjectsPart,
    environment: EnvironmentScope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ProjectsPart {
    All,
    One(ProjectId),
    Several,
}

/// Why the prefix of a secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadablePrefix {
    #[error("it has no \":\" after its project: write <project>:<environment>.<random>")]
    NoColon,
    /// The project's or the environment's part is not a valid name.
    #[error("its {0}")]
    Name(#[from] InvalidName),
    /// `[]` stands for several projects without naming them.
    #[error("its project part \"[]\" does not say which projects: write one project, or \"*\" for all")]
    SeveralProjects,
}

impl SecretPrefix {
    /// Returns the prefix for a token of that access.
    pub fn of(access: &TokenAccess) -> Self {
        let projects = match access.projects() {
            ProjectScope::All => ProjectsPart::All,
            ProjectScope::Only(set) => match set.as_slice() {
                [project] => ProjectsPart::One(project.clone()),
                _ => ProjectsPart::Several,
            },
        };
        let environment = match access.environment() {
            None => EnvironmentScope::All,
            Some(environment) => EnvironmentScope::Only(environment.clone()),
        };
        Self { projects, environment }
    }

    /// Parses the text before the first `:`, then the text up to the next `.`, or to the end. In a secret of a known
    /// format, whose random part has no `.`, the last `.` ends the prefix.
    pub(crate) fn read(secret: &str, is_known: bool) -> Result<Self, UnreadablePrefix> {
        let (projects, rest) = secret.split_once(':').ok_or(UnreadablePrefix::NoColon)?;
        let split = if is_known { rest.rsplit_once('.') } else { rest.split_once('.') };
        let environment = split.map_or(rest, |(environment, _)| environment);
        let projects = match projects {
            "*" => ProjectsPart::All,
            "[]" => ProjectsPart::Several,
            id => ProjectsPart::One(ProjectId::new(id)?),
        };
        let environment = match environment {
            "*" => EnvironmentScope::All,
            name => EnvironmentScope::Only(EnvironmentName::new(name)?),
        };
        Ok(Self { projects, environment })
    }

    /// Returns the projects.
    ///
    /// # Errors
    /// [`UnreadablePrefix::SeveralProjects`] for `[]`, which names none.
    pub fn projects(&self) -> Result<ProjectScope, UnreadablePrefix> {
        match &self.projects {
            ProjectsPart::All => Ok(ProjectScope::All),
            ProjectsPart::One(project) => Ok(ProjectScope::one(project.clone())),
            ProjectsPart::Several => Err(UnreadablePrefix::SeveralProjects),
        }
    }

    /// Returns the environment.
    pub fn environment(&self) -> EnvironmentScope {
        self.environment.clone()
    }
}

/// `<projects>:<environment>.`
impl fmt::Display for SecretPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.projects {
            ProjectsPart::All => f.write_str("*"),
            ProjectsPart::One(project) => project.fmt(f),
            ProjectsPart::Several => f.write_str("[]"),
        }?;
        match &self.environment {
            EnvironmentScope::All => f.write_str(":*."),
            EnvironmentScope::Only(environment) => write!(f, ":{environment}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legacy_prefix_gives_project_and_environment() {
        let prefix = |text| SecretPrefix::read(text, false);
        let known = prefix("default:development.a.b").expect("a prefix");
        assert_eq!(known.projects(), Ok(ProjectScope::one(ProjectId::new("default").expect("id"))));
        assert_eq!(known.to_string(), "default:development.");
        assert_eq!(prefix("*:*.adm").expect("a prefix").environment(), EnvironmentScope::All);
        assert_eq!(prefix("p:development").expect("a prefix").to_string(), "p:development.");
        assert_eq!(prefix("nocolon"), Err(UnreadablePrefix::NoColon));
        assert!(matches!(prefix(":development.x"), Err(UnreadablePrefix::Name(_))));
        assert!(matches!(prefix("p:.x"), Err(UnreadablePrefix::Name(_))));
        assert_eq!(prefix("[]:e.x").expect("a prefix").projects(), Err(UnreadablePrefix::SeveralProjects));
    }
}
