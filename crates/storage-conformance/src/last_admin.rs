//! Of the people whose root role is Admin, one stays: else nobody could let anybody in any more.

use std::sync::Arc;

use latchkey_domain::{AccountKind, EventId, EventKind, NewUser, PersonName, Role, User};
use latchkey_ports::{Entity, Page, Store, StoreError};

use crate::{
    at_once::at_once,
    given,
    observed::{ServiceError, all_events, leaves, refusal, sorted},
    samples::{
        EDITOR, OWNER, VIEWER, admin, event, password, project_id, service_account, user_created, user_named,
    },
};

async fn remove(store: &dyn Store, user: &User) -> Result<EventId, StoreError> {
    store.delete_user(user.id, &event(EventKind::UserDeleted)).await
}

async fn demote(store: &dyn Store, user: &User) -> Result<EventId, StoreError> {
    let after = User { root_role: VIEWER, ..user.clone() };
    store.update_user(user, &after, &event(EventKind::UserUpdated)).await
}

async fn admins(store: &dyn Store) -> Vec<User> {
    let people = store.users(AccountKind::Person, Page::default()).await.expect("users");
    people.into_iter().filter(|user| user.root_role == Role::ADMIN).collect()
}

async fn stays(store: &dyn Store, user: &User) {
    assert_eq!(refusal(store, remove(store, user)).await, ServiceError::LastAdmin);
    assert_eq!(refusal(store, demote(store, user)).await, ServiceError::LastAdmin);
}

/// The only Admin is neither removed nor demoted, whoever else is there: editors, owners, service accounts that are
/// Admins.
pub async fn the_last_one_stays(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let last = given::whole_user(store, &admin("last")).await;
    stays(store, &last).await;
    let editor = given::user(store, &NewUser { root_role: EDITOR, ..user_named("editor") }).await;
    given::membership(store, editor, &project_id("default"), OWNER).await;
    given::user(store, &NewUser { root_role: Role::ADMIN, ..service_account("bot") }).await;
    stays(store, &last).await;
}

/// All but one can go, in whichever way, and then the one stays.
pub async fn all_but_one_can_go(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d"] {
        users.push(given::whole_user(store, &admin(name)).await);
    }
    leaves(store, &event(EventKind::UserDeleted), remove(store, &users[3])).await;
    leaves(store, &event(EventKind::UserUpdated), demote(store, &users[0])).await;
    leaves(store, &event(EventKind::UserDeleted), remove(store, &users[1])).await;
    stays(store, &users[2]).await;
    // Who was demoted is nobody's last Admin.
    let demoted = User { root_role: VIEWER, ..users[0].clone() };
    remove(store, &demoted).await.expect("removed");
    stays(store, &users[2]).await;
}

/// Once there is another, the first can go.
pub async fn a_new_one_lets_the_old_go(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let old = given::whole_user(store, &admin("old")).await;
    let new = given::whole_user(store, &user_named("new")).await;
    stays(store, &old).await;
    let promoted = User { root_role: Role::ADMIN, ..new.clone() };
    store.update_user(&new, &promoted, &event(EventKind::UserUpdated)).await.expect("promoted");
    demote(store, &old).await.expect("demoted");
    stays(store, &promoted).await;
}

/// Everything else of the last one changes; whether there is a password does not matter.
pub async fn the_last_one_may_change(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = admin("last");
    let created = store.create_user(&new, Some(password(1)), &user_created(&new)).await;
    let last = new.with_id(created.expect("created").0);
    let after = User { name: Some(PersonName::new("Ed").expect("a name")), ..last.clone() };
    store.update_user(&last, &after, &event(EventKind::UserUpdated)).await.expect("changed");
    given::user(store, &admin("without a password")).await;
    remove(store, &after).await.expect("another one is left");
}

/// Service accounts and others go when there is no Admin at all.
pub async fn others_go_without_any(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = given::whole_user(store, &NewUser { root_role: Role::ADMIN, ..service_account("bot") }).await;
    let other = given::whole_user(store, &service_account("other")).await;
    let ed = given::whole_user(store, &user_named("ed")).await;
    demote(store, &bot).await.expect("demoted");
    for user in [bot, other, ed] {
        remove(store, &user).await.expect("removed");
    }
}

/// A change that somebody else was faster with is named as such before the last Admin is, and that before a name that
/// is taken.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let last = given::whole_user(store, &admin("last")).await;
    given::user(store, &user_named("taken")).await;
    let seen = User { name: Some(PersonName::new("Ed").expect("a name")), ..last.clone() };
    let after = User { root_role: VIEWER, identity: user_named("taken").identity, ..last.clone() };
    let change = async |before: &User| {
        refusal(store, store.update_user(before, &after, &event(EventKind::UserUpdated))).await
    };
    assert_eq!(change(&seen).await, ServiceError::Stale(Entity::User(last.id)));
    assert_eq!(change(&last).await, ServiceError::LastAdmin);
}

/// So many Admins all go at once, each in one way or the other.
async fn all_at_once(store: &Arc<dyn Store>, count: usize, removes: impl Fn(usize) -> bool) {
    let mut users = admins(store.as_ref()).await;
    while users.len() < count {
        let EventId(number) = store.latest_event().await.expect("a number");
        users.push(given::whole_user(store.as_ref(), &admin(&format!("u{number}"))).await);
    }
    let before = all_events(store.as_ref()).await.len();
    let calls = users.into_iter().enumerate().map(|(number, user)| {
        let (store, removes) = (Arc::clone(store), removes(number));
        async move {
            if removes { remove(store.as_ref(), &user).await } else { demote(store.as_ref(), &user).await }
        }
    });
    let (done, refused) = sorted(at_once(calls).await);
    assert_eq!((done.len(), refused), (count - 1, vec![ServiceError::LastAdmin]));
    assert_eq!(admins(store.as_ref()).await.len(), 1, "one stays");
    assert_eq!(all_events(store.as_ref()).await.len() - before, done.len());
}

/// Of two who go at once, by removal, demotion or one each, one stays; again and again.
pub async fn two_at_once(store: &Arc<dyn Store>) {
    for _ in 0..5 {
        all_at_once(store, 2, |_| true).await;
        all_at_once(store, 2, |_| false).await;
        all_at_once(store, 2, |number| number == 0).await;
    }
}

/// Of 30 who go at once, one stays.
pub async fn thirty_at_once(store: &Arc<dyn Store>) {
    all_at_once(store, 30, |number| number % 2 == 0).await;
}
