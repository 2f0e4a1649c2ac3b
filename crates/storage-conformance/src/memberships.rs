//! Memberships: roles of users in projects, and the grants that follow from them.

use std::sync::Arc;

use latchkey_domain::{EventKind, Grants, NewEvent, NewUser, RoleId, UserId};
use latchkey_ports::{Entity, Member, Memberships, Store};

use crate::{
    harness::{
        ErrorKind, exactly_one_succeeds, expect_error, expect_event, partition_results, run_concurrently,
    },
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, built_in_role, event, extreme_moments, membership_added,
        memberships, moment, project_id, project_role, user, user_named,
    },
    setup,
};

fn grants(root: RoleId, in_projects: &[(&str, RoleId)]) -> Grants {
    let roles: Vec<_> =
        in_projects.iter().map(|(project, role)| (project_id(project), built_in_role(*role))).collect();
    let held = roles.iter().map(|(project, role)| (project.clone(), role));
    Grants::of_roles(&built_in_role(root), held)
}

async fn error_of_adding(store: &dyn Store, user: UserId, project: &str, role: RoleId) -> ErrorKind {
    let project = project_id(project);
    // The event is arbitrary, because it must not be recorded.
    let event = membership_added(user, &project, MEMBER);
    let memberships = memberships(&[user], &project, &[role]);
    expect_error(store, store.add_memberships(&memberships, &event)).await
}

/// Without roles in projects, a user has the permissions of the root role.
pub async fn the_root_role_grants_its_permissions(store: &Arc<dyn Store>) {
    for role in [ADMIN, EDITOR, VIEWER] {
        let user = NewUser { root_role: role, ..user_named(&format!("u{role}")) };
        let id = setup::user(store.as_ref(), &user).await;
        assert_eq!(store.grants_of(id).await.expect("grants"), Some(grants(role, &[])));
    }
}

/// Each role adds its permissions in its project; several roles in one project add up.
pub async fn roles_in_projects_add_their_permissions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "A", "b"]).await;
    let user = setup::user(store, &user_named("ed")).await;
    let other = setup::user(store, &NewUser { root_role: EDITOR, ..user_named("other") }).await;

    setup::membership(store, user, &project_id("a"), MEMBER).await;
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[("a", MEMBER)])));
    setup::membership(store, user, &project_id("b"), MEMBER).await;
    setup::membership(store, user, &project_id("a"), OWNER).await;
    setup::membership(store, other, &project_id("A"), MEMBER).await;

    let held = [("a", MEMBER), ("b", MEMBER), ("a", OWNER)];
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &held)));
    assert_eq!(store.grants_of(other).await.expect("grants"), Some(grants(EDITOR, &[("A", MEMBER)])));
}

/// An unknown user has no grants.
pub async fn an_unknown_user_has_no_grants(store: &Arc<dyn Store>) {
    let UserId(id) = setup::user(store.as_ref(), &user_named("ed")).await;
    for unknown in [id + 1, 0, -1, i64::MAX] {
        assert_eq!(store.grants_of(UserId(unknown)).await.expect("an answer"), None);
    }
}

/// The unknown user is reported first, then the unknown project, then the unknown role.
pub async fn adding_a_role_reports_user_then_project_then_role(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let (unknown, no_role) = (UserId(user.0 + 1), RoleId(99));
    let not_found = ErrorKind::NotFound;

    assert_eq!(error_of_adding(store, unknown, "nope", no_role).await, not_found(Entity::User(unknown)));
    assert_eq!(error_of_adding(store, unknown, "default", MEMBER).await, not_found(Entity::User(unknown)));
    let nope = Entity::Project(project_id("nope"));
    assert_eq!(error_of_adding(store, user, "nope", no_role).await, not_found(nope.clone()));
    assert_eq!(error_of_adding(store, user, "nope", MEMBER).await, not_found(nope.clone()));
    assert_eq!(error_of_adding(store, user, "nope", ADMIN).await, not_found(nope));
    assert_eq!(error_of_adding(store, user, "default", no_role).await, not_found(Entity::Role(no_role)));
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[])));
}

