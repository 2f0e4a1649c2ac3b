//! The scope of a token. "No projects" cannot be represented, so it can never be read as "all projects", and no
//! operation here widens a scope.

use std::{collections::HashSet, fmt};

use crate::{EnvironmentName, ProjectId};

/// The projects that a token works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectScope {
    /// Every project, also those created later.
    All,
    Only(ProjectSet),
}

/// One or more distinct projects, in the order in which they were named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSet(Box<[ProjectId]>);

/// There was no project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope needs at least one project")]
pub struct EmptyScope;

impl ProjectSet {
    /// Returns the set of these projects, in this order, without repetitions.
    pub fn new(projects: impl IntoIterator<Item = ProjectId>) -> Result<Self, EmptyScope> {
        let mut named = HashSet::new();
        let set: Box<[ProjectId]> =
            projects.into_iter().filter(|project| named.insert(project.clone())).collect();
        if set.is_empty() { Err(EmptyScope) } else { Ok(Self(set)) }
    }

    /// Returns the scope of this project alone.
    pub fn one(project: ProjectId) -> Self {
        Self(Box::new([project]))
    }

    /// Returns the projects, in order; never empty.
    pub fn as_slice(&self) -> &[ProjectId] {
        &self.0
    }
}

/// The ids, joined by commas; `*` for all projects.
impl fmt::Display for ProjectScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Only(set) => {
                for (place, project) in set.as_slice().iter().enumerate() {
                    let separator = if place == 0 { "" } else { "," };
                    write!(f, "{separator}{project}")?;
                }
                Ok(())
            }
        }
    }
}

impl ProjectScope {
    /// Returns the scope of this project alone.
    pub fn one(project: ProjectId) -> Self {
        Self::Only(ProjectSet::one(project))
    }

    /// Whether the scope includes this project.
    pub fn covers(&self, project: &ProjectId) -> bool {
        match self {
            Self::All => true,
            Self::Only(set) => set.as_slice().contains(project),
        }
    }

    /// Whether the scope names this project (a scope of all projects names none).
    pub fn names(&self, project: &ProjectId) -> bool {
        matches!(self, Self::Only(set) if set.as_slice().contains(project))
    }

    /// Whether the other scope includes everything that this one includes.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Only(_)) => false,
            (Self::Only(set), Self::Only(_)) => set.as_slice().iter().all(|project| other.covers(project)),
        }
    }

    /// Returns the scope without this project; `None` if nothing is left, so that the token must be revoked.
    pub fn without(&self, project: &ProjectId) -> Option<Self> {
        match self {
            Self::All => Some(Self::All),
            Self::Only(set) => {
                let rest = set.as_slice().iter().filter(|one| *one != project).cloned();
                ProjectSet::new(rest).ok().map(Self::Only)
            }
        }
    }

    /// Returns the ids of the projects, or `*` for all.
    pub fn shown(&self) -> Vec<&str> {
        match self {
            Self::All => vec!["*"],
            Self::Only(set) => set.as_slice().iter().map(ProjectId::as_str).collect(),
        }
    }

    /// Returns the projects by name; empty for a scope of all projects.
    pub fn named(&self) -> &[ProjectId] {
        match self {
            Self::All => &[],
            Self::Only(set) => set.as_slice(),
        }
    }
}

/// The environments requested for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentScope {
    /// Every environment (`*`): admin tokens only.
    All,
    Only(EnvironmentName),
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn project_id() -> impl Strategy<Value = ProjectId> {
        "[a-c]".prop_map(|text| ProjectId::new(&text).expect("the pattern is an id"))
    }

    pub(crate) fn project_scope() -> impl Strategy<Value = ProjectScope> {
        prop_oneof![
            Just(ProjectScope::All),
            prop::collection::vec(project_id(), 1..4)
                .prop_map(|ids| ProjectScope::Only(ProjectSet::new(ids).expect("not empty"))),
        ]
    }

    #[test]
    fn no_project_is_no_scope() {
        assert_eq!(ProjectSet::new([]), Err(EmptyScope));
    }

    #[test]
    fn order_is_kept_and_repetition_is_not() {
        let ids = ["b", "a", "b"].map(|id| ProjectId::new(id).expect("id"));
        let names: Vec<_> =
            ProjectSet::new(ids).expect("two").as_slice().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b", "a"]);
    }

    proptest! {
        #[test]
        fn losing_a_project_never_widens(scope in project_scope(), gone in project_id(), probe in project_id()) {
            match scope.without(&gone) {
                None => prop_assert_eq!(scope, ProjectScope::one(gone)),
                Some(rest) => {
                    prop_assert!(rest.is_within(&scope));
                    prop_assert!(!rest.covers(&probe) || scope.covers(&probe));
                    prop_assert!(!rest.names(&gone));
                }
            }
        }

        #[test]
        fn within_means_covering_no_more(a in project_scope(), b in project_scope(), probe in project_id()) {
            if a.is_within(&b) && a.covers(&probe) {
                prop_assert!(b.covers(&probe));
            }
            prop_assert!(a.is_within(&a) && a.is_within(&ProjectScope::All));
        }
    }
}
