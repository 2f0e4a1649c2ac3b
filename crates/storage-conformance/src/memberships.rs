//! Memberships: roles given to several users at once, replaced, and listed.

use std::sync::Arc;

use latchkey_domain::{EventKind, Grants, NewEvent, RoleId, UserId};
use latchkey_ports::{Entity, Member, Memberships, Store};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, leaves, refusal, sorted},
    samples::{
        ADMIN, MEMBER, OWNER, VIEWER, built_in_role, event, extreme_moments, memberships, moment, project_id,
        project_role, user, user_named,
    },
};

fn added() -> NewEvent {
    event(EventKind::ProjectAccessAdded)
}

fn replaced() -> NewEvent {
    event(EventKind::ProjectAccessUpdated)
}

fn given_at(at: i64, users: &[UserId], project: &str, roles: &[RoleId]) -> Memberships {
    Memberships { at: moment(at), ..memberships(users, &project_id(project), roles) }
}

async fn adds(store: &dyn Store, memberships: &Memberships) {
    leaves(store, &added(), store.add_memberships(memberships, &added())).await;
}

async fn replaces(store: &dyn Store, memberships: &Memberships) {
    leaves(store, &replaced(), store.replace_memberships(memberships, &replaced())).await;
}

/// Who holds what in a project, and since when.
async fn held(store: &dyn Store, project: &str) -> Vec<(UserId, Vec<RoleId>, i64)> {
    let members = store.members(&project_id(project)).await.expect("members");
    let mut held = Vec::new();
    for Member { user, roles, added_at } in members {
        let alone = store.roles_in_project(user.id, &project_id(project)).await.expect("roles");
        assert_eq!(alone, roles, "of {} alone", user.id);
        held.push((user.id, roles, added_at.millis() - moment(0).millis()));
    }
    held
}

async fn three(store: &dyn Store) -> [UserId; 3] {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(given::user(store, &user_named(name)).await);
    }
    [ids[0], ids[1], ids[2]]
}

/// Each of the users gets each of the roles, with one event; a list has users and roles by id, and other projects have
/// nothing of it.
pub async fn several_users_get_several_roles(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let [one, two, three] = three(store).await;
    let own = given::role(store, &project_role("CI")).await.id;
    adds(store, &given_at(5, &[three, one], "a", &[own, OWNER, MEMBER])).await;
    let roles = vec![OWNER, MEMBER, own];
    assert_eq!(held(store, "a").await, [(one, roles.clone(), 5), (three, roles, 5)]);
    assert_eq!(held(store, "default").await, []);
    assert_eq!(store.roles_in_project(two, &project_id("a")).await.expect("roles"), []);
}

/// A member comes with the whole user; nobody is a member of a project that is not there.
pub async fn a_member_is_a_whole_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::whole_user(store, &user(Some("ed"), Some("Ed@Example.com"))).await;
    adds(store, &given_at(5, &[ed.id], "default", &[MEMBER])).await;
    let members = store.members(&project_id("default")).await.expect("members");
    let email = members[0].user.identity.email().map(ToString::to_string);
    assert_eq!(email.as_deref(), Some("Ed@Example.com"));
    assert_eq!(members, [Member { user: ed.clone(), roles: vec![MEMBER], added_at: moment(5) }]);
    for unknown in ["nope", "Default", "defaul_"] {
        let refused = refusal(store, store.members(&project_id(unknown))).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Project(project_id(unknown))));
        assert_eq!(store.roles_in_project(ed.id, &project_id(unknown)).await.expect("roles"), []);
    }
    assert_eq!(store.roles_in_project(UserId(-1), &project_id("default")).await.expect("roles"), []);
}

/// Roles are added to those held, which keep their times; a member is one since the first of them.
pub async fn roles_are_added(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = three(store).await;
    adds(store, &given_at(5, &[one], "default", &[MEMBER])).await;
    adds(store, &given_at(9, &[one, two], "default", &[MEMBER, OWNER])).await;
    assert_eq!(held(store, "default").await, [(one, vec![OWNER, MEMBER], 5), (two, vec![OWNER, MEMBER], 9)]);
    // The earliest counts, in whichever order they came.
    let own = given::role(store, &project_role("CI")).await.id;
    adds(store, &given_at(1, &[one], "default", &[own])).await;
    assert_eq!(held(store, "default").await[0], (one, vec![OWNER, MEMBER, own], 1));
}

/// Times of all years are kept.
pub async fn moments_of_all_years_are_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, at) in extreme_moments().into_iter().enumerate() {
        let id = given::user(store, &user_named(&format!("u{number}"))).await;
        adds(store, &Memberships { at, ..given_at(0, &[id], "default", &[MEMBER]) }).await;
        let members = store.members(&project_id("default")).await.expect("members");
        assert_eq!(members.last().map(|member| member.added_at), Some(at));
    }
}

/// What is named twice is given once.
pub async fn what_is_named_twice(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = three(store).await;
    adds(store, &given_at(5, &[one, one], "default", &[MEMBER, MEMBER])).await;
    assert_eq!(held(store, "default").await, [(one, vec![MEMBER], 5)]);
    replaces(store, &given_at(9, &[two, one, two], "default", &[OWNER, OWNER])).await;
    assert_eq!(held(store, "default").await, [(one, vec![OWNER], 9), (two, vec![OWNER], 9)]);
}