/// A root role is rejected as a role in a project.
pub async fn a_root_role_cannot_be_assigned_in_a_project(store: &Arc<dyn Store>) {
    let user = setup::user(store.as_ref(), &user_named("ed")).await;
    for role in [ADMIN, EDITOR, VIEWER] {
        let refused = error_of_adding(store.as_ref(), user, "default", role).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(role)));
    }
    assert_eq!(store.grants_of(user).await.expect("grants"), Some(grants(VIEWER, &[])));
}

/// The same role can be assigned to other users and in other projects.
pub async fn a_role_is_assigned_once_per_user_and_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let (user, other) =
        (setup::user(store, &user_named("a")).await, setup::user(store, &user_named("b")).await);
    let default = project_id("default");
    setup::membership(store, user, &default, MEMBER).await;
    assert_eq!(
        error_of_adding(store, user, "default", MEMBER).await,
        ErrorKind::Conflict(Entity::Membership)
    );
    setup::membership(store, user, &default, OWNER).await;
    setup::membership(store, user, &project_id("a"), MEMBER).await;
    setup::membership(store, other, &default, MEMBER).await;
    assert_eq!(
        error_of_adding(store, user, "default", MEMBER).await,
        ErrorKind::Conflict(Entity::Membership)
    );
}

fn added() -> NewEvent {
    event(EventKind::ProjectAccessAdded)
}

fn replaced() -> NewEvent {
    event(EventKind::ProjectAccessUpdated)
}

fn memberships_at(at: i64, users: &[UserId], project: &str, roles: &[RoleId]) -> Memberships {
    Memberships { at: moment(at), ..memberships(users, &project_id(project), roles) }
}

async fn add(store: &dyn Store, memberships: &Memberships) {
    expect_event(store, &added(), store.add_memberships(memberships, &added())).await;
}

async fn replace(store: &dyn Store, memberships: &Memberships) {
    expect_event(store, &replaced(), store.replace_memberships(memberships, &replaced())).await;
}

/// Returns each member of the project with the roles and the time of the first assignment, relative to the
/// sample time.
async fn members_of(store: &dyn Store, project: &str) -> Vec<(UserId, Vec<RoleId>, i64)> {
    let members = store.members(&project_id(project)).await.expect("members");
    let mut held = Vec::new();
    for Member { user, roles, added_at } in members {
        let alone = store.roles_in_project(user.id.into(), &project_id(project)).await.expect("roles");
        assert_eq!(alone, roles, "roles of user {}", user.id);
        held.push((user.id, roles, added_at.millis() - moment(0).millis()));
    }
    held
}

async fn create_three_users(store: &dyn Store) -> [UserId; 3] {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(setup::user(store, &user_named(name)).await);
    }
    [ids[0], ids[1], ids[2]]
}

/// Each user gets each role, with one event; users and roles are listed by id, and other projects stay.
pub async fn several_users_get_several_roles_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let [one, two, three] = create_three_users(store).await;
    let own = setup::role(store, &project_role("CI")).await.id;
    add(store, &memberships_at(5, &[three, one], "a", &[own, OWNER, MEMBER])).await;
    let roles = vec![OWNER, MEMBER, own];
    assert_eq!(members_of(store, "a").await, [(one, roles.clone(), 5), (three, roles, 5)]);
    assert_eq!(members_of(store, "default").await, []);
    assert_eq!(store.roles_in_project(two.into(), &project_id("a")).await.expect("roles"), []);
}

/// A member has all fields of the user; the members of an unknown project cannot be listed.
pub async fn a_member_is_listed_with_the_complete_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::stored_user(store, &user(Some("ed"), Some("Ed@Example.com"))).await;
    add(store, &memberships_at(5, &[ed.id], "default", &[MEMBER])).await;
    let members = store.members(&project_id("default")).await.expect("members");
    let email = members[0].user.identity.email().map(ToString::to_string);
    assert_eq!(email.as_deref(), Some("Ed@Example.com"));
    assert_eq!(members, [Member { user: ed.clone(), roles: vec![MEMBER], added_at: moment(5) }]);
    for unknown in ["nope", "Default", "defaul_"] {
        let refused = expect_error(store, store.members(&project_id(unknown))).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Project(project_id(unknown))));
        assert_eq!(store.roles_in_project(ed.id.into(), &project_id(unknown)).await.expect("roles"), []);
    }
    assert_eq!(store.roles_in_project(UserId(-1).into(), &project_id("default")).await.expect("roles"), []);
}

