//! What becomes of tokens when a place that they name is removed: they are revoked, or lose just that place, and
//! each leaves an event. A token never widens (contract, "Where we differ").

use crate::{ApiToken, EnvironmentName, EventKind, NewEvent, ProjectId, Snapshot, Subject, TokenAccess};

/// What becomes of one token, and the event that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// It lives on, and reaches less.
    Narrowed {
        /// What it still reaches.
        access: TokenAccess,
        /// What is to be recorded.
        event: Box<NewEvent>,
    },
    /// It is revoked: nothing is left of its scope.
    Revoked {
        /// What is to be recorded.
        event: Box<NewEvent>,
    },
}

/// The removal of a project. A store asks it for the fate of each token that names the project, in the order of
/// token ids, and records those events before the removal's own, all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRemoval {
    /// Which project goes.
    pub project: ProjectId,
    /// The event of the removal itself.
    pub event: NewEvent,
}

/// The removal of an environment; as [`ProjectRemoval`], for the tokens that work in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRemoval {
    /// Which environment goes.
    pub environment: EnvironmentName,
    /// The event of the removal itself.
    pub event: NewEvent,
}

impl ProjectRemoval {
    /// What becomes of a token that names the project.
    #[must_use]
    pub fn outcome_of(&self, token: &ApiToken) -> RemovalOutcome {
        let rest = if token.access.projects().names(&self.project) {
            token.access.without_project(&self.project)
        } else {
            Some(token.access.clone())
        };
        match rest {
            None => revoked(token, &self.event),
            Some(access) => {
                let narrowed = ApiToken { access: access.clone(), ..token.clone() };
                let event = NewEvent {
                    after: Some(Snapshot::from(&narrowed)),
                    ..about(token, EventKind::ApiTokenUpdated, &self.event)
                };
                RemovalOutcome::Narrowed { access, event: Box::new(event) }
            }
        }
    }
}

impl EnvironmentRemoval {
    /// What becomes of a token that works in the environment: it works in no other, so it is revoked.
    #[must_use]
    pub fn outcome_of(&self, token: &ApiToken) -> RemovalOutcome {
        revoked(token, &self.event)
    }
}

fn revoked(token: &ApiToken, cause: &NewEvent) -> RemovalOutcome {
    RemovalOutcome::Revoked { event: Box::new(about(token, EventKind::ApiTokenDeleted, cause)) }
}

/// An event about a token, set off by whoever set off the removal, and found under each project that the token named.
fn about(token: &ApiToken, kind: EventKind, cause: &NewEvent) -> NewEvent {
    NewEvent {
        projects: Some(token.access.projects().clone()),
        environment: token.access.environment().cloned(),
        subject: Some(Subject::Token(token.id)),
        before: Some(Snapshot::from(token)),
        ..NewEvent::new(kind, cause.actor.clone(), cause.origin.clone(), cause.at)
    }
}

impl RemovalOutcome {
    /// The event, whichever the fate.
    #[must_use]
    pub fn event(&self) -> &NewEvent {
        match self {
            Self::Narrowed { event, .. } | Self::Revoked { event } => event,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Actor, EnvironmentScope, Origin, ProjectScope, Timestamp, TokenAttributes, TokenId, TokenKind,
        TokenName,
        scope::tests::{project_id, project_scope},
    };

    fn cause() -> NewEvent {
        let at = Timestamp::from_millis(9).expect("in range");
        NewEvent::new(EventKind::ProjectDeleted, Actor::System, Origin::default(), at)
    }

    fn token(projects: ProjectScope) -> ApiToken {
        let created_at = Timestamp::from_millis(1).expect("in range");
        let environment = EnvironmentName::new("e").expect("a name");
        ApiToken {
            id: TokenId::new(created_at, [0; 10]),
            name: TokenName::new("t").expect("a name"),
            access: TokenAccess::new(TokenKind::Client, projects, EnvironmentScope::Only(environment))
                .expect("a scope"),
            expires_at: None,
            created_at,
            last_used_at: None,
            attributes: TokenAttributes::default(),
        }
    }

    proptest! {
        #[test]
        fn no_token_widens_when_a_project_goes(scope in project_scope(), project in project_id()) {
            let before = token(scope);
            let fate = ProjectRemoval { project: project.clone(), event: cause() }.outcome_of(&before);
            let event = fate.event();
            prop_assert_eq!(event.before.clone(), Some(Snapshot::from(&before)));
            prop_assert_eq!(event.projects.as_ref(), Some(before.access.projects()));
            match &fate {
                RemovalOutcome::Revoked { .. } => {
                    prop_assert_eq!(before.access.projects(), &ProjectScope::one(project));
                    prop_assert!(event.after.is_none());
                }
                RemovalOutcome::Narrowed { access, .. } => {
                    prop_assert!(access.projects().is_within(before.access.projects()));
                    prop_assert!(!access.projects().names(&project));
                    prop_assert!(event.after.is_some());
                }
            }
        }
    }

    #[test]
    fn a_token_of_a_removed_environment_is_revoked() {
        let environment = EnvironmentName::new("e").expect("a name");
        let fate = EnvironmentRemoval { environment, event: cause() }.outcome_of(&token(ProjectScope::All));
        assert!(matches!(fate, RemovalOutcome::Revoked { .. }));
        assert_eq!(fate.event().kind, EventKind::ApiTokenDeleted);
    }
}
