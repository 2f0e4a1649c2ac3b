//! Groups: created, found, changed and deleted, with their members and their roles in projects.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::{
    EventId, EventKind, Group, GroupDescription, GroupId, GroupName, Holder, NewGroup, RoleId, SsoGroupName,
    UserId,
};
use latchkey_ports::{Entity, GroupOverview, MemberGroup, Memberships, Store, StoreError};

use crate::{
    event_log::{events_after, latest_event},
    harness::{
        ErrorKind, error_kind, exactly_one_succeeds, expect_error, expect_event, partition_results,
        run_concurrently,
    },
    samples::{
        EDITOR, MEMBER, OWNER, VIEWER, event, extreme_moments, group, group_created, group_memberships,
        memberships, moment, project_id, project_removal, project_role, service_account, user_named,
    },
    setup,
};

async fn create(store: &dyn Store, group: &NewGroup) -> Result<(GroupId, EventId), StoreError> {
    store.create_group(group, &group_created(group)).await
}

async fn update(store: &dyn Store, before: &Group, after: &Group) -> Result<EventId, StoreError> {
    store.update_group(before, after, &event(EventKind::GroupUpdated)).await
}

async fn delete(store: &dyn Store, id: GroupId) -> Result<EventId, StoreError> {
    store.delete_group(id, &event(EventKind::GroupDeleted)).await
}

fn name(text: &str) -> GroupName {
    GroupName::new(text).expect("a group name")
}

async fn find(store: &dyn Store, id: GroupId) -> Option<GroupOverview> {
    store.find_group(id).await.expect("a lookup")
}

/// The group is found by its id and listed, with its members as users.
async fn assert_stored(store: &dyn Store, group: &Group) {
    let found = find(store, group.id).await.expect("the group");
    assert_eq!(found.group, *group);
    let mut users = Vec::new();
    for id in group.members.keys() {
        users.push(store.find_user(*id).await.expect("a lookup").expect("the member"));
    }
    assert_eq!(found.users, users);
    assert!(store.groups().await.expect("groups").contains(&found));
}

/// Groups with the fewest and the most of everything are read back, by id. Each event has the assigned id.
pub async fn every_group_round_trips(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let robot = setup::user(store, &service_account("robot")).await;
    let [first, .., last] = extreme_moments();
    let sso_groups = ["🎉", "a \"quoted\" one", "a,b", "A", "a"];
    let longest = NewGroup {
        name: name(&"🎉".repeat(255)),
        description: GroupDescription::new(&"日本語 שלום\n\t'\"\\%_".repeat(125)).expect("a description"),
        sso_groups: sso_groups.iter().map(|name| SsoGroupName::new(name).expect("a name")).collect(),
        root_role: Some(EDITOR),
        members: BTreeMap::from([(ed, first), (robot, last)]),
        created_at: last,
    };
    let shortest = NewGroup {
        description: GroupDescription::default(),
        sso_groups: Vec::new(),
        created_at: first,
        ..group("x", &[])
    };
    let mut expected = Vec::new();
    for new in [longest, shortest, group("a", &[ed]), group("A", &[ed])] {
        let last_event = latest_event(store).await;
        let (id, event) = create(store, &new).await.expect("created");
        let recorded = events_after(store, last_event).await;
        assert_eq!(recorded.len(), 1);
        assert_eq!(
            (recorded[0].id, &recorded[0].record),
            (event, &group_created(&new).with_assigned_id(id.0))
        );
        expected.push(new.with_id(id));
        assert_stored(store, expected.last().expect("the last")).await;
    }
    let listed: Vec<_> = store.groups().await.expect("groups").into_iter().map(|one| one.group).collect();
    assert_eq!(listed, expected);
    assert!(listed.is_sorted_by_key(|group| group.id));
}

/// A fresh store has no group, and an unknown id finds none.
pub async fn an_unknown_group_is_not_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_eq!(store.groups().await.expect("groups"), []);
    let known = setup::group(store, &group("a", &[])).await;
    for unknown in [0, -1, known.id.0 + 1, i64::MAX].map(GroupId) {
        assert_eq!(find(store, unknown).await, None);
        assert_eq!(store.roles_in_project(unknown.into(), &project_id("default")).await.expect("roles"), []);
    }
}

/// The unknown or unfit root role is reported first, then the first unknown member, then the name.
pub async fn group_creation_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    setup::group(store, &group("taken", &[ed])).await;
    let unknown = UserId(ed.0 + 1);
    for role in [RoleId(77), OWNER, MEMBER] {
        let new = NewGroup { root_role: Some(role), ..group("taken", &[ed, unknown]) };
        let refused = expect_error(store, create(store, &new)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(role)));
    }
    let refused = expect_error(store, create(store, &group("taken", &[ed, unknown]))).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::User(unknown)));
    let refused = expect_error(store, create(store, &group("taken", &[ed]))).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::GroupName));
}

