//! Sample events; re-exported by [`crate::samples`].

use latchkey_domain::{
    Actor, EnvironmentRemoval, EventKind, NewEvent, NewGroup, NewPersonalToken, NewRole, NewUser, Origin,
    Project, ProjectId, ProjectRemoval, ProjectScope, RoleId, Snapshot, Subject, TokenId, UserId,
};
use latchkey_ports::StoredToken;

use crate::samples::{environment, moment, only, project_id};

/// Returns an event with every field set but `before` and `after`.
#[must_use]
pub fn event(kind: EventKind) -> NewEvent {
    NewEvent {
        kind,
        actor: Actor::User { id: UserId(77), name: "grace@example.com".to_owned() },
        origin: Origin::new(Some([192, 0, 2, 7].into()), Some("curl/8.5.0")),
        at: moment(7),
        projects: Some(only(&["default"])),
        environment: Some(environment("development")),
        subject: Some(Subject::Token(TokenId::new(moment(7), [7; 10]))),
        before: None,
        after: None,
    }
}

/// Returns the event of a token creation.
#[must_use]
pub fn token_created(stored: &StoredToken) -> NewEvent {
    NewEvent { after: Some(Snapshot::from(&stored.token)), ..token_event(EventKind::ApiTokenCreated, stored) }
}

/// Returns the event of a token deletion.
#[must_use]
pub fn token_deleted(stored: &StoredToken) -> NewEvent {
    NewEvent {
        before: Some(Snapshot::from(&stored.token)),
        ..token_event(EventKind::ApiTokenDeleted, stored)
    }
}

fn token_event(kind: EventKind, stored: &StoredToken) -> NewEvent {
    NewEvent {
        projects: Some(stored.token.access.projects().clone()),
        environment: stored.token.access.environment().cloned(),
        subject: Some(Subject::Token(stored.token.id)),
        ..event(kind)
    }
}

/// Returns the event of a project creation.
#[must_use]
pub fn project_created(project: &Project) -> NewEvent {
    NewEvent {
        projects: Some(ProjectScope::one(project.id.clone())),
        environment: None,
        subject: None,
        after: Some(Snapshot::from(project)),
        ..event(EventKind::ProjectCreated)
    }
}

/// Returns the event of a user creation, without the id that the store assigns.
#[must_use]
pub fn user_created(user: &NewUser) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        subject: None,
        after: Some(Snapshot::from(user)),
        ..event(EventKind::UserCreated)
    }
}

/// Returns the event of a personal token creation, without the id that the store assigns.
#[must_use]
pub fn personal_token_created(token: &NewPersonalToken) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        subject: None,
        after: Some(Snapshot::from(token)),
        ..event(EventKind::PersonalTokenCreated)
    }
}

/// Returns the event of a role assignment in a project.
#[must_use]
pub fn membership_added(user: UserId, project: &ProjectId, role: RoleId) -> NewEvent {
    NewEvent {
        projects: Some(ProjectScope::one(project.clone())),
        environment: None,
        subject: None,
        after: Some(Snapshot::of_memberships(&[user], &[], &[role])),
        ..event(EventKind::ProjectAccessAdded)
    }
}

/// Returns the event of a role creation, without the id that the store assigns.
#[must_use]
pub fn role_created(role: &NewRole) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        subject: None,
        after: Some(Snapshot::from(role)),
        ..event(EventKind::RoleCreated)
    }
}

/// Returns the event of a group creation, without the id that the store assigns.
#[must_use]
pub fn group_created(group: &NewGroup) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        subject: None,
        after: Some(Snapshot::from(group)),
        ..event(EventKind::GroupCreated)
    }
}

/// Returns the deletion of a project, with its event.
#[must_use]
pub fn project_removal(id: &str) -> ProjectRemoval {
    let event = NewEvent {
        projects: Some(only(&[id])),
        environment: None,
        subject: None,
        ..event(EventKind::ProjectDeleted)
    };
    ProjectRemoval { project: project_id(id), event }
}

/// Returns the deletion of an environment, with its event.
#[must_use]
pub fn environment_removal(name: &str) -> EnvironmentRemoval {
    let name = environment(name);
    let event =
        NewEvent { projects: None, environment: Some(name.clone()), ..event(EventKind::EnvironmentDeleted) };
    EnvironmentRemoval { environment: name, event }
}
