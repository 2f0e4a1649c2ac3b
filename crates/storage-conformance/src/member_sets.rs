//! Replacing all members of a project at once.

use std::sync::Arc;

use latchkey_domain::{EventKind, GroupId, Holder, NewEvent, RoleId, UserId};
use latchkey_ports::{Entity, Holdings, MembersChange, Store};

use crate::{
    harness::{ErrorKind, exactly_one_succeeds, expect_error, expect_event},
    samples::{ADMIN, MEMBER, OWNER, event, group, moment, project_id, project_role, user_named},
    setup,
};

fn replaced() -> NewEvent {
    event(EventKind::ProjectAccessReplaced)
}

fn change(project: &str, before: &[(Holder, RoleId)], after: &[(Holder, RoleId)]) -> MembersChange {
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

/// Returns the users and groups of the project with their roles.
async fn holdings(store: &dyn Store, project: &str) -> Holdings {
    let project = project_id(project);
    let members = store.members(&project).await.expect("members").into_iter();
    let groups = store.member_groups(&project).await.expect("groups").into_iter();
    let of_users = members.map(|member| (Holder::User(member.user.id), member.roles));
    let of_groups = groups.map(|group| (Holder::Group(group.overview.group.id), group.roles));
    let each = |(holder, roles): (Holder, Vec<RoleId>)| roles.into_iter().map(move |role| (holder, role));
    of_users.chain(of_groups).flat_map(each).collect()
}

async fn create_two_users(store: &dyn Store) -> [UserId; 2] {
    [setup::user(store, &user_named("a")).await, setup::user(store, &user_named("b")).await]
}

/// Creates two groups; the ids of users and of groups overlap.
async fn create_two_groups(store: &dyn Store) -> [GroupId; 2] {
    [setup::group(store, &group("a", &[])).await.id, setup::group(store, &group("b", &[])).await.id]
}

/// The project has exactly these members afterwards, users and groups; roles held already keep their times, and other
/// projects stay.
pub async fn all_members_are_replaced_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let (users, groups) = (create_two_users(store).await, create_two_groups(store).await);
    let own = setup::role(store, &project_role("CI")).await.id;
    for project in ["a", "default"] {
        setup::membership(store, users[0], &project_id(project), MEMBER).await;
        setup::group_role(store, groups[0], project, MEMBER).await;
    }
    let ([one, two], [left, right]) = (users.map(Holder::User), groups.map(Holder::Group));
    let before = [(one, MEMBER), (left, MEMBER)];
    let after =
        [(one, MEMBER), (one, own), (two, OWNER), (two, own), (left, MEMBER), (left, OWNER), (right, own)];
    replace(store, &change("a", &before, &after)).await;
    assert_eq!(holdings(store, "a").await, after.into());
    assert_eq!(holdings(store, "default").await, before.into());
    let members = store.members(&project_id("a")).await.expect("members");
    let times: Vec<_> = members.iter().map(|member| member.added_at).collect();
    assert_eq!(times, [moment(5), moment(9)]);
    let groups = store.member_groups(&project_id("a")).await.expect("groups");
    let times: Vec<_> = groups.iter().map(|group| group.added_at).collect();
    assert_eq!(times, [moment(5), moment(9)]);
    for (before, after) in [
        (&after[..], &[(two, MEMBER), (right, own)][..]),
        (&[(two, MEMBER), (right, own)], &[(right, MEMBER)]),
        (&[(right, MEMBER)], &[(two, MEMBER)]),
        (&[(two, MEMBER)], &[]),
    ] {
        replace(store, &change("a", before, after)).await;
        assert_eq!(holdings(store, "a").await, after.iter().copied().collect());
    }
}

/// Members that changed in the meantime are not overwritten.
pub async fn members_that_are_not_those_before_stay(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two] = create_two_users(store).await;
    let [left, right] = create_two_groups(store).await;
    setup::membership(store, one, &project_id("default"), MEMBER).await;
    setup::group_role(store, left, "default", MEMBER).await;
    let held: [(Holder, RoleId); 2] = [(one.into(), MEMBER), (left.into(), MEMBER)];
    for before in [
        &[][..],
        &held[..1],
        &held[1..],
        &[(one.into(), OWNER), (left.into(), MEMBER)],
        &[(one.into(), MEMBER), (right.into(), MEMBER)],
        &[(one.into(), MEMBER), (left.into(), MEMBER), (two.into(), MEMBER)],
    ] {
        let stale = change("default", before, &[(two.into(), OWNER), (right.into(), OWNER)]);
        let refused = expect_error(store, store.replace_members(&stale, &replaced())).await;
        assert_eq!(refused, ErrorKind::Stale(Entity::Project(project_id("default"))), "{before:?}");
    }
    assert_eq!(holdings(store, "default").await, held.into());
}

/// The first unknown user is reported first, then the first unknown group, the project, and the first role that is unknown or a
/// root role.
pub async fn errors_of_replaced_members_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [one, two] = create_two_users(store).await.map(Holder::User);
    let [left, _] = create_two_groups(store).await.map(Holder::Group);
    let (unknown, missing, no_role) = (UserId(i64::MAX), GroupId(i64::MAX), RoleId(99));
    let no_holders = [(missing.into(), no_role), (left, no_role), (unknown.into(), no_role)];
    let cases = [
        (change("nope", &[], &no_holders), Entity::User(unknown)),
        (change("nope", &[], &no_holders[..2]), Entity::Group(missing)),
        (change("nope", &[], &[(one, no_role)]), Entity::Project(project_id("nope"))),
        (change("nope", &[], &[]), Entity::Project(project_id("nope"))),
        (change("default", &[(one, OWNER)], &[(left, no_role)]), Entity::Role(no_role)),
        (change("default", &[], &[(one, MEMBER), (two, ADMIN)]), Entity::Role(ADMIN)),
        (change("default", &[], &[(one, MEMBER), (left, ADMIN)]), Entity::Role(ADMIN)),
    ];
    for (wrong, entity) in cases {
        let refused = expect_error(store, store.replace_members(&wrong, &replaced())).await;
        assert_eq!(refused, ErrorKind::NotFound(entity), "{wrong:?}");
    }
    assert_eq!(holdings(store, "default").await, Holdings::new());
}

/// Of concurrent replacements of the same members, one succeeds.
pub async fn concurrent_replacements_of_all_members_do_not_mix(store: &Arc<dyn Store>) {
    let users = create_two_users(store.as_ref()).await.map(Holder::User);
    let groups = create_two_groups(store.as_ref()).await.map(Holder::Group);
    let calls = (0..10).map(|call| {
        let store = Arc::clone(store);
        let after = [(users[call % 2], OWNER), (groups[(call + 1) % 2], MEMBER)];
        async move { store.replace_members(&change("default", &[], &after), &replaced()).await }
    });
    let stale = ErrorKind::Stale(Entity::Project(project_id("default")));
    exactly_one_succeeds(store.as_ref(), stale, calls).await;
    assert_eq!(holdings(store.as_ref(), "default").await.len(), 2);
}