/// Every field can change, alone and together with others; the event is recorded, and roles in projects stay.
pub async fn every_field_of_a_group_can_change(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    let other = setup::group(store, &group("other", &[ed])).await;
    let mut current = setup::group(store, &group("a", &[ed])).await;
    setup::group_role(store, current.id, "default", MEMBER).await;
    let original = current.clone();
    let mut steps = changed_copies(&current, al);
    steps.push(Group { members: BTreeMap::from([(ed, moment(3)), (al, moment(9))]), ..original.clone() });
    steps.push(Group {
        members: BTreeMap::from([(al, moment(9))]),
        root_role: Some(VIEWER),
        ..original.clone()
    });
    steps.push(original);
    for after in steps {
        let changed = event(EventKind::GroupUpdated);
        expect_event(store, &changed, store.update_group(&current, &after, &changed)).await;
        assert_stored(store, &after).await;
        current = after;
    }
    assert_stored(store, &other).await;
    let held = store.roles_in_project(current.id.into(), &project_id("default")).await.expect("roles");
    assert_eq!(held, [MEMBER]);
}

/// Returns copies that differ in one field each.
fn changed_copies(group: &Group, another: UserId) -> Vec<Group> {
    let description = GroupDescription::default();
    let mut members = group.members.clone();
    members.insert(another, moment(9));
    vec![
        Group { name: name("another"), ..group.clone() },
        Group { description, ..group.clone() },
        Group { sso_groups: vec![SsoGroupName::new("b").expect("a name")], ..group.clone() },
        Group { sso_groups: Vec::new(), ..group.clone() },
        Group { root_role: Some(EDITOR), ..group.clone() },
        Group { members, ..group.clone() },
        Group { members: BTreeMap::new(), ..group.clone() },
        Group { members: group.members.keys().map(|user| (*user, moment(10))).collect(), ..group.clone() },
    ]
}

/// If any field differs from the expected one, nothing changes.
pub async fn a_stale_update_of_a_group_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    let existing = setup::group(store, &group("a", &[ed])).await;
    let stale = ErrorKind::Stale(Entity::Group(existing.id));
    for seen in changed_copies(&existing, al) {
        let after = Group { name: name("after"), ..existing.clone() };
        assert_eq!(expect_error(store, update(store, &seen, &after)).await, stale, "{seen:?}");
    }
}

/// An unknown group is reported first, then a stale state, then the root role, the members and the name.
pub async fn group_update_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let unknown = UserId(ed.0 + 1);
    setup::group(store, &group("taken", &[])).await;
    let existing = setup::group(store, &group("a", &[ed])).await;
    let no_user = Group { name: name("taken"), members: [(unknown, moment(3))].into(), ..existing.clone() };
    let no_role = Group { root_role: Some(OWNER), ..no_user.clone() };
    let not_there = Group { id: GroupId(i64::MAX), ..existing.clone() };
    let after = Group { id: not_there.id, ..no_role.clone() };
    let not_found = ErrorKind::NotFound;
    let refused = expect_error(store, update(store, &not_there, &after)).await;
    assert_eq!(refused, not_found(Entity::Group(not_there.id)));
    let seen = Group { description: GroupDescription::default(), ..existing.clone() };
    let refused = expect_error(store, update(store, &seen, &no_role)).await;
    assert_eq!(refused, ErrorKind::Stale(Entity::Group(existing.id)));
    let refused = expect_error(store, update(store, &existing, &no_role)).await;
    assert_eq!(refused, not_found(Entity::Role(OWNER)));
    let refused = expect_error(store, update(store, &existing, &no_user)).await;
    assert_eq!(refused, not_found(Entity::User(unknown)));
    let taken = Group { name: name("taken"), ..existing.clone() };
    let refused = expect_error(store, update(store, &existing, &taken)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::GroupName));
}

/// The name of a deleted group can be used again, its id cannot; its members stay.
pub async fn a_deleted_group_leaves_its_name_and_its_members(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::stored_user(store, &user_named("ed")).await;
    let mut ids: Vec<GroupId> = Vec::new();
    for _ in 0..3 {
        let made = setup::group(store, &group("a", &[ed.id])).await;
        assert!(!ids.contains(&made.id), "{} was given twice", made.id);
        setup::group_role(store, made.id, "default", MEMBER).await;
        expect_event(store, &event(EventKind::GroupDeleted), delete(store, made.id)).await;
        assert_eq!(find(store, made.id).await, None);
        assert_eq!(store.member_groups(&project_id("default")).await.expect("groups"), []);
        assert_eq!(store.find_user(ed.id).await.expect("a lookup").as_ref(), Some(&ed));
        let refused = expect_error(store, delete(store, made.id)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Group(made.id)));
        ids.push(made.id);
    }
}

