//! Roles of an administrator's making: made, found, changed and removed.

use std::sync::Arc;

use latchkey_domain::{
    EventId, EventKind, Grants, NewRole, NewUser, Permission, Role, RoleDescription, RoleId, RoleKind,
    RoleName, User, UserId,
};
use latchkey_ports::{Entity, Store, StoreError, fresh};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, leaves, refusal},
    samples::{
        MEMBER, VIEWER, built_in_role, event, memberships, project_id, project_removal, project_role,
        role_created, root_role, user_created, user_named,
    },
};

async fn create(store: &dyn Store, role: &NewRole) -> Result<(RoleId, EventId), StoreError> {
    store.create_role(role, &role_created(role)).await
}

async fn change(store: &dyn Store, before: &Role, after: &Role) -> Result<EventId, StoreError> {
    store.update_role(before, after, &event(EventKind::RoleUpdated)).await
}

async fn remove(store: &dyn Store, id: RoleId) -> Result<EventId, StoreError> {
    store.delete_role(id, &event(EventKind::RoleDeleted)).await
}

async fn is_there(store: &dyn Store, role: &Role) {
    assert_eq!(store.find_role(role.id).await.expect("a look-up").as_ref(), Some(role));
    assert!(store.roles().await.expect("roles").contains(role));
}

fn name(text: &str) -> RoleName {
    RoleName::new(text).expect("a role name")
}

fn description(text: &str) -> RoleDescription {
    RoleDescription::new(text).expect("a description")
}

fn in_projects() -> Vec<Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(|permission| RoleKind::Custom.may_hold(*permission).is_ok()).collect()
}

/// Roles of both kinds, with the fewest and the most of everything, are read back equal, each with its event, to which
/// the store adds the id that it gave; the built-in ones stay.
pub async fn every_sort_is_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let longest = NewRole {
        name: name(&"🎉".repeat(100)),
        description: description(&"日本語 שלום\n\t'\"\\%_".repeat(125)),
        ..root_role("longest", Permission::ALL)
    };
    let allowing = NewRole { permissions: in_projects().into_iter().collect(), ..project_role("allowing") };
    let silent = NewRole { description: description(""), ..project_role("silent") };
    let mut expected = fresh::roles().to_vec();
    for new in [longest, allowing, silent, root_role("one", &[Permission::CreateProject])] {
        let last = store.latest_event().await.expect("a number");
        let (id, number) = create(store, &new).await.expect("created");
        assert!(id > fresh::roles()[4].id, "{id} is not behind the built-in ones");
        let role = new.clone().with_id(id);
        is_there(store, &role).await;
        let events = store.events_after(last, 10).await.expect("events");
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].id, &events[0].record), (number, &role_created(&new).with_assigned_id(id.0)));
        expected.push(role);
    }
    assert_eq!(store.roles().await.expect("roles"), expected);
}

/// A built-in role is found like any other; one that is not there is not.
pub async fn a_role_is_found_by_its_id(store: &Arc<dyn Store>) {
    for role in fresh::roles() {
        is_there(store.as_ref(), &role).await;
    }
    for unknown in [0, -1, 6, 99, i64::MAX, i64::MIN].map(RoleId) {
        assert_eq!(store.find_role(unknown).await.expect("a look-up"), None);
    }
}

/// A name is taken once among all roles, built in or not, of either kind; case matters.
pub async fn a_name_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    create(store, &project_role("Åuditor")).await.expect("created");
    for new in
        [project_role("Åuditor"), root_role("Åuditor", &[]), root_role("Admin", &[]), project_role("Member")]
    {
        let event = role_created(&new);
        let refused = refusal(store, store.create_role(&new, &event)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::RoleName), "{}", new.name);
    }
    for other in ["åuditor", "admin", "Åuditor 2"] {
        create(store, &root_role(other, &[])).await.expect("another name");
    }
}

/// Other values for everything that can change.
fn variants(of: &Role) -> Vec<Role> {
    let of = || of.clone();
    vec![
        Role { name: name("Another"), ..of() },
        Role { description: description(""), ..of() },
        Role { permissions: in_projects().into_iter().collect(), ..of() },
        Role { permissions: [Permission::UpdateProject].into(), ..of() },
        Role { permissions: [].into(), ..of() },
    ]
}

