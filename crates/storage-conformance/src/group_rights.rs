//! What groups permit: the rights of a user are the union of the user's own and those of the user's groups, wherever they
//! are read.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{
    EventKind, Grants, Group, NewGroup, NewRole, NewUser, Permission, ProjectId, Role, UserId,
};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    harness::{ErrorKind, expect_error},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, built_in_role, digest, event, group, group_memberships, moment,
        project_id, project_role, root_role, session, user_named,
    },
    setup,
};

/// A group with what it gives, as the case knows it.
struct Known {
    group: Group,
    root: Option<Role>,
    in_projects: Vec<(ProjectId, Role)>,
}

impl Known {
    fn grants(&self) -> Grants {
        let held = self.in_projects.iter().map(|(project, role)| (project.clone(), role));
        Grants::of_group(self.root.as_ref(), held)
    }
}

fn own_grants() -> Grants {
    Grants::of_roles(&built_in_role(VIEWER), [(project_id("default"), &built_in_role(MEMBER))])
}

/// Creates four groups that overlap in what they give: nothing, a root role, roles in projects, both.
async fn create_groups(store: &dyn Store) -> Vec<Known> {
    setup::projects(store, &["a", "b"]).await;
    let root = setup::role(store, &root_role("root", &[Permission::ReadClientApiToken])).await;
    let permissions = BTreeSet::from([Permission::DeleteProject]);
    let own = setup::role(store, &NewRole { permissions, ..project_role("own") }).await;
    let (member, owner) = (built_in_role(MEMBER), built_in_role(OWNER));
    let in_projects = |held: &[(&str, &Role)]| -> Vec<(ProjectId, Role)> {
        held.iter().map(|(project, role)| (project_id(project), (*role).clone())).collect()
    };
    let kinds = [
        (None, vec![]),
        (Some(root.clone()), vec![]),
        (None, in_projects(&[("a", &member), ("b", &own), ("default", &member)])),
        (Some(built_in_role(EDITOR)), in_projects(&[("a", &owner), ("a", &own)])),
    ];
    let mut known = Vec::new();
    for (number, (root, in_projects)) in kinds.into_iter().enumerate() {
        let new =
            NewGroup { root_role: root.as_ref().map(|role| role.id), ..group(&format!("g{number}"), &[]) };
        let made = setup::group(store, &new).await;
        for (project, role) in &in_projects {
            setup::group_role(store, made.id, project.as_str(), role.id).await;
        }
        known.push(Known { group: made, root, in_projects });
    }
    known
}

/// Creates a user for each set of groups, and returns the users in the order of the sets as binary numbers.
async fn create_users(store: &dyn Store, known: &mut [Known]) -> Vec<UserId> {
    let mut users = Vec::new();
    for set in 0..1_u32 << known.len() {
        let user = setup::user(store, &user_named(&format!("u{set}"))).await;
        setup::membership(store, user, &project_id("default"), MEMBER).await;
        users.push(user);
    }
    for (number, known) in known.iter_mut().enumerate() {
        let is_in = |set: u32| set & (1 << number) != 0;
        let before = known.group.clone();
        let members = (0..).zip(&users).filter(|(set, _)| is_in(*set)).map(|(_, user)| (*user, moment(3)));
        known.group.members = members.collect();
        let changed = event(EventKind::GroupUpdated);
        store.update_group(&before, &known.group, &changed).await.expect("updated");
    }
    users
}

/// Returns the union of a user's own rights and those of the groups that the user is in.
fn expected(user: UserId, known: &[Known]) -> Grants {
    let own = known.iter().filter(|known| known.group.members.contains_key(&user));
    own.map(Known::grants).fold(own_grants(), Grants::with_group)
}

async fn assert_rights(store: &dyn Store, users: &[UserId], known: &[Known]) {
    for user in users {
        let grants = store.grants_of(*user).await.expect("grants");
        assert_eq!(grants, Some(expected(*user, known)), "user {user}");
    }
}

/// For every set of groups, a member has the union of what the groups give; without one of them, exactly what the others
/// give.
pub async fn rights_are_the_union_of_the_parts(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut known = create_groups(store).await;
    let users = create_users(store, &mut known).await;
    assert_eq!(users.len(), 16);
    assert_rights(store, &users, &known).await;
    while let Some(gone) = known.pop() {
        let deleted = event(EventKind::GroupDeleted);
        store.delete_group(gone.group.id, &deleted).await.expect("removed");
        assert_rights(store, &users, &known).await;
    }
    for user in users {
        assert_eq!(store.grants_of(user).await.expect("grants"), Some(own_grants()));
    }
}

