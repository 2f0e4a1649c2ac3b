//! Custom roles: created, found, changed and deleted.

use std::sync::Arc;

use latchkey_domain::{
    EventId, EventKind, Grants, NewRole, NewUser, Permission, Role, RoleDescription, RoleId, RoleKind,
    RoleName, User, UserId,
};
use latchkey_ports::{Entity, Store, StoreError, initial_data};

use crate::{
    event_log::{events_after, latest_event},
    harness::{ErrorKind, exactly_one_succeeds, expect_error, expect_event, run_concurrently},
    samples::{
        MEMBER, VIEWER, built_in_role, event, memberships, project_id, project_removal, project_role,
        role_created, root_role, user_created, user_named,
    },
    setup,
};

async fn create(store: &dyn Store, role: &NewRole) -> Result<(RoleId, EventId), StoreError> {
    store.create_role(role, &role_created(role)).await
}

async fn update(store: &dyn Store, before: &Role, after: &Role) -> Result<EventId, StoreError> {
    store.update_role(before, after, &event(EventKind::RoleUpdated)).await
}

async fn delete(store: &dyn Store, id: RoleId) -> Result<EventId, StoreError> {
    store.delete_role(id, &event(EventKind::RoleDeleted)).await
}

async fn assert_stored(store: &dyn Store, role: &Role) {
    assert_eq!(store.find_role(role.id).await.expect("a lookup").as_ref(), Some(role));
    assert!(store.roles().await.expect("roles").contains(role));
}

fn name(text: &str) -> RoleName {
    RoleName::new(text).expect("a role name")
}

fn description(text: &str) -> RoleDescription {
    RoleDescription::new(text).expect("a description")
}

fn project_permissions() -> Vec<Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(|permission| RoleKind::Custom.may_hold(*permission).is_ok()).collect()
}

/// Roles of both kinds, with the fewest and the most permissions, are read back. Each event has the
/// assigned id, and the built-in roles stay.
pub async fn every_kind_of_role_round_trips(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let longest = NewRole {
        name: name(&"🎉".repeat(100)),
        description: description(&"日本語 שלום\n\t'\"\\%_".repeat(125)),
        ..root_role("longest", Permission::ALL)
    };
    let allowing =
        NewRole { permissions: project_permissions().into_iter().collect(), ..project_role("allowing") };
    let silent = NewRole { description: description(""), ..project_role("silent") };
    let mut expected = initial_data::roles().to_vec();
    for new in [longest, allowing, silent, root_role("one", &[Permission::CreateProject])] {
        let last = latest_event(store).await;
        let (id, number) = create(store, &new).await.expect("created");
        assert!(id > initial_data::roles()[4].id, "{id} is not behind the built-in ones");
        let role = new.clone().with_id(id);
        assert_stored(store, &role).await;
        let events = events_after(store, last).await;
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].id, &events[0].record), (number, &role_created(&new).with_assigned_id(id.0)));
        expected.push(role);
    }
    assert_eq!(store.roles().await.expect("roles"), expected);
}

/// A built-in role is found like any other; an unknown id finds nothing.
pub async fn a_role_is_found_by_its_id(store: &Arc<dyn Store>) {
    for role in initial_data::roles() {
        assert_stored(store.as_ref(), &role).await;
    }
    for unknown in [0, -1, 6, 99, i64::MAX, i64::MIN].map(RoleId) {
        assert_eq!(store.find_role(unknown).await.expect("a lookup"), None);
    }
}

/// A name is used once among all roles, built-in or custom, of either kind; names are case-sensitive.
pub async fn a_role_name_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    create(store, &project_role("Åuditor")).await.expect("created");
    for new in
        [project_role("Åuditor"), root_role("Åuditor", &[]), root_role("Admin", &[]), project_role("Member")]
    {
        let event = role_created(&new);
        let refused = expect_error(store, store.create_role(&new, &event)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::RoleName), "{}", new.name);
    }
    for other in ["åuditor", "admin", "Åuditor 2"] {
        create(store, &root_role(other, &[])).await.expect("another name");
    }
}

/// Returns copies that each differ in one field.
fn changed_copies(of: &Role) -> Vec<Role> {
    let of = || of.clone();
    vec![
        Role { name: name("Another"), ..of() },
        Role { description: description(""), ..of() },
        Role { permissions: project_permissions().into_iter().collect(), ..of() },
        Role { permissions: [Permission::UpdateProject].into(), ..of() },
        Role { permissions: [].into(), ..of() },
    ]
}