/// A deleted user is a member no more, and a deleted project gives a group no roles.
pub async fn groups_lose_deleted_users_and_projects(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    setup::projects(store, &["a", "b"]).await;
    let made = setup::group(store, &group("g", &[ed, al])).await;
    for project in ["a", "b", "default"] {
        setup::group_role(store, made.id, project, MEMBER).await;
    }
    let projects = find(store, made.id).await.expect("the group").projects;
    assert_eq!(projects, ["a", "b", "default"].map(project_id));
    store.delete_user(ed, &event(EventKind::UserDeleted)).await.expect("removed");
    store.delete_project(&project_removal("a")).await.expect("removed");
    let found = find(store, made.id).await.expect("the group");
    assert_eq!(found.group.members.keys().copied().collect::<Vec<_>>(), [al]);
    assert_eq!(found.users.len(), 1);
    assert_eq!(found.projects, ["b", "default"].map(project_id));
    // The state from before is another one now.
    assert_eq!(error_kind(update(store, &made, &made).await), ErrorKind::Stale(Entity::Group(made.id)));
}

fn given_at(at: i64, groups: &[GroupId], project: &str, roles: &[RoleId]) -> Memberships {
    Memberships { at: moment(at), ..group_memberships(groups, &project_id(project), roles) }
}

/// Returns each group of the project with its roles and the time of the first, relative to the sample time.
async fn groups_of(store: &dyn Store, project: &str) -> Vec<(GroupId, Vec<RoleId>, i64)> {
    let mut held = Vec::new();
    for MemberGroup { overview, roles, added_at } in
        store.member_groups(&project_id(project)).await.expect("groups")
    {
        let id = overview.group.id;
        let alone = store.roles_in_project(Holder::Group(id), &project_id(project)).await.expect("roles");
        assert_eq!((alone, Some(overview)), (roles.clone(), find(store, id).await));
        held.push((id, roles, added_at.millis() - moment(0).millis()));
    }
    held
}

/// Users and groups get roles in one call, with one event; each kind is listed apart.
pub async fn users_and_groups_get_roles_in_one_call(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let (a, b) =
        (setup::group(store, &group("a", &[ed])).await.id, setup::group(store, &group("b", &[])).await.id);
    let added = event(EventKind::ProjectAccessAdded);
    let both = Memberships { users: vec![ed], ..given_at(5, &[b, a, b], "default", &[MEMBER, OWNER]) };
    expect_event(store, &added, store.add_memberships(&both, &added)).await;
    let roles = vec![OWNER, MEMBER];
    assert_eq!(groups_of(store, "default").await, [(a, roles.clone(), 5), (b, roles.clone(), 5)]);
    let members = store.members(&project_id("default")).await.expect("members");
    assert_eq!(members.iter().map(|one| (one.user.id, one.roles.clone())).collect::<Vec<_>>(), [(ed, roles)]);
    let refused = expect_error(store, store.add_memberships(&both, &added)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::Membership));
    // One of them is enough of a change.
    let others = given_at(9, &[a], "default", &[setup::role(store, &project_role("CI")).await.id, OWNER]);
    expect_event(store, &added, store.add_memberships(&others, &added)).await;
    assert_eq!(groups_of(store, "default").await[0].1.len(), 3);
}

/// A group has exactly the new roles afterwards. Roles held already keep their times; others, and users of the same
/// number, keep theirs.
pub async fn replacing_the_roles_of_a_group_leaves_others_alone(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let (a, b) =
        (setup::group(store, &group("a", &[])).await.id, setup::group(store, &group("b", &[])).await.id);
    assert_eq!(a.0, ed.0, "the same number");
    setup::membership(store, ed, &project_id("default"), MEMBER).await;
    let added = event(EventKind::ProjectAccessAdded);
    store.add_memberships(&given_at(5, &[a, b], "default", &[OWNER]), &added).await.expect("added");
    let replaced = event(EventKind::ProjectGroupAccessUpdated);
    for (at, roles) in [(7, vec![OWNER, MEMBER]), (8, vec![MEMBER]), (9, vec![])] {
        let wanted = given_at(at, &[a], "default", &roles);
        expect_event(store, &replaced, store.replace_memberships(&wanted, &replaced)).await;
        let held = groups_of(store, "default").await;
        let first = if roles.contains(&OWNER) { 5 } else { 7 };
        let of_a = (!roles.is_empty()).then_some((a, roles, first));
        assert_eq!(held, of_a.into_iter().chain([(b, vec![OWNER], 5)]).collect::<Vec<_>>());
        assert_eq!(store.roles_in_project(ed.into(), &project_id("default")).await.expect("roles"), [MEMBER]);
    }
    let none = Memberships { at: moment(9), ..memberships(&[ed], &project_id("default"), &[]) };
    store.replace_memberships(&none, &replaced).await.expect("replaced");
    assert_eq!(groups_of(store, "default").await, [(b, vec![OWNER], 5)]);
}

