//! Creates the entries that a case starts from, each with its event.

use latchkey_domain::{
    EnvironmentName, EventId, EventKind, Group, GroupId, NewGroup, NewRole, NewUser, PersonalTokenId,
    ProjectId, Role, RoleId, Session, User, UserId,
};
use latchkey_ports::{Rotation, SessionStart, Store, StoredToken};

use crate::samples;

pub(crate) async fn projects(store: &dyn Store, ids: &[&str]) {
    for id in ids {
        let project = samples::project(id);
        let event = samples::project_created(&project);
        store.create_project(&project, &[], None, &event).await.expect("a project is created");
    }
}

pub(crate) async fn token(store: &dyn Store, token: &StoredToken) -> EventId {
    let event = samples::token_created(token);
    store.create_token(token, samples::AMPLE_QUOTA, &event).await.expect("a token is created")
}

pub(crate) async fn tokens(store: &dyn Store, tokens: &[StoredToken]) {
    for one in tokens {
        token(store, one).await;
    }
}

pub(crate) async fn user(store: &dyn Store, user: &NewUser) -> UserId {
    let created = store.create_user(user, None, &samples::user_created(user)).await;
    created.expect("a user is created").0
}

pub(crate) async fn membership(store: &dyn Store, user: UserId, project: &ProjectId, role: RoleId) {
    let event = samples::membership_added(user, project, role);
    store
        .add_memberships(&samples::memberships(&[user], project, &[role]), &event)
        .await
        .expect("a role is given");
}

/// Creates a personal token whose secret is the sample of this number.
pub(crate) async fn personal_token(
    store: &dyn Store,
    user: UserId,
    description: &str,
    secret: u64,
) -> PersonalTokenId {
    let token = samples::personal_token(user, description);
    let (event, secret) = (samples::personal_token_created(&token), samples::secret_shown_once(secret));
    let created = store.create_personal_token(&token, &secret, samples::AMPLE_LIMIT, &event).await;
    created.expect("a personal token is created").0
}

/// Creates the user and returns it with its id.
pub(crate) async fn stored_user(store: &dyn Store, new: &NewUser) -> User {
    let id = user(store, new).await;
    new.clone().with_id(id)
}

/// Creates the role and returns it with its id.
pub(crate) async fn role(store: &dyn Store, new: &NewRole) -> Role {
    let created = store.create_role(new, &samples::role_created(new)).await;
    new.clone().with_id(created.expect("a role is created").0)
}

/// Creates the group and returns it with its id.
pub(crate) async fn group(store: &dyn Store, new: &NewGroup) -> Group {
    let created = store.create_group(new, &samples::group_created(new)).await;
    new.clone().with_id(created.expect("a group is created").0)
}

pub(crate) async fn group_role(store: &dyn Store, group: GroupId, project: &str, role: RoleId) {
    let roles = samples::group_memberships(&[group], &samples::project_id(project), &[role]);
    let event = samples::event(EventKind::ProjectAccessAdded);
    store.add_memberships(&roles, &event).await.expect("a role is given");
}

/// Creates environments that are in no project.
pub(crate) async fn environments(store: &dyn Store, names: &[&str]) {
    for name in names {
        let environment = samples::test_environment(name);
        let event = samples::event(EventKind::EnvironmentCreated);
        store.create_environment(&environment, &event).await.expect("an environment is created");
    }
}

pub(crate) async fn project_environments(store: &dyn Store, project: &str, names: &[&str]) {
    let project = samples::project_id(project);
    for name in names.iter().map(|name| -> EnvironmentName { samples::environment(name) }) {
        let event = samples::event(EventKind::ProjectEnvironmentAdded);
        store.add_project_environment(&project, &name, &event).await.expect("an environment is added");
    }
}

/// Starts a session whose secret is the sample of this number.
pub(crate) async fn session(store: &dyn Store, session: &Session, secret: u64) {
    let account = store.find_account(session.user).await.expect("a lookup");
    let password = account.and_then(|account| account.password);
    let start = SessionStart { password, ..samples::session_start(session, secret) };
    let event = samples::event(EventKind::SessionStarted);
    store.start_session(&start, &event).await.expect("a session is started");
}

pub(crate) async fn rotation(store: &dyn Store, rotation: &Rotation) {
    let event = samples::event(EventKind::ApiTokenRotated);
    store.rotate_token(rotation, &event).await.expect("a secret is rotated");
}