async fn create_ci_role(store: &dyn Store) -> Role {
    let permissions = [Permission::ReadProjectApiToken, Permission::CreateProjectApiToken].into();
    setup::role(store, &NewRole { permissions, ..project_role("CI") }).await
}

/// Each field changes, there and back, with the event; other roles stay.
pub async fn every_field_of_a_role_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = create_ci_role(store).await;
    let other = setup::role(store, &root_role("other", &[Permission::CreateProject])).await;
    for changed in changed_copies(&was) {
        for (before, after) in [(&was, &changed), (&changed, &was)] {
            expect_event(store, &event(EventKind::RoleUpdated), update(store, before, after)).await;
            assert_stored(store, after).await;
        }
    }
    assert_stored(store, &other).await;
    let after =
        Role { name: name("CI/CD"), permissions: [].into(), description: description(""), ..was.clone() };
    update(store, &was, &after).await.expect("changed");
    create(store, &project_role("CI")).await.expect("the name is free");
}

/// New permissions apply at once to all users with the role, for the instance or in a project.
pub async fn a_role_update_takes_effect_immediately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let in_project = create_ci_role(store).await;
    let root = setup::role(store, &root_role("root", &[Permission::ReadClientApiToken])).await;
    let ed = setup::user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    setup::membership(store, ed, &project_id("default"), in_project.id).await;
    let new_root = Role { permissions: [Permission::CreateProject].into(), ..root.clone() };
    let new_in_project = Role { permissions: [Permission::UpdateProject].into(), ..in_project.clone() };
    update(store, &root, &new_root).await.expect("changed");
    update(store, &in_project, &new_in_project).await.expect("changed");
    let expected = Grants::of_roles(&new_root, [(project_id("default"), &new_in_project)]);
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(expected));
}

/// If any field differs from the expected one, nothing changes.
pub async fn a_stale_role_update_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = create_ci_role(store).await;
    for seen in changed_copies(&existing) {
        for after in [Role { name: name("CI/CD"), ..existing.clone() }, existing.clone()] {
            let refused = expect_error(store, update(store, &seen, &after)).await;
            assert_eq!(refused, ErrorKind::Stale(Entity::Role(existing.id)), "{seen:?}");
        }
    }
}

/// An unknown role is reported first, then a stale state, then a conflicting name.
pub async fn role_update_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = create_ci_role(store).await;
    let deleted = setup::role(store, &project_role("gone")).await;
    delete(store, deleted.id).await.expect("removed");
    for role in [deleted, Role { id: RoleId(i64::MAX), ..existing.clone() }] {
        let after = Role { name: name("Admin"), ..role.clone() };
        let refused = expect_error(store, update(store, &role, &after)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(role.id)));
    }
    let after = Role { name: name("Admin"), ..existing.clone() };
    let seen = Role { description: description(""), ..existing.clone() };
    assert_eq!(
        expect_error(store, update(store, &seen, &after)).await,
        ErrorKind::Stale(Entity::Role(existing.id))
    );
    assert_eq!(
        expect_error(store, update(store, &existing, &after)).await,
        ErrorKind::Conflict(Entity::RoleName)
    );
}

/// The name of a deleted role can be used again, its id cannot.
pub async fn an_unassigned_role_is_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids: Vec<RoleId> = Vec::new();
    for _ in 0..3 {
        let role = create_ci_role(store).await;
        assert!(!ids.contains(&role.id), "{} was given twice", role.id);
        expect_event(store, &event(EventKind::RoleDeleted), delete(store, role.id)).await;
        assert_eq!(store.find_role(role.id).await.expect("a lookup"), None);
        assert_eq!(store.roles().await.expect("roles"), initial_data::roles());
        let refused = expect_error(store, delete(store, role.id)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(role.id)));
        ids.push(role.id);
    }
    for unknown in [0, -1, i64::MAX].map(RoleId) {
        assert_eq!(
            expect_error(store, delete(store, unknown)).await,
            ErrorKind::NotFound(Entity::Role(unknown))
        );
    }
}