/// A change of a group, of its roles in a project, or of the permissions of its role changes the rights of its members, and
/// of no other user.
pub async fn each_change_of_a_group_changes_what_members_may(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    let viewer = Grants::of_roles(&built_in_role(VIEWER), []);
    let of = async |user| store.grants_of(user).await.expect("grants").expect("the user");
    let default = project_id("default");
    let role = setup::role(store, &root_role("root", &[Permission::CreateProject])).await;
    let before = setup::group(store, &group("g", &[ed])).await;
    assert_eq!(of(ed).await, viewer);

    let with_role = Group { root_role: Some(role.id), ..before.clone() };
    let updated = event(EventKind::GroupUpdated);
    store.update_group(&before, &with_role, &updated).await.expect("updated");
    assert_eq!(of(ed).await, viewer.clone().with_group(Grants::of_roles(&role, [])));
    let wider = Role { permissions: [Permission::ReadClientApiToken].into(), ..role.clone() };
    store.update_role(&role, &wider, &event(EventKind::RoleUpdated)).await.expect("updated");
    assert_eq!(of(ed).await, viewer.clone().with_group(Grants::of_roles(&wider, [])));
    store.update_group(&with_role, &before, &updated).await.expect("updated");
    assert_eq!(of(ed).await, viewer);

    let member = built_in_role(MEMBER);
    setup::group_role(store, before.id, "default", MEMBER).await;
    let in_default = Grants::of_group(None, [(default.clone(), &member)]);
    assert_eq!(of(ed).await, viewer.clone().with_group(in_default.clone()));
    assert_eq!(of(al).await, viewer);
    let moved = Group { members: [(al, moment(3))].into(), ..before.clone() };
    store.update_group(&before, &moved, &updated).await.expect("updated");
    assert_eq!((of(ed).await, of(al).await), (viewer.clone(), viewer.clone().with_group(in_default)));
    let none = group_memberships(&[before.id], &default, &[]);
    let removed = event(EventKind::ProjectGroupAccessRemoved);
    store.replace_memberships(&none, &removed).await.expect("replaced");
    assert_eq!(of(al).await, viewer);
}

/// Tokens and sessions of a member are found with the rights of the groups.
pub async fn credentials_have_the_rights_of_groups(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    setup::personal_token(store, ed, "ci", 1).await;
    setup::session(store, &session(2, ed), 2).await;
    let made = setup::group(store, &NewGroup { root_role: Some(EDITOR), ..group("g", &[ed]) }).await;
    let both = async || {
        let token = store.find_personal_token_by_digest(&[digest(1)]).await.expect("a lookup");
        let session = store.find_session_by_digest(&[digest(2)]).await.expect("a lookup");
        [token.expect("the token").grants, session.expect("the session").grants]
    };
    let (viewer, editor) = (built_in_role(VIEWER), built_in_role(EDITOR));
    let expected = Grants::of_roles(&viewer, []).with_group(Grants::of_roles(&editor, []));
    assert_eq!(both().await, [expected.clone(), expected]);
    store.delete_group(made.id, &event(EventKind::GroupDeleted)).await.expect("removed");
    let own = Grants::of_roles(&viewer, []);
    assert_eq!(both().await, [own.clone(), own]);
}

/// A user with the role Admin by a group alone is not the last Admin: a person keeps the role.
pub async fn an_admin_by_a_group_is_not_the_last_admin(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = setup::user(store, &NewUser { root_role: ADMIN, ..user_named("root") }).await;
    let ed = setup::user(store, &user_named("ed")).await;
    setup::group(store, &NewGroup { root_role: Some(ADMIN), ..group("admins", &[ed]) }).await;
    let refused = store.delete_user(root, &event(EventKind::UserDeleted)).await;
    assert!(matches!(refused, Err(StoreError::LastAdmin)), "{refused:?}");
}

/// A role stays while a group has it, for the instance or in a project.
pub async fn a_role_of_a_group_cannot_be_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let root = setup::role(store, &root_role("root", &[Permission::CreateProject])).await.id;
    let in_project = setup::role(store, &project_role("CI")).await.id;
    let made = setup::group(store, &NewGroup { root_role: Some(root), ..group("a", &[]) }).await;
    setup::group_role(store, made.id, "default", in_project).await;
    let deletion = event(EventKind::RoleDeleted);
    for role in [root, in_project] {
        let refused = expect_error(store, store.delete_role(role, &deletion)).await;
        assert_eq!(refused, ErrorKind::InUse(Entity::Role(role)));
    }
    store.delete_group(made.id, &event(EventKind::GroupDeleted)).await.expect("removed");
    for role in [root, in_project] {
        store.delete_role(role, &deletion).await.expect("the role is held by no group");
    }
}
