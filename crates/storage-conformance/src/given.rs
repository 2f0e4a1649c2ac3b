//! What a case takes for granted: things that are kept, each with its event, before the case begins.

use latchkey_domain::{EventId, NewUser, PersonalTokenId, ProjectId, RoleId, UserId};
use latchkey_ports::{Store, StoredToken};

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
    store.create_token(token, samples::ROOM_ENOUGH, &event).await.expect("a token is created")
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

/// Its secret is the sample of this number.
pub(crate) async fn personal_token(
    store: &dyn Store,
    user: UserId,
    description: &str,
    secret: u64,
) -> PersonalTokenId {
    let token = samples::personal_token(user, description);
    let (event, secret) = (samples::personal_token_created(&token), samples::secret_shown_once(secret));
    let created = store.create_personal_token(&token, &secret, samples::MANY, &event).await;
    created.expect("a personal token is created").0
}