/// A role stays while a user has it, for the instance or in a project.
pub async fn an_assigned_role_cannot_be_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = setup::role(store, &root_role("root", &[])).await;
    let in_project = create_ci_role(store).await;
    let ed = setup::stored_user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    setup::membership(store, ed.id, &project_id("default"), in_project.id).await;
    for id in [root.id, in_project.id] {
        assert_eq!(expect_error(store, delete(store, id)).await, ErrorKind::InUse(Entity::Role(id)));
    }
    let none = memberships(&[ed.id], &project_id("default"), &[MEMBER]);
    store.replace_memberships(&none, &event(EventKind::ProjectAccessUpdated)).await.expect("replaced");
    delete(store, in_project.id).await.expect("the role is not assigned");
    let demoted = User { root_role: VIEWER, ..ed.clone() };
    store.update_user(&ed, &demoted, &event(EventKind::UserUpdated)).await.expect("changed");
    delete(store, root.id).await.expect("the role is not assigned");
}

/// A role can be deleted after the last user, or the last project, in which it was assigned.
pub async fn deleting_the_last_holder_frees_a_role(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = setup::role(store, &root_role("root", &[])).await;
    let in_project = create_ci_role(store).await;
    setup::projects(store, &["a"]).await;
    let ed = setup::user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    let al = setup::user(store, &user_named("al")).await;
    setup::membership(store, al, &project_id("a"), in_project.id).await;
    store.delete_user(ed, &event(EventKind::UserDeleted)).await.expect("removed");
    store.delete_project(&project_removal("a")).await.expect("removed");
    delete(store, root.id).await.expect("the holder is deleted");
    delete(store, in_project.id).await.expect("the project is deleted");
}

/// A root role applies to the instance, a project role to projects.
pub async fn a_custom_role_is_assigned_only_where_its_kind_allows(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = setup::role(store, &root_role("root", &[Permission::CreateProject])).await;
    let in_project = create_ci_role(store).await;
    let new = NewUser { root_role: in_project.id, ..user_named("ed") };
    let created = user_created(&new);
    let refused = expect_error(store, store.create_user(&new, None, &created)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::Role(in_project.id)));
    let ed: UserId = setup::user(store, &NewUser { root_role: root.id, ..new }).await;
    let wrong = memberships(&[ed], &project_id("default"), &[root.id]);
    let added = event(EventKind::ProjectAccessAdded);
    let refused = expect_error(store, store.add_memberships(&wrong, &added)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::Role(root.id)));
    let refused = expect_error(store, store.replace_memberships(&wrong, &added)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::Role(root.id)));
    setup::membership(store, ed, &project_id("default"), in_project.id).await;
    setup::membership(store, ed, &project_id("default"), MEMBER).await;
    let member = built_in_role(MEMBER);
    let held = [(project_id("default"), &in_project), (project_id("default"), &member)];
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(Grants::of_roles(&root, held)));
}

/// Of 20 concurrent roles with the same name, and of 30 concurrent updates of the same state, one succeeds.
pub async fn one_of_concurrent_changes_of_a_role_succeeds(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        let new = NewRole { description: description(&format!("by {call}")), ..project_role("CI") };
        async move { create(store.as_ref(), &new).await.map(|(id, _)| new.with_id(id)) }
    });
    let role = exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::RoleName), calls).await;
    assert_stored(store.as_ref(), &role).await;
    let calls = (0..30).map(|call| {
        let (store, before) = (Arc::clone(store), role.clone());
        let permissions = project_permissions().into_iter().skip(call % 5).collect();
        let after = Role { description: description(&format!("now by {call}")), permissions, ..role.clone() };
        async move { update(store.as_ref(), &before, &after).await.map(|_| after) }
    });
    let after = exactly_one_succeeds(store.as_ref(), ErrorKind::Stale(Entity::Role(role.id)), calls).await;
    assert_stored(store.as_ref(), &after).await;
}

/// While roles are created and deleted, a reader sees each role with all its permissions.
pub async fn a_role_is_read_with_all_its_permissions_under_concurrency(store: &Arc<dyn Store>) {
    let calls = (0..80).map(|number| {
        let store = Arc::clone(store);
        async move {
            if number % 2 == 0 {
                let new = project_role(&format!("r{number}"));
                let (id, _) = create(store.as_ref(), &new).await.expect("a role is created");
                if number % 4 == 0 {
                    delete(store.as_ref(), id).await.expect("a role is removed");
                }
            }
            store.roles().await.expect("roles")
        }
    });
    for roles in run_concurrently(calls).await {
        let mut made = roles.iter().filter(|role| role.name.as_str().starts_with('r'));
        assert!(made.all(|role| role.permissions == project_role("r").permissions), "{roles:?}");
    }
}