/// Only where each user holds each role already, there is nothing to give.
pub async fn nothing_to_give(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, three] = three(store).await;
    adds(store, &given_at(5, &[one, two], "default", &[MEMBER, OWNER])).await;
    for (users, roles) in [(vec![one, two], vec![MEMBER, OWNER]), (vec![two], vec![OWNER])] {
        let again = given_at(9, &users, "default", &roles);
        let refused = refusal(store, store.add_memberships(&again, &added())).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::Membership));
    }
    adds(store, &given_at(9, &[one, three], "default", &[MEMBER])).await;
    assert_eq!(held(store, "default").await[2], (three, vec![MEMBER], 9));
}

/// Replaced, each of the users holds exactly these roles; what was held already keeps its time. Other users and other
/// projects keep what they have.
pub async fn roles_are_replaced(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let [one, two, three] = three(store).await;
    let own = given::role(store, &project_role("CI")).await.id;
    for project in ["a", "default"] {
        adds(store, &given_at(5, &[one, three], project, &[MEMBER, OWNER])).await;
    }
    replaces(store, &given_at(9, &[one, two], "a", &[own, MEMBER])).await;
    let kept = vec![OWNER, MEMBER];
    let expected = [(one, vec![MEMBER, own], 5), (two, vec![MEMBER, own], 9), (three, kept.clone(), 5)];
    assert_eq!(held(store, "a").await, expected);
    assert_eq!(held(store, "default").await, [(one, kept.clone(), 5), (three, kept, 5)]);
    replaces(store, &given_at(12, &[one], "a", &[own])).await;
    assert_eq!(held(store, "a").await[0], (one, vec![own], 9));
    // The same again is no change, and no fault.
    replaces(store, &given_at(15, &[one], "a", &[own])).await;
    assert_eq!(held(store, "a").await[0], (one, vec![own], 9));
}

/// Replaced by none, a user is no member any more, and neither is one who was none.
pub async fn roles_are_taken_away(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, three] = three(store).await;
    adds(store, &given_at(5, &[one, two], "default", &[MEMBER, OWNER])).await;
    replaces(store, &given_at(9, &[one, three], "default", &[])).await;
    assert_eq!(held(store, "default").await, [(two, vec![OWNER, MEMBER], 5)]);
    let nothing = Grants::of_roles(&built_in_role(VIEWER), []);
    assert_eq!(store.grants_of(one).await.expect("grants"), Some(nothing));
    adds(store, &given_at(12, &[one], "default", &[MEMBER])).await;
    assert_eq!(held(store, "default").await[0], (one, vec![MEMBER], 12));
}

/// Either way, the first unknown user is named first, then the project, then the first role that is unknown or no role
/// of projects; and none of it is done.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = three(store).await;
    adds(store, &given_at(5, &[one], "default", &[OWNER])).await;
    let (nobody, none, no_role) = (UserId(i64::MAX), UserId(0), RoleId(99));
    let not_found = ServiceError::NotFound;
    let cases = [
        (given_at(9, &[one, nobody, none], "nope", &[no_role]), not_found(Entity::User(nobody))),
        (given_at(9, &[none, nobody], "default", &[MEMBER]), not_found(Entity::User(none))),
        (given_at(9, &[one, two], "nope", &[no_role]), not_found(Entity::Project(project_id("nope")))),
        (given_at(9, &[one, two], "Default", &[MEMBER]), not_found(Entity::Project(project_id("Default")))),
        (given_at(9, &[one, two], "default", &[MEMBER, no_role, ADMIN]), not_found(Entity::Role(no_role))),
        (given_at(9, &[one, two], "default", &[MEMBER, ADMIN, no_role]), not_found(Entity::Role(ADMIN))),
    ];
    for (wrong, expected) in cases {
        assert_eq!(refusal(store, store.add_memberships(&wrong, &added())).await, expected);
        assert_eq!(refusal(store, store.replace_memberships(&wrong, &replaced())).await, expected);
    }
}

/// 30 at once that replace one user's roles: in the end the user holds what one of them gave, whole.
pub async fn the_last_of_many_replacements_stays(store: &Arc<dyn Store>) {
    let [one, ..] = three(store.as_ref()).await;
    let own = given::role(store.as_ref(), &project_role("CI")).await.id;
    let sets = [vec![OWNER], vec![MEMBER, own], vec![OWNER, MEMBER], vec![]];
    let calls = (0..30).zip(sets.clone().into_iter().cycle()).map(|(at, roles)| {
        let store = Arc::clone(store);
        async move { store.replace_memberships(&given_at(at, &[one], "default", &roles), &replaced()).await }
    });
    let (done, refused) = sorted(at_once(calls).await);
    assert_eq!((done.len(), refused), (30, vec![]));
    let held = store.roles_in_project(one, &project_id("default")).await.expect("roles");
    assert!(sets.contains(&held), "{held:?} was given by none of them");
}

/// Users in opposite orders at once: no two calls wait for each other, and one of those that give the same does it.
pub async fn opposite_orders(store: &Arc<dyn Store>) {
    let [one, two, three] = three(store.as_ref()).await;
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        let (users, roles) = if call % 2 == 0 {
            ([one, two, three], [OWNER, MEMBER])
        } else {
            ([three, two, one], [MEMBER, OWNER])
        };
        async move { store.add_memberships(&given_at(call, &users, "default", &roles), &added()).await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::Membership), calls).await;
    assert_eq!(held(store.as_ref(), "default").await.len(), 3);
}