/// Roles held already keep their times; a member joined at the earliest of them.
pub async fn added_roles_keep_the_earliest_time(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = create_three_users(store).await;
    add(store, &memberships_at(5, &[one], "default", &[MEMBER])).await;
    add(store, &memberships_at(9, &[one, two], "default", &[MEMBER, OWNER])).await;
    assert_eq!(
        members_of(store, "default").await,
        [(one, vec![OWNER, MEMBER], 5), (two, vec![OWNER, MEMBER], 9)]
    );
    // The earliest time counts, whatever the order of the calls.
    let own = setup::role(store, &project_role("CI")).await.id;
    add(store, &memberships_at(1, &[one], "default", &[own])).await;
    assert_eq!(members_of(store, "default").await[0], (one, vec![OWNER, MEMBER, own], 1));
}

/// Times of all years are stored.
pub async fn membership_times_of_all_years_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, at) in extreme_moments().into_iter().enumerate() {
        let id = setup::user(store, &user_named(&format!("u{number}"))).await;
        add(store, &Memberships { at, ..memberships_at(0, &[id], "default", &[MEMBER]) }).await;
        let members = store.members(&project_id("default")).await.expect("members");
        assert_eq!(members.last().map(|member| member.added_at), Some(at));
    }
}

/// Duplicates in the request have no effect.
pub async fn duplicate_users_and_roles_are_assigned_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = create_three_users(store).await;
    add(store, &memberships_at(5, &[one, one], "default", &[MEMBER, MEMBER])).await;
    assert_eq!(members_of(store, "default").await, [(one, vec![MEMBER], 5)]);
    replace(store, &memberships_at(9, &[two, one, two], "default", &[OWNER, OWNER])).await;
    assert_eq!(members_of(store, "default").await, [(one, vec![OWNER], 9), (two, vec![OWNER], 9)]);
}

/// A request fails only if every user has every role already.
pub async fn adding_only_existing_memberships_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, three] = create_three_users(store).await;
    add(store, &memberships_at(5, &[one, two], "default", &[MEMBER, OWNER])).await;
    for (users, roles) in [(vec![one, two], vec![MEMBER, OWNER]), (vec![two], vec![OWNER])] {
        let again = memberships_at(9, &users, "default", &roles);
        let refused = expect_error(store, store.add_memberships(&again, &added())).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::Membership));
    }
    add(store, &memberships_at(9, &[one, three], "default", &[MEMBER])).await;
    assert_eq!(members_of(store, "default").await[2], (three, vec![MEMBER], 9));
}

/// Each user has exactly these roles afterwards; roles held already keep their times. Other users and
/// projects stay.
pub async fn replacing_memberships_sets_exactly_these_roles(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let [one, two, three] = create_three_users(store).await;
    let own = setup::role(store, &project_role("CI")).await.id;
    for project in ["a", "default"] {
        add(store, &memberships_at(5, &[one, three], project, &[MEMBER, OWNER])).await;
    }
    replace(store, &memberships_at(9, &[one, two], "a", &[own, MEMBER])).await;
    let existing = vec![OWNER, MEMBER];
    let expected = [(one, vec![MEMBER, own], 5), (two, vec![MEMBER, own], 9), (three, existing.clone(), 5)];
    assert_eq!(members_of(store, "a").await, expected);
    assert_eq!(members_of(store, "default").await, [(one, existing.clone(), 5), (three, existing, 5)]);
    replace(store, &memberships_at(12, &[one], "a", &[own])).await;
    assert_eq!(members_of(store, "a").await[0], (one, vec![own], 9));
    // Replacing with the same roles succeeds and changes nothing.
    replace(store, &memberships_at(15, &[one], "a", &[own])).await;
    assert_eq!(members_of(store, "a").await[0], (one, vec![own], 9));
}

