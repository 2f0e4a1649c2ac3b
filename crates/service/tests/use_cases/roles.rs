//! Roles of an administrator's making.

use std::collections::BTreeSet;

use latchkey_domain::{EventKind, Permission as P, Role, RoleDescription, RoleId, RoleKind, RoleName};
use latchkey_ports::{Entity, StoreError};
use latchkey_service::{
    Caller, Field, Missing, Permit, RoleChange, RoleDraft, RoleReference, ServiceError, UpdateProject,
};

use crate::support::{TestEnv, project_id, system};

fn reader() -> RoleDraft {
    RoleDraft {
        name: RoleName::new("Reader").expect("a name"),
        kind: RoleKind::Custom,
        description: RoleDescription::new("").expect("empty"),
        permissions: BTreeSet::from([P::ReadProjectApiToken]),
    }
}

#[tokio::test]
async fn a_role_is_made_changed_and_removed_with_an_event_each() {
    let env = TestEnv::new();
    let roles = &env.use_cases.roles;
    let made = roles.create(&system(), reader()).await.expect("created");
    assert!(made.id > RoleId(5));
    let change = RoleChange { name: RoleName::new("Lector").ok(), ..RoleChange::default() };
    let changed = roles.update(&system(), made.id, &change).await.expect("changed");
    assert_eq!((changed.name.as_str(), changed.permissions), ("Lector", made.permissions));
    roles.update(&system(), made.id, &change).await.expect("to what it is: no event");
    roles.delete(&system(), made.id).await.expect("deleted");
    let gone = roles.get(&Caller::system(), made.id).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(Missing::Role))), "{gone:?}");
    let expected = [EventKind::RoleCreated, EventKind::RoleUpdated, EventKind::RoleDeleted];
    assert_eq!(env.kinds_since(0).await, expected);
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    let env = TestEnv::new();
    let roles = &env.use_cases.roles;
    for role in Role::built_in() {
        let change = RoleChange { name: RoleName::new("Mine").ok(), ..RoleChange::default() };
        assert!(matches!(
            roles.update(&system(), role.id, &change).await,
            Err(ServiceError::NotPermitted(_))
        ));
        assert!(matches!(roles.delete(&system(), role.id).await, Err(ServiceError::NotPermitted(_))));
    }
    let taken = RoleDraft { name: RoleName::new("Owner").expect("a name"), ..reader() };
    let refused = roles.create(&system(), taken).await;
    assert!(matches!(refused, Err(ServiceError::Exists(Entity::RoleName))), "{refused:?}");
    let built_in = RoleDraft { kind: RoleKind::Root, ..reader() };
    let refused = roles.create(&system(), built_in).await;
    assert!(
        matches!(refused, Err(ServiceError::Invalid { field: Some(Field::Body("type")), .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_role_holds_what_its_kind_can() {
    let env = TestEnv::new();
    for (kind, permission) in
        [(RoleKind::Custom, P::CreateProject), (RoleKind::Custom, P::Admin), (RoleKind::RootCustom, P::Admin)]
    {
        let draft = RoleDraft { kind, permissions: BTreeSet::from([permission]), ..reader() };
        let refused = env.use_cases.roles.create(&system(), draft).await;
        let is_told =
            matches!(refused, Err(ServiceError::Invalid { field: Some(Field::Body("permissions")), .. }));
        assert!(is_told, "{kind:?} {permission}: {refused:?}");
    }
}

#[tokio::test]
async fn a_changed_role_applies_to_its_holders_at_once() {
    let env = TestEnv::new();
    let user = env.user("ed", "Viewer").await;
    let role = env.use_cases.roles.create(&system(), reader()).await.expect("created");
    let permit = Permit::<UpdateProject>::request(&Caller::system(), project_id("default")).expect("all");
    let given = [RoleReference::Id(role.id)];
    env.use_cases.members.add(&permit, vec![user.id], vec![], &given).await.expect("given");
    env.use_cases.follow_changes().await.expect("followed");
    assert_eq!(env.signed_in("ed").await.grants().iter().count(), 1);
    let held = env.use_cases.roles.delete(&system(), role.id).await;
    assert!(matches!(held, Err(ServiceError::Invalid { .. })), "{held:?}");
    let change = RoleChange { permissions: Some(BTreeSet::new()), ..RoleChange::default() };
    env.use_cases.roles.update(&system(), role.id, &change).await.expect("changed");
    assert_eq!(env.signed_in("ed").await.grants().iter().count(), 0);
    assert!(StoreError::LastAdmin.to_string().contains("Admin"));
}

#[tokio::test]
async fn a_role_keeps_its_kind() {
    let env = TestEnv::new();
    let roles = &env.use_cases.roles;
    let made = roles.create(&system(), reader()).await.expect("created");
    let change = |kind| RoleChange { kind: Some(kind), ..RoleChange::default() };
    roles.update(&system(), made.id, &change(RoleKind::Custom)).await.expect("to what it is");
    let refused = roles.update(&system(), made.id, &change(RoleKind::RootCustom)).await;
    assert!(
        matches!(refused, Err(ServiceError::Invalid { field: Some(Field::Body("type")), .. })),
        "{refused:?}"
    );
    assert_eq!(roles.get(&Caller::system(), made.id).await.expect("there"), made);
}
