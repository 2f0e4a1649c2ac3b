//! Replacing all members of a project at once.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, RoleId, UserId};
use latchkey_ports::{Entity, Holdings, MembersChange, Store};

use crate::{
    harness::{ErrorKind, exactly_one_succeeds, expect_error, expect_event},
    samples::{ADMIN, MEMBER, OWNER, event, moment, project_id, project_role, user_named},
    setup,
};

fn replaced() -> NewEvent {
    event(EventKind::ProjectAccessReplaced)
}

fn change(project: &str, before: &[(UserId, RoleId)], after: &[(UserId, RoleId)]) -> MembersChange {
    MembersChange {
        project: project_id(project),
        before: before.iter().copied().collect(),
        after: after.iter().copied().collect(),
        at: moment(9),
    }
}

async fn replace(store: &dyn Store, change: &MembersChange) {
    expect_event(store, &replaced(), store.replace_members(change, &replaced())).await;
}

/// Returns who holds which role in the project.
async fn holdings(store: &dyn Store, project: &str) -> Holdings {
    let members = store.members(&project_id(project)).await.expect("members");
    members.iter().flat_map(|member| member.roles.iter().map(|role| (member.user.id, *role))).collect()
}

async fn create_two_users(store: &dyn Store) -> [UserId; 2] {
    [setup::user(store, &user_named("a")).await, setup::user(store, &user_named("b")).await]
}

/// The project has exactly these members afterwards; roles held already keep their times, and other projects stay.
pub async fn all_members_are_replaced_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let [one, two] = create_two_users(store).await;
    let own = setup::role(store, &project_role("CI")).await.id;
    for project in ["a", "default"] {
        setup::membership(store, one, &project_id(project), MEMBER).await;
    }
    let before = [(one, MEMBER)];
    let after = [(one, MEMBER), (one, own), (two, OWNER), (two, own)];
    replace(store, &change("a", &before, &after)).await;
    assert_eq!(holdings(store, "a").await, after.into());
    assert_eq!(holdings(store, "default").await, before.into());
    let members = store.members(&project_id("a")).await.expect("members");
    let times: Vec<_> = members.iter().map(|member| member.added_at).collect();
    assert_eq!(times, [moment(5), moment(9)]);
    replace(store, &change("a", &after, &[(two, MEMBER)])).await;
    assert_eq!(holdings(store, "a").await, [(two, MEMBER)].into());
    replace(store, &change("a", &[(two, MEMBER)], &[])).await;
    assert_eq!(holdings(store, "a").await, Holdings::new());
}

/// Members that changed in the meantime are not overwritten.
pub async fn members_that_are_not_those_before_stay(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two] = create_two_users(store).await;
    setup::membership(store, one, &project_id("default"), MEMBER).await;
    for before in [&[][..], &[(one, OWNER)], &[(one, MEMBER), (two, MEMBER)]] {
        let stale = change("default", before, &[(two, OWNER)]);
        let refused = expect_error(store, store.replace_members(&stale, &replaced())).await;
        assert_eq!(refused, ErrorKind::Stale(Entity::Project(project_id("default"))), "{before:?}");
    }
}

/// The first unknown user is reported first, then the project, then the first role that is unknown or a root role.
pub async fn errors_of_replaced_members_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two] = create_two_users(store).await;
    let (unknown, no_role) = (UserId(i64::MAX), RoleId(99));
    let cases = [
        (change("nope", &[], &[(one, no_role), (unknown, no_role)]), Entity::User(unknown)),
        (change("nope", &[], &[(one, no_role)]), Entity::Project(project_id("nope"))),
        (change("nope", &[], &[]), Entity::Project(project_id("nope"))),
        (change("default", &[(one, OWNER)], &[(one, no_role)]), Entity::Role(no_role)),
        (change("default", &[], &[(one, MEMBER), (two, ADMIN)]), Entity::Role(ADMIN)),
    ];
    for (wrong, entity) in cases {
        let refused = expect_error(store, store.replace_members(&wrong, &replaced())).await;
        assert_eq!(refused, ErrorKind::NotFound(entity), "{wrong:?}");
    }
}

/// Of concurrent replacements of the same members, one succeeds.
pub async fn concurrent_replacements_of_all_members_do_not_mix(store: &Arc<dyn Store>) {
    let users = create_two_users(store.as_ref()).await;
    let calls = (0..10).map(|call| {
        let store = Arc::clone(store);
        let after = [(users[call % 2], OWNER), (users[(call + 1) % 2], MEMBER)];
        async move { store.replace_members(&change("default", &[], &after), &replaced()).await }
    });
    let stale = ErrorKind::Stale(Entity::Project(project_id("default")));
    exactly_one_succeeds(store.as_ref(), stale, calls).await;
    assert_eq!(holdings(store.as_ref(), "default").await.len(), 2);
}