async fn ci_role(store: &dyn Store) -> Role {
    let permissions = [Permission::ReadProjectApiToken, Permission::CreateProjectApiToken].into();
    given::role(store, &NewRole { permissions, ..project_role("CI") }).await
}

/// Each of them changes, there and back, with the event; other roles stay.
pub async fn everything_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = ci_role(store).await;
    let other = given::role(store, &root_role("other", &[Permission::CreateProject])).await;
    for changed in variants(&was) {
        for (before, after) in [(&was, &changed), (&changed, &was)] {
            leaves(store, &event(EventKind::RoleUpdated), change(store, before, after)).await;
            is_there(store, after).await;
        }
    }
    is_there(store, &other).await;
    let after =
        Role { name: name("CI/CD"), permissions: [].into(), description: description(""), ..was.clone() };
    change(store, &was, &after).await.expect("changed");
    create(store, &project_role("CI")).await.expect("the name is free");
}

/// What a role allows counts at once for all who hold it, for the instance or in a project.
pub async fn a_change_counts_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let in_project = ci_role(store).await;
    let root = given::role(store, &root_role("root", &[Permission::ReadClientApiToken])).await;
    let ed = given::user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    given::membership(store, ed, &project_id("default"), in_project.id).await;
    let new_root = Role { permissions: [Permission::CreateProject].into(), ..root.clone() };
    let new_in_project = Role { permissions: [Permission::UpdateProject].into(), ..in_project.clone() };
    change(store, &root, &new_root).await.expect("changed");
    change(store, &in_project, &new_in_project).await.expect("changed");
    let expected = Grants::of_roles(&new_root, [(project_id("default"), &new_in_project)]);
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(expected));
}

/// Where anything is not as the caller saw it, nothing changes.
pub async fn a_role_that_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = ci_role(store).await;
    for seen in variants(&kept) {
        for after in [Role { name: name("CI/CD"), ..kept.clone() }, kept.clone()] {
            let refused = refusal(store, change(store, &seen, &after)).await;
            assert_eq!(refused, ServiceError::Stale(Entity::Role(kept.id)), "{seen:?}");
        }
    }
}

/// A role that is not there is named first, then one that changed meanwhile, then a name that another role has.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = ci_role(store).await;
    let gone = given::role(store, &project_role("gone")).await;
    remove(store, gone.id).await.expect("removed");
    for role in [gone, Role { id: RoleId(i64::MAX), ..kept.clone() }] {
        let after = Role { name: name("Admin"), ..role.clone() };
        let refused = refusal(store, change(store, &role, &after)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Role(role.id)));
    }
    let after = Role { name: name("Admin"), ..kept.clone() };
    let seen = Role { description: description(""), ..kept.clone() };
    assert_eq!(
        refusal(store, change(store, &seen, &after)).await,
        ServiceError::Stale(Entity::Role(kept.id))
    );
    assert_eq!(refusal(store, change(store, &kept, &after)).await, ServiceError::Conflict(Entity::RoleName));
}

/// A role goes once nobody holds it; its name is free then, and its number is given to no other.
pub async fn a_role_goes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids: Vec<RoleId> = Vec::new();
    for _ in 0..3 {
        let role = ci_role(store).await;
        assert!(!ids.contains(&role.id), "{} was given twice", role.id);
        leaves(store, &event(EventKind::RoleDeleted), remove(store, role.id)).await;
        assert_eq!(store.find_role(role.id).await.expect("a look-up"), None);
        assert_eq!(store.roles().await.expect("roles"), fresh::roles());
        let refused = refusal(store, remove(store, role.id)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Role(role.id)));
        ids.push(role.id);
    }
    for unknown in [0, -1, i64::MAX].map(RoleId) {
        assert_eq!(
            refusal(store, remove(store, unknown)).await,
            ServiceError::NotFound(Entity::Role(unknown))
        );
    }
}

