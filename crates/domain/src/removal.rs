//! The effect on tokens of removing a project or environment that they name: they are revoked, or lose that project,
//! each with an event. A token's scope never widens.

use crate::{ApiToken, EnvironmentName, EventKind, NewEvent, ProjectId, Snapshot, Subject, TokenAccess};

/// The effect on one token, with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalOutcome {
    Narrowed {
        access: TokenAccess,
        event: Box<NewEvent>,
    },
    /// It is revoked: nothing is left of its scope.
    Revoked {
        event: Box<NewEvent>,
    },
}

/// The removal of a project. A store applies the outcome to each token that names the project, in the order of token
/// ids, and records those events before that of the removal, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRemoval {
    pub project: ProjectId,
    pub event: NewEvent,
}

/// The removal of an environment; as [`ProjectRemoval`], for the tokens that work in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRemoval {
    pub environment: EnvironmentName,
    pub event: NewEvent,
}

impl ProjectRemoval {
    /// Returns the effect on a token that names the project.
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
                let event = about(token, EventKind::ApiTokenUpdated, &self.event).with_after(&narrowed);
                RemovalOutcome::Narrowed { access, event: Box::new(event) }
            }
        }
    }
}

impl EnvironmentRemoval {
    /// Returns the effect on a token of the environment: it works in no other, so it is revoked.
    pub fn outcome_of(&self, token: &ApiToken) -> RemovalOutcome {
        revoked(token, &self.event)
    }
}

fn revoked(token: &ApiToken, cause: &NewEvent) -> RemovalOutcome {
    RemovalOutcome::Revoked { event: Box::new(about(token, EventKind::ApiTokenDeleted, cause)) }
}

/// Returns an event about a token with the actor of the removal, listed under each project that the token named.
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
    /// Returns the event.
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
        Actor, EnvironmentScope, Origin, ProjectScope, Timestamp, TokenKind,
        scope::tests::{project_id, project_scope},
        testing::api_token,
    };

    fn cause() -> NewEvent {
        let at = Timestamp::from_millis(9).expect("in range");
        NewEvent::new(EventKind::ProjectDeleted, Actor::System, Origin::default(), at)
    }

    fn token(projects: ProjectScope) -> ApiToken {
        let created_at = Timestamp::from_millis(1).expect("in range");
        let environment = EnvironmentName::new("e").expect("a name");
        let access = TokenAccess::new(TokenKind::Client, projects, EnvironmentScope::Only(environment));
        ApiToken { access: access.expect("a scope"), ..api_token(created_at) }
    }

    proptest! {
        #[test]
        fn no_token_widens_when_a_project_goes(scope in project_scope(), project in project_id()) {
            let before = token(scope);
            let outcome = ProjectRemoval { project: project.clone(), event: cause() }.outcome_of(&before);
            let event = outcome.event();
            prop_assert_eq!(event.before.clone(), Some(Snapshot::from(&before)));
            prop_assert_eq!(event.projects.as_ref(), Some(before.access.projects()));
            match &outcome {
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
        let outcome =
            EnvironmentRemoval { environment, event: cause() }.outcome_of(&token(ProjectScope::All));
        assert!(matches!(outcome, RemovalOutcome::Revoked { .. }));
        assert_eq!(outcome.event().kind, EventKind::ApiTokenDeleted);
    }
}