/// An unknown user is reported first, then an unknown group, then the project, then the role.
pub async fn errors_of_roles_for_groups_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::group(store, &group("a", &[])).await.id;
    let (unknown, no_user) = (GroupId(known.0 + 1), UserId(99));
    let with_user = Memberships { users: vec![no_user], ..given_at(5, &[unknown], "nope", &[EDITOR]) };
    let not_found = ErrorKind::NotFound;
    for (wrong, expected) in [
        (with_user, not_found(Entity::User(no_user))),
        (given_at(5, &[known, unknown], "nope", &[EDITOR]), not_found(Entity::Group(unknown))),
        (given_at(5, &[known], "nope", &[EDITOR]), not_found(Entity::Project(project_id("nope")))),
        (given_at(5, &[known], "default", &[MEMBER, EDITOR]), not_found(Entity::Role(EDITOR))),
    ] {
        let change = event(EventKind::ProjectAccessAdded);
        assert_eq!(expect_error(store, store.add_memberships(&wrong, &change)).await, expected);
        assert_eq!(expect_error(store, store.replace_memberships(&wrong, &change)).await, expected);
    }
    let refused = expect_error(store, store.member_groups(&project_id("nope"))).await;
    assert_eq!(refused, not_found(Entity::Project(project_id("nope"))));
}

/// Of 20 concurrent groups with the same name, and of 30 concurrent updates of the same state, one succeeds.
pub async fn one_of_concurrent_changes_of_a_group_succeeds(store: &Arc<dyn Store>) {
    let ed = setup::user(store.as_ref(), &user_named("ed")).await;
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        let new = NewGroup { created_at: moment(call), ..group("a", &[ed]) };
        async move { create(store.as_ref(), &new).await.map(|(id, _)| new.with_id(id)) }
    });
    let made = exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::GroupName), calls).await;
    assert_stored(store.as_ref(), &made).await;
    let calls = (0..30).map(|call| {
        let (store, before) = (Arc::clone(store), made.clone());
        let after = Group { name: name(&format!("by {call}")), members: BTreeMap::new(), ..made.clone() };
        async move { update(store.as_ref(), &before, &after).await.map(|_| after) }
    });
    let stale = ErrorKind::Stale(Entity::Group(made.id));
    let after = exactly_one_succeeds(store.as_ref(), stale, calls).await;
    assert_stored(store.as_ref(), &after).await;
}

/// A group is changed, given roles and deleted while its members and its project are deleted: nothing blocks, and what is
/// left refers to nothing that is gone.
pub async fn groups_changed_beside_deletions_refer_to_nothing_that_is_gone(store: &Arc<dyn Store>) {
    for round in 0..12 {
        let project = format!("p{round}");
        setup::projects(store.as_ref(), &[&project]).await;
        let ed = setup::user(store.as_ref(), &user_named(&format!("ed{round}"))).await;
        let al = setup::user(store.as_ref(), &user_named(&format!("al{round}"))).await;
        let made = setup::group(store.as_ref(), &group(&format!("g{round}"), &[ed])).await;
        let calls = (0..6).map(|call| (call + round) % 6).map(|call| {
            let (store, project, made) = (Arc::clone(store), project.clone(), made.clone());
            async move {
                let roles = given_at(5, &[made.id], &project, &[MEMBER]);
                let members = [(ed, moment(3)), (al, moment(4))].into();
                match call {
                    0 => store.delete_project(&project_removal(&project)).await,
                    1 => store.delete_user(ed, &event(EventKind::UserDeleted)).await,
                    2 => store.delete_user(al, &event(EventKind::UserDeleted)).await,
                    3 => update(store.as_ref(), &made, &Group { members, ..made.clone() }).await,
                    4 => store.add_memberships(&roles, &event(EventKind::ProjectAccessAdded)).await,
                    _ => delete(store.as_ref(), made.id).await,
                }
            }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        assert!(done.len() >= 3, "{refused:?}");
        let gone = [
            Entity::Project(project_id(&project)),
            Entity::User(al),
            Entity::User(ed),
            Entity::Group(made.id),
        ];
        let allowed = |error: &ErrorKind| match error {
            ErrorKind::NotFound(entity) => gone.contains(entity),
            ErrorKind::Stale(entity) => *entity == Entity::Group(made.id),
            _ => false,
        };
        assert!(refused.iter().all(allowed), "{refused:?}");
        if let Some(left) = find(store.as_ref(), made.id).await {
            assert_eq!((left.group.members, left.projects), (BTreeMap::new(), vec![]));
        }
    }
}
