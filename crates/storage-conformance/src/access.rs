//! Roles in projects, and what a user may do by all roles held.

use std::sync::Arc;

use latchkey_domain::{Grants, NewUser, RoleId, UserId};
use latchkey_ports::{Entity, Store};

use crate::{
    given,
    observed::{ServiceError, refusal},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, built_in_role, membership_added, memberships, project_id,
        user_named,
    },
};

/// What somebody may do who holds these.
fn grants(root: RoleId, in_projects: &[(&str, RoleId)]) -> Grants {
    let roles: Vec<_> =
        in_projects.iter().map(|(project, role)| (project_id(project), built_in_role(*role))).collect();
    let held = roles.iter().map(|(project, role)| (project.clone(), role));
    Grants::of_roles(&built_in_role(root), held)
}

async fn is_refused(store: &dyn Store, user: UserId, project: &str, role: RoleId) -> ServiceError {
    let project = project_id(project);
    // The event need not fit: it must not be kept.
    let event = membership_added(user, &project, MEMBER);
    let memberships = memberships(&[user], &project, &[role]);
    refusal(store, store.add_memberships(&memberships, &event)).await
}

/// Without roles in projects, a user may do what the root role allows.
pub async fn the_root_role_counts(store: &Arc<dyn Store>) {
    for role in [ADMIN, EDITOR, VIEWER] {
        let user = NewUser { root_role: role, ..user_named(&format!("u{role}")) };
        let id = given::user(store.as_ref(), &user).await;
        assert_eq!(store.grants_of(id).await.expect("grants"), Some(grants(role, &[])));
    }
}

/// Roles in projects are added to it, each in its project, several in one too.
pub async fn roles_in_projects_count(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "A", "b"]).await;
    let user = given::user(store, &user_named("ed")).await;
    let other = given::user(store, &NewUser { root_role: EDITOR, ..user_named("other") }).await;

    given::membership(store, user, &project_id("a"), MEMBER).await;
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[("a", MEMBER)])));
    given::membership(store, user, &project_id("b"), MEMBER).await;
    given::membership(store, user, &project_id("a"), OWNER).await;
    given::membership(store, other, &project_id("A"), MEMBER).await;

    let held = [("a", MEMBER), ("b", MEMBER), ("a", OWNER)];
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &held)));
    assert_eq!(store.grants_of(other).await.expect("grants"), Some(grants(EDITOR, &[("A", MEMBER)])));
}

/// Of a user who is not there, nothing is known.
pub async fn nobody_has_no_grants(store: &Arc<dyn Store>) {
    let UserId(id) = given::user(store.as_ref(), &user_named("ed")).await;
    for unknown in [id + 1, 0, -1, i64::MAX] {
        assert_eq!(store.grants_of(UserId(unknown)).await.expect("an answer"), None);
    }
}

/// Of user, project and role, the first that is not there is named, in this order.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let (nobody, no_role) = (UserId(user.0 + 1), RoleId(99));
    let not_found = ServiceError::NotFound;

    assert_eq!(is_refused(store, nobody, "nope", no_role).await, not_found(Entity::User(nobody)));
    assert_eq!(is_refused(store, nobody, "default", MEMBER).await, not_found(Entity::User(nobody)));
    let nope = Entity::Project(project_id("nope"));
    assert_eq!(is_refused(store, user, "nope", no_role).await, not_found(nope.clone()));
    assert_eq!(is_refused(store, user, "nope", MEMBER).await, not_found(nope.clone()));
    assert_eq!(is_refused(store, user, "nope", ADMIN).await, not_found(nope));
    assert_eq!(is_refused(store, user, "default", no_role).await, not_found(Entity::Role(no_role)));
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[])));
}

/// A root role is not held in a project.
pub async fn a_root_role_is_refused(store: &Arc<dyn Store>) {
    let user = given::user(store.as_ref(), &user_named("ed")).await;
    for role in [ADMIN, EDITOR, VIEWER] {
        let refused = is_refused(store.as_ref(), user, "default", role).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Role(role)));
    }
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[])));
}

/// A role is held once in a project; by others and elsewhere it may be held too.
pub async fn a_role_is_held_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let (user, other) =
        (given::user(store, &user_named("a")).await, given::user(store, &user_named("b")).await);
    let default = project_id("default");
    given::membership(store, user, &default, MEMBER).await;
    assert_eq!(is_refused(store, user, "default", MEMBER).await, ServiceError::Conflict(Entity::Membership));
    given::membership(store, user, &default, OWNER).await;
    given::membership(store, user, &project_id("a"), MEMBER).await;
    given::membership(store, other, &default, MEMBER).await;
    assert_eq!(is_refused(store, user, "default", MEMBER).await, ServiceError::Conflict(Entity::Membership));
}