/// A user without roles is not a member, and removing nothing is not an error.
pub async fn replacing_memberships_with_none_removes_them(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, three] = create_three_users(store).await;
    add(store, &memberships_at(5, &[one, two], "default", &[MEMBER, OWNER])).await;
    replace(store, &memberships_at(9, &[one, three], "default", &[])).await;
    assert_eq!(members_of(store, "default").await, [(two, vec![OWNER, MEMBER], 5)]);
    let nothing = Grants::of_roles(&built_in_role(VIEWER), []);
    assert_eq!(store.grants_of(one).await.expect("grants"), Some(nothing));
    add(store, &memberships_at(12, &[one], "default", &[MEMBER])).await;
    assert_eq!(members_of(store, "default").await[0], (one, vec![MEMBER], 12));
}

/// The first unknown user is reported first, then the project, then the first role that is unknown or a
/// root role; nothing is changed.
pub async fn membership_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two, _] = create_three_users(store).await;
    add(store, &memberships_at(5, &[one], "default", &[OWNER])).await;
    let (unknown, none, no_role) = (UserId(i64::MAX), UserId(0), RoleId(99));
    let not_found = ErrorKind::NotFound;
    let cases = [
        (memberships_at(9, &[one, unknown, none], "nope", &[no_role]), not_found(Entity::User(unknown))),
        (memberships_at(9, &[none, unknown], "default", &[MEMBER]), not_found(Entity::User(none))),
        (memberships_at(9, &[one, two], "nope", &[no_role]), not_found(Entity::Project(project_id("nope")))),
        (
            memberships_at(9, &[one, two], "Default", &[MEMBER]),
            not_found(Entity::Project(project_id("Default"))),
        ),
        (
            memberships_at(9, &[one, two], "default", &[MEMBER, no_role, ADMIN]),
            not_found(Entity::Role(no_role)),
        ),
        (
            memberships_at(9, &[one, two], "default", &[MEMBER, ADMIN, no_role]),
            not_found(Entity::Role(ADMIN)),
        ),
    ];
    for (wrong, expected) in cases {
        assert_eq!(expect_error(store, store.add_memberships(&wrong, &added())).await, expected);
        assert_eq!(expect_error(store, store.replace_memberships(&wrong, &replaced())).await, expected);
    }
}

/// After 30 concurrent replacements, the user has the complete set of one of them.
pub async fn concurrent_replacements_are_atomic(store: &Arc<dyn Store>) {
    let [one, ..] = create_three_users(store.as_ref()).await;
    let own = setup::role(store.as_ref(), &project_role("CI")).await.id;
    let sets = [vec![OWNER], vec![MEMBER, own], vec![OWNER, MEMBER], vec![]];
    let calls =
        (0..30).zip(sets.clone().into_iter().cycle()).map(|(at, roles)| {
            let store = Arc::clone(store);
            async move {
                store.replace_memberships(&memberships_at(at, &[one], "default", &roles), &replaced()).await
            }
        });
    let (done, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!((done.len(), refused), (30, vec![]));
    let held = store.roles_in_project(one.into(), &project_id("default")).await.expect("roles");
    assert!(sets.contains(&held), "{held:?} was given by none of them");
}

/// Calls that name the same users in opposite orders do not block each other, and one of them succeeds.
pub async fn concurrent_additions_in_opposite_orders_do_not_deadlock(store: &Arc<dyn Store>) {
    let [one, two, three] = create_three_users(store.as_ref()).await;
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        let (users, roles) = if call % 2 == 0 {
            ([one, two, three], [OWNER, MEMBER])
        } else {
            ([three, two, one], [MEMBER, OWNER])
        };
        async move { store.add_memberships(&memberships_at(call, &users, "default", &roles), &added()).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Membership), calls).await;
    assert_eq!(members_of(store.as_ref(), "default").await.len(), 3);
}
