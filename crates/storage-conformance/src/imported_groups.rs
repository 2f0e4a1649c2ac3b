//! Groups in imports: they come with their members and roles, and give rights as any other.

use std::sync::Arc;

use latchkey_domain::{EventKind, Grants, NewGroup, Role, Snapshot, UserId};
use latchkey_ports::{Entity, Import, ImportedGroup, ImportedMemberships, Reference, Store, StoreError};

use crate::{
    harness::{ErrorKind, expect_error, read_contents},
    imports::{given, imported},
    samples::{
        MEMBER, VIEWER, built_in_role, event, group, moment, project_id, project_role, role_created,
        root_role, user_named,
    },
    setup,
};

fn new_group(sample: NewGroup, members: &[Reference<UserId>]) -> ImportedGroup {
    ImportedGroup {
        name: sample.name,
        description: sample.description,
        sso_groups: sample.sso_groups,
        root_role: None,
        members: members.iter().map(|user| (*user, moment(4))).collect(),
        created_at: sample.created_at,
        event: event(EventKind::GroupCreated),
    }
}

fn with_groups(places: &[usize], memberships: ImportedMemberships) -> ImportedMemberships {
    let groups = places.iter().map(|place| (*place, moment(5))).collect();
    ImportedMemberships { groups, ..memberships }
}

/// Two groups: one with a new and an old user, a new role of the instance and a new role in a project; one that is empty.
fn two_groups(known: UserId) -> Import {
    let viewer = Reference::Existing(VIEWER);
    let roles = [root_role("operators", &[]), project_role("readers")];
    let members = [Reference::Existing(known), Reference::New(0)];
    let first = new_group(group("g", &[]), &members);
    Import {
        roles: roles.into_iter().map(|role| (role.clone(), role_created(&role))).collect(),
        users: vec![imported(&user_named("ada"), viewer)],
        groups: vec![
            ImportedGroup { root_role: Some(Reference::New(0)), ..first },
            new_group(group("empty", &[]), &[]),
        ],
        memberships: vec![
            with_groups(&[0, 1], given("default", Reference::New(1), &[Reference::New(0)])),
            with_groups(&[0], given("default", Reference::Existing(MEMBER), &[])),
        ],
        ..Import::default()
    }
}

/// Groups come with members, roles and the events of their creation; a role in a project that users and groups get has one
/// event.
pub async fn groups_come_with_members_and_roles(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::user(store, &user_named("grace")).await;
    let there = setup::group(store, &group("there", &[known])).await;
    let before = read_contents(store).await.events.len();
    store.import(two_groups(known)).await.expect("imported");
    let account = store.find_account_by_login("ada").await.expect("a lookup").expect("ada");
    let ada = account.user.id;
    let roles: Vec<Role> = store.roles().await.expect("roles");
    let custom: Vec<&Role> = roles.iter().filter(|role| !role.kind.is_built_in()).collect();
    let [operators, readers] = custom.as_slice() else { panic!("two roles: {custom:?}") };

    let groups = store.groups().await.expect("groups");
    let [first, full, empty] = groups.as_slice() else { panic!("three groups: {groups:?}") };
    assert_eq!(first.group, there, "what is there stays as it is");
    let expected = NewGroup {
        root_role: Some(operators.id),
        members: [(known, moment(4)), (ada, moment(4))].into(),
        ..group("g", &[])
    };
    assert_eq!(full.group, expected.clone().with_id(full.group.id));
    assert_eq!(
        (&full.projects, &empty.projects),
        (&vec![project_id("default")], &vec![project_id("default")])
    );
    assert!(empty.users.is_empty());
    let held = store.member_groups(&project_id("default")).await.expect("groups");
    let held: Vec<_> =
        held.iter().map(|one| (one.overview.group.id, one.roles.len(), one.added_at)).collect();
    assert_eq!(held, [(full.group.id, 2, moment(5)), (empty.group.id, 1, moment(5))]);

    let events = read_contents(store).await.events.split_off(before);
    let kinds: Vec<EventKind> = events.iter().map(|event| event.record.kind).collect();
    let (created, access) = (EventKind::GroupCreated, EventKind::ProjectAccessAdded);
    let role = EventKind::RoleCreated;
    assert_eq!(kinds, [role, role, EventKind::UserCreated, created, created, access, access]);
    let after = |place: usize| events[place].record.after.clone().expect("a state");
    assert_eq!(after(3), Snapshot::from(&full.group));
    let both = [full.group.id, empty.group.id];
    assert_eq!(after(5), Snapshot::of_memberships(&[ada], &both, &[readers.id]));
    assert_eq!(after(6), Snapshot::of_memberships(&[], &[full.group.id], &[MEMBER]));
}

/// Members have the rights of an imported group at once.
pub async fn members_of_imported_groups_have_their_rights(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::user(store, &user_named("grace")).await;
    let rights = async || store.grants_of(known).await.expect("a lookup").expect("grace");
    let none: Grants = rights().await;
    store.import(two_groups(known)).await.expect("imported");
    let now = rights().await;
    assert_ne!(now, none);
    for permission in built_in_role(MEMBER).permissions {
        assert_eq!(now.projects_with(permission), Some([project_id("default")].into()), "{permission}");
    }
}

/// A group that is there, a name that is given twice, and unknown members and roles are errors, and nothing is added.
pub async fn groups_are_added_with_all_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::user(store, &user_named("grace")).await;
    setup::group(store, &group("taken", &[])).await;
    let import = |groups: Vec<ImportedGroup>| Import { groups, ..two_groups(known) };
    let named = |name: &str| new_group(group(name, &[]), &[]);
    let unknown = new_group(group("g", &[]), &[Reference::Existing(UserId(999))]);
    let of_projects = ImportedGroup { root_role: Some(Reference::Existing(MEMBER)), ..named("g") };
    for (groups, expected) in [
        (vec![named("a"), named("taken")], ErrorKind::Conflict(Entity::GroupName)),
        (vec![named("a"), named("a")], ErrorKind::Conflict(Entity::GroupName)),
        (vec![unknown, named("a")], ErrorKind::NotFound(Entity::User(UserId(999)))),
        (vec![of_projects, named("a")], ErrorKind::NotFound(Entity::Role(MEMBER))),
    ] {
        assert_eq!(expect_error(store, store.import(import(groups))).await, expected);
    }
    let before = read_contents(store).await;
    let outcome = store.import(import(vec![named("a")])).await;
    assert!(
        matches!(outcome, Err(StoreError::Fault(_))),
        "roles for a group that the import does not have: {outcome:?}"
    );
    assert_eq!(read_contents(store).await, before);
}
