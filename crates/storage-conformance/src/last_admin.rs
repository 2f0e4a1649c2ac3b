//! The last user with the root role Admin stays: without one, no user could grant access.

use std::sync::Arc;

use latchkey_domain::{AccountKind, EventId, EventKind, NewUser, PersonName, Role, User};
use latchkey_ports::{Entity, Page, Store, StoreError};

use crate::{
    event_log::latest_event,
    harness::{ErrorKind, all_events, expect_error, expect_event, partition_results, run_concurrently},
    samples::{
        EDITOR, OWNER, VIEWER, admin, event, password, project_id, service_account, user_created, user_named,
    },
    setup,
};

async fn delete(store: &dyn Store, user: &User) -> Result<EventId, StoreError> {
    store.delete_user(user.id, &event(EventKind::UserDeleted)).await
}

async fn demote(store: &dyn Store, user: &User) -> Result<EventId, StoreError> {
    let after = User { root_role: VIEWER, ..user.clone() };
    store.update_user(user, &after, &event(EventKind::UserUpdated)).await
}

async fn create_two_admins(store: &dyn Store) -> Vec<User> {
    let people = store.users(AccountKind::Person, Page::default()).await.expect("users");
    people.into_iter().filter(|user| user.root_role == Role::ADMIN).collect()
}

async fn assert_last_admin(store: &dyn Store, user: &User) {
    assert_eq!(expect_error(store, delete(store, user)).await, ErrorKind::LastAdmin);
    assert_eq!(expect_error(store, demote(store, user)).await, ErrorKind::LastAdmin);
}

/// Editors, owners and service accounts with the Admin role do not count as another admin.
pub async fn the_last_admin_cannot_be_deleted_or_demoted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let last = setup::stored_user(store, &admin("last")).await;
    assert_last_admin(store, &last).await;
    let editor = setup::user(store, &NewUser { root_role: EDITOR, ..user_named("editor") }).await;
    setup::membership(store, editor, &project_id("default"), OWNER).await;
    setup::user(store, &NewUser { root_role: Role::ADMIN, ..service_account("bot") }).await;
    assert_last_admin(store, &last).await;
}

/// All but one can be deleted or demoted; the last one stays.
pub async fn all_admins_but_one_can_be_deleted_or_demoted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d"] {
        users.push(setup::stored_user(store, &admin(name)).await);
    }
    expect_event(store, &event(EventKind::UserDeleted), delete(store, &users[3])).await;
    expect_event(store, &event(EventKind::UserUpdated), demote(store, &users[0])).await;
    expect_event(store, &event(EventKind::UserDeleted), delete(store, &users[1])).await;
    assert_last_admin(store, &users[2]).await;
    // A demoted user does not count as an admin.
    let demoted = User { root_role: VIEWER, ..users[0].clone() };
    delete(store, &demoted).await.expect("removed");
    assert_last_admin(store, &users[2]).await;
}

/// Once another admin exists, the first can be deleted.
pub async fn an_admin_with_a_successor_can_be_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let previous = setup::stored_user(store, &admin("old")).await;
    let new = setup::stored_user(store, &user_named("new")).await;
    assert_last_admin(store, &previous).await;
    let promoted = User { root_role: Role::ADMIN, ..new.clone() };
    store.update_user(&new, &promoted, &event(EventKind::UserUpdated)).await.expect("promoted");
    demote(store, &previous).await.expect("demoted");
    assert_last_admin(store, &promoted).await;
}

/// All other fields of the last admin can change, with or without a password.
pub async fn the_last_admin_can_be_updated(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = admin("last");
    let created = store.create_user(&new, Some(password(1)), &user_created(&new)).await;
    let last = new.with_id(created.expect("created").0);
    let after = User { name: Some(PersonName::new("Ed").expect("a name")), ..last.clone() };
    store.update_user(&last, &after, &event(EventKind::UserUpdated)).await.expect("changed");
    setup::user(store, &admin("without a password")).await;
    delete(store, &after).await.expect("another admin exists");
}

/// Service accounts and other users can be deleted when no admin exists.
pub async fn other_users_can_be_deleted_without_an_admin(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = setup::stored_user(store, &NewUser { root_role: Role::ADMIN, ..service_account("bot") }).await;
    let other = setup::stored_user(store, &service_account("other")).await;
    let ed = setup::stored_user(store, &user_named("ed")).await;
    demote(store, &bot).await.expect("demoted");
    for user in [bot, other, ed] {
        delete(store, &user).await.expect("removed");
    }
}

/// A stale update is reported before the last admin, and the last admin before a conflicting name.
pub async fn the_last_admin_is_reported_after_stale_and_before_conflict(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let last = setup::stored_user(store, &admin("last")).await;
    setup::user(store, &user_named("taken")).await;
    let seen = User { name: Some(PersonName::new("Ed").expect("a name")), ..last.clone() };
    let after = User { root_role: VIEWER, identity: user_named("taken").identity, ..last.clone() };
    let change = async |before: &User| {
        expect_error(store, store.update_user(before, &after, &event(EventKind::UserUpdated))).await
    };
    assert_eq!(change(&seen).await, ErrorKind::Stale(Entity::User(last.id)));
    assert_eq!(change(&last).await, ErrorKind::LastAdmin);
}

/// Deletes or demotes this many admins concurrently.
async fn remove_concurrently(store: &Arc<dyn Store>, count: usize, removes: impl Fn(usize) -> bool) {
    let mut users = create_two_admins(store.as_ref()).await;
    while users.len() < count {
        let EventId(number) = latest_event(store.as_ref()).await;
        users.push(setup::stored_user(store.as_ref(), &admin(&format!("u{number}"))).await);
    }
    let before = all_events(store.as_ref()).await.len();
    let calls = users.into_iter().enumerate().map(|(number, user)| {
        let (store, removes) = (Arc::clone(store), removes(number));
        async move {
            if removes { delete(store.as_ref(), &user).await } else { demote(store.as_ref(), &user).await }
        }
    });
    let (done, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!((done.len(), refused), (count - 1, vec![ErrorKind::LastAdmin]));
    assert_eq!(create_two_admins(store.as_ref()).await.len(), 1, "one stays");
    assert_eq!(all_events(store.as_ref()).await.len() - before, done.len());
}

/// Two admins are deleted, demoted, or one each; one stays in every round.
pub async fn one_of_two_admins_removed_concurrently_stays(store: &Arc<dyn Store>) {
    for _ in 0..5 {
        remove_concurrently(store, 2, |_| true).await;
        remove_concurrently(store, 2, |_| false).await;
        remove_concurrently(store, 2, |number| number == 0).await;
    }
}

/// Of 30 admins removed concurrently, one stays.
pub async fn one_of_thirty_admins_removed_concurrently_stays(store: &Arc<dyn Store>) {
    remove_concurrently(store, 30, |number| number % 2 == 0).await;
}