/// While anybody holds a role, for the instance or in some project, it stays.
pub async fn a_role_in_use_stays(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = given::role(store, &root_role("root", &[])).await;
    let in_project = ci_role(store).await;
    let ed = given::whole_user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    given::membership(store, ed.id, &project_id("default"), in_project.id).await;
    for id in [root.id, in_project.id] {
        assert_eq!(refusal(store, remove(store, id)).await, ServiceError::InUse(Entity::Role(id)));
    }
    let none = memberships(&[ed.id], &project_id("default"), &[MEMBER]);
    store.replace_memberships(&none, &event(EventKind::ProjectAccessUpdated)).await.expect("replaced");
    remove(store, in_project.id).await.expect("nobody holds it any more");
    let demoted = User { root_role: VIEWER, ..ed.clone() };
    store.update_user(&ed, &demoted, &event(EventKind::UserUpdated)).await.expect("changed");
    remove(store, root.id).await.expect("nobody holds it any more");
}

/// A role goes with the last user, and the last project, in which it was held.
pub async fn a_role_is_free_with_its_holder(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = given::role(store, &root_role("root", &[])).await;
    let in_project = ci_role(store).await;
    given::projects(store, &["a"]).await;
    let ed = given::user(store, &NewUser { root_role: root.id, ..user_named("ed") }).await;
    let al = given::user(store, &user_named("al")).await;
    given::membership(store, al, &project_id("a"), in_project.id).await;
    store.delete_user(ed, &event(EventKind::UserDeleted)).await.expect("removed");
    store.delete_project(&project_removal("a")).await.expect("removed");
    remove(store, root.id).await.expect("its holder is gone");
    remove(store, in_project.id).await.expect("its project is gone");
}

/// A role of one's own making is held where its kind says, and nowhere else.
pub async fn a_role_is_held_where_its_kind_says(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = given::role(store, &root_role("root", &[Permission::CreateProject])).await;
    let in_project = ci_role(store).await;
    let new = NewUser { root_role: in_project.id, ..user_named("ed") };
    let created = user_created(&new);
    let refused = refusal(store, store.create_user(&new, None, &created)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::Role(in_project.id)));
    let ed: UserId = given::user(store, &NewUser { root_role: root.id, ..new }).await;
    let wrong = memberships(&[ed], &project_id("default"), &[root.id]);
    let added = event(EventKind::ProjectAccessAdded);
    let refused = refusal(store, store.add_memberships(&wrong, &added)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::Role(root.id)));
    let refused = refusal(store, store.replace_memberships(&wrong, &added)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::Role(root.id)));
    given::membership(store, ed, &project_id("default"), in_project.id).await;
    given::membership(store, ed, &project_id("default"), MEMBER).await;
    let member = built_in_role(MEMBER);
    let held = [(project_id("default"), &in_project), (project_id("default"), &member)];
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(Grants::of_roles(&root, held)));
}

/// Of 20 roles of one name at once, there is one then; of 30 changes from the same state, one is done.
pub async fn one_wins_each_way(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|call| {
        let store = Arc::clone(store);
        let new = NewRole { description: description(&format!("by {call}")), ..project_role("CI") };
        async move { create(store.as_ref(), &new).await.map(|(id, _)| new.with_id(id)) }
    });
    let role = one_wins(store.as_ref(), ServiceError::Conflict(Entity::RoleName), calls).await;
    is_there(store.as_ref(), &role).await;
    let calls = (0..30).map(|call| {
        let (store, before) = (Arc::clone(store), role.clone());
        let permissions = in_projects().into_iter().skip(call % 5).collect();
        let after = Role { description: description(&format!("now by {call}")), permissions, ..role.clone() };
        async move { change(store.as_ref(), &before, &after).await.map(|_| after) }
    });
    let after = one_wins(store.as_ref(), ServiceError::Stale(Entity::Role(role.id)), calls).await;
    is_there(store.as_ref(), &after).await;
}

/// Whoever reads roles while others make and remove them sees each of them with all that it allows.
pub async fn a_role_is_read_whole(store: &Arc<dyn Store>) {
    let calls = (0..80).map(|number| {
        let store = Arc::clone(store);
        async move {
            if number % 2 == 0 {
                let new = project_role(&format!("r{number}"));
                let (id, _) = create(store.as_ref(), &new).await.expect("a role is created");
                if number % 4 == 0 {
                    remove(store.as_ref(), id).await.expect("a role is removed");
                }
            }
            store.roles().await.expect("roles")
        }
    });
    for roles in at_once(calls).await {
        let mut made = roles.iter().filter(|role| role.name.as_str().starts_with('r'));
        assert!(made.all(|role| role.permissions == project_role("r").permissions), "{roles:?}");
    }
}
