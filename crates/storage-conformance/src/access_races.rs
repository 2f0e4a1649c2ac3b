//! Removals of roles, users and projects while roles are given: what is held is there, and nothing is held of what is gone.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, NewUser, RoleId, User, UserId};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    at_once::at_once,
    given,
    observed::{ServiceError, sorted},
    samples::{
        MEMBER, VIEWER, event, memberships, moment, project_id, project_removal, project_role, root_role,
        user_created, user_named,
    },
};

/// A role that is removed while it is given to somebody: it is held, or it is gone.
pub async fn a_role_and_its_holders(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let role = given::role(store.as_ref(), &project_role(&format!("role {round}"))).await.id;
        let ed = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..3).map(|call| (call + round) % 3).map(|call| {
            let store = Arc::clone(store);
            async move { give_or_remove(store.as_ref(), call, ed, role).await }
        });
        let (_, refused) = sorted(at_once(calls).await);
        let allowed = [ServiceError::InUse(Entity::Role(role)), ServiceError::NotFound(Entity::Role(role))];
        assert!(
            refused
                .iter()
                .all(|one| allowed.contains(one) || *one == ServiceError::Conflict(Entity::Membership))
        );
        let there = store.find_role(role).await.expect("a look-up").is_some();
        let held = store.roles_in_project(ed, &project_id("default")).await.expect("roles");
        assert_eq!(held, if there { vec![role] } else { vec![] });
    }
}

async fn give_or_remove(
    store: &dyn Store,
    call: u32,
    ed: UserId,
    role: RoleId,
) -> Result<EventId, StoreError> {
    let memberships = memberships(&[ed], &project_id("default"), &[role]);
    match call {
        0 => store.delete_role(role, &event(EventKind::RoleDeleted)).await,
        1 => store.add_memberships(&memberships, &event(EventKind::ProjectAccessAdded)).await,
        _ => store.replace_memberships(&memberships, &event(EventKind::ProjectAccessUpdated)).await,
    }
}

/// A root role that is removed while a user is made with it, and another changes to it: it is held, or it is gone.
pub async fn a_root_role_and_its_holders(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let role = given::role(store.as_ref(), &root_role(&format!("role {round}"), &[])).await.id;
        let ed = given::whole_user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..3).map(|call| (call + round) % 3).map(|call| {
            let (store, ed) = (Arc::clone(store), ed.clone());
            async move {
                match call {
                    0 => store.delete_role(role, &event(EventKind::RoleDeleted)).await,
                    1 => {
                        let new = NewUser { root_role: role, ..user_named(&format!("new {round}")) };
                        store.create_user(&new, None, &user_created(&new)).await.map(|(_, event)| event)
                    }
                    _ => {
                        let after = User { root_role: role, ..ed.clone() };
                        store.update_user(&ed, &after, &event(EventKind::UserUpdated)).await
                    }
                }
            }
        });
        let (_, refused) = sorted(at_once(calls).await);
        let allowed = [ServiceError::InUse(Entity::Role(role)), ServiceError::NotFound(Entity::Role(role))];
        assert!(refused.iter().all(|one| allowed.contains(one)), "{refused:?}");
        let there = store.find_role(role).await.expect("a look-up").is_some();
        let new = store.find_account_by_login(&format!("new {round}")).await.expect("a look-up");
        assert_eq!(new.is_some(), there, "whoever was made holds a role that is there");
        let now = store.find_user(ed.id).await.expect("a look-up").expect("the user").root_role;
        assert_eq!(now, if there { role } else { VIEWER });
        store.grants_of(ed.id).await.expect("grants").expect("the user");
    }
}

/// A project that is removed while roles are given in it, and a user who is removed while roles are given to them: nothing
/// of it is left.
pub async fn a_project_and_its_members(store: &Arc<dyn Store>) {
    for round in 0..15 {
        let id = format!("p{round}");
        given::projects(store.as_ref(), &[&id]).await;
        let ed = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..4).map(|call| (call + round) % 4).map(|call| {
            let (store, id) = (Arc::clone(store), id.clone());
            let mut memberships = memberships(&[ed], &project_id(&id), &[MEMBER]);
            memberships.at = moment(call);
            async move {
                match call {
                    0 => store.delete_project(&project_removal(&id)).await,
                    1 => store.delete_user(ed, &event(EventKind::UserDeleted)).await,
                    2 => store.add_memberships(&memberships, &event(EventKind::ProjectAccessAdded)).await,
                    _ => {
                        store.replace_memberships(&memberships, &event(EventKind::ProjectAccessUpdated)).await
                    }
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        assert!(done.len() >= 2, "{refused:?}");
        let gone = [Entity::Project(project_id(&id)), Entity::User(ed)].map(ServiceError::NotFound);
        assert!(
            refused
                .iter()
                .all(|one| gone.contains(one) || *one == ServiceError::Conflict(Entity::Membership))
        );
        assert_eq!(store.roles_in_project(ed, &project_id(&id)).await.expect("roles"), []);
        given::projects(store.as_ref(), &[&id]).await;
        assert_eq!(store.members(&project_id(&id)).await.expect("members"), []);
    }
}
