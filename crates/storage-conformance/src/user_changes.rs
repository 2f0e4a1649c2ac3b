//! Users that change, and users that go.

use std::sync::Arc;

use latchkey_domain::{
    EventId, EventKind, Grants, NewUser, Permission, PersonName, RoleId, User, UserId, UserIdentity,
};
use latchkey_ports::{Account, Entity, Store, StoreError};

use crate::{
    at_once::one_wins,
    given,
    observed::{ServiceError, leaves, observe, refusal},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, admin, digest, event, moment, password, project_id, root_role,
        service_account, session, user, user_created, user_named, user_with_email,
    },
};

async fn change(store: &dyn Store, before: &User, after: &User) -> Result<EventId, StoreError> {
    store.update_user(before, after, &event(EventKind::UserUpdated)).await
}

/// Changes the user, and expects the user as then, and the event.
async fn changes(store: &dyn Store, before: &User, after: &User) {
    leaves(store, &event(EventKind::UserUpdated), change(store, before, after)).await;
    let found = store.find_user(after.id).await.expect("a look-up").expect("the user");
    assert_eq!(&found, after);
    let (found, expected) = (found.identity.names().join(" "), after.identity.names().join(" "));
    assert_eq!(found, expected, "letter by letter");
}

fn identity(username: Option<&str>, email: Option<&str>) -> UserIdentity {
    user(username, email).identity
}

fn name(text: &str) -> PersonName {
    PersonName::new(text).expect("a name")
}

async fn ed(store: &dyn Store) -> User {
    given::whole_user(store, &NewUser { name: Some(name("Ed")), ..user(Some("ed"), Some("Ed@example.com")) })
        .await
}

/// Other values for everything that can change.
fn variants(of: &User) -> Vec<User> {
    let of = || of.clone();
    vec![
        User { identity: identity(Some("ed"), None), ..of() },
        User { identity: identity(Some("ed"), Some("Ødegård@example.com")), ..of() },
        User { identity: identity(None, Some("Ed@example.com")), ..of() },
        User { name: None, ..of() },
        User { name: Some(name(&"🎉".repeat(255))), ..of() },
        User { root_role: EDITOR, ..of() },
    ]
}

/// Each of them changes, there and back, with the event; nobody else does.
pub async fn everything_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = ed(store).await;
    let other = given::whole_user(store, &user_named("other")).await;
    for changed in variants(&was) {
        changes(store, &was, &changed).await;
        changes(store, &changed, &was).await;
    }
    let all = User { name: None, identity: identity(Some("Eddie"), None), root_role: ADMIN, ..was.clone() };
    changes(store, &was, &all).await;
    assert_eq!(store.find_user(other.id).await.expect("a look-up"), Some(other));
}

/// A change of nothing but the case of an address is one: it is kept in its owner's writing.
pub async fn the_case_of_an_address_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = ed(store).await;
    for email in ["ED@EXAMPLE.COM", "ed@example.com"] {
        let after = User { identity: identity(Some("ed"), Some(email)), ..was.clone() };
        changes(store, &was, &after).await;
        changes(store, &after, &was).await;
    }
}

/// Whoever had a name or an address before is not found by it any more; it is free for others.
pub async fn what_was_given_up_is_free(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = ed(store).await;
    let after = User { identity: identity(Some("al"), Some("al@example.com")), ..was.clone() };
    changes(store, &was, &after).await;
    for login in ["ed", "Ed@example.com"] {
        assert_eq!(store.find_account_by_login(login).await.expect("a look-up"), None);
    }
    for login in ["al", "AL@example.com"] {
        let found = store.find_account_by_login(login).await.expect("a look-up").expect("the account");
        assert_eq!(found.user, after);
    }
    given::user(store, &user(Some("ed"), Some("ed@EXAMPLE.com"))).await;
}

/// When the user was made and last signed in, the kind and the password stay, whatever the caller says or has seen.
pub async fn everything_else_stays(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = user_named("ed");
    let created = store.create_user(&new, Some(password(1)), &user_created(&new)).await;
    let seen_before = new.with_id(created.expect("created").0);
    given::session(store, &session(8, seen_before.id), 1).await;
    let after =
        User { name: Some(name("Ed")), created_at: moment(77), last_seen_at: None, ..seen_before.clone() };
    change(store, &seen_before, &after).await.expect("changed, though a sign-in came in between");
    let expected = User { name: Some(name("Ed")), last_seen_at: Some(moment(8)), ..seen_before };
    let found = store.find_account(expected.id).await.expect("a look-up");
    assert!(found == Some(Account { user: expected.clone(), password: Some(password(1)) }), "{found:?}");
    assert_eq!(store.sessions_of(expected.id).await.expect("sessions").len(), 1);
}

/// Where identity, name or root role are not as the caller saw them, nothing changes.
pub async fn a_user_who_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = ed(store).await;
    let stale = ServiceError::Stale(Entity::User(kept.id));
    for seen in variants(&kept) {
        let elsewhere = User { name: Some(name("Eddie")), ..kept.clone() };
        assert_eq!(refusal(store, change(store, &seen, &elsewhere)).await, stale, "{seen:?}");
        assert_eq!(refusal(store, change(store, &seen, &kept)).await, stale, "{seen:?}");
    }
}

/// Of user and root role, the first that is not there is named; a role of projects is no root role.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = ed(store).await;
    given::user(store, &user_named("taken")).await;
    let stale = User { name: None, ..kept.clone() };
    let taken = User { identity: identity(Some("taken"), None), ..kept.clone() };
    let nobody = User { id: UserId(i64::MAX), ..kept.clone() };
    let no_role = User { root_role: RoleId(77), ..taken.clone() };
    let not_there = User { id: nobody.id, ..no_role.clone() };
    let refused = refusal(store, change(store, &nobody, &not_there)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::User(nobody.id)));
    for root_role in [RoleId(77), OWNER, MEMBER] {
        let after = User { root_role, ..taken.clone() };
        let refused = refusal(store, change(store, &stale, &after)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Role(root_role)));
    }
    let refused = refusal(store, change(store, &stale, &taken)).await;
    assert_eq!(refused, ServiceError::Stale(Entity::User(kept.id)));
    let refused = refusal(store, change(store, &kept, &taken)).await;
    assert_eq!(refused, ServiceError::Conflict(Entity::UserIdentity));
}

/// Another's user name (case matters) and another's e-mail address (it does not) are taken.
pub async fn anothers_identity_is_taken(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = ed(store).await;
    given::user(store, &user(Some("other"), Some("Åsa@Example.com"))).await;
    for (username, email) in [
        (Some("other"), Some("Ed@example.com")),
        (Some("ed"), Some("Åsa@Example.com")),
        (Some("ed"), Some("åsa@EXAMPLE.com")),
        (None, Some("ÅSA@example.com")),
    ] {
        let after = User { identity: identity(username, email), ..kept.clone() };
        let refused = refusal(store, change(store, &kept, &after)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::UserIdentity), "{username:?} {email:?}");
    }
    let after = User { identity: identity(Some("Other"), Some("asa@example.com")), ..kept.clone() };
    changes(store, &kept, &after).await;
}

/// A new root role counts at once, one of an administrator's making too.
pub async fn a_new_root_role_counts(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = ed(store).await;
    let role = given::role(store, &root_role("Auditor", &[Permission::ReadClientApiToken])).await;
    given::personal_token(store, was.id, "ci", 1).await;
    changes(store, &was, &User { root_role: role.id, ..was.clone() }).await;
    let grants = Grants::of_roles(&role, []);
    assert_eq!(store.grants_of(was.id).await.expect("grants"), Some(grants.clone()));
    let found = store.find_personal_token_by_digest(&[digest(1)]).await.expect("a look-up");
    assert_eq!(found.expect("the token").grants, grants);
}

/// With a user go memberships, personal tokens and sessions, and the secrets and names are free; others keep theirs.
pub async fn a_user_goes_with_everything(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (gone, stays) = (ed(store).await, given::whole_user(store, &user_named("al")).await);
    for (number, user) in [(1, &gone), (2, &stays)] {
        given::membership(store, user.id, &project_id("default"), MEMBER).await;
        given::personal_token(store, user.id, "ci", number).await;
        given::session(store, &session(number, user.id), number).await;
    }
    let deleted = event(EventKind::UserDeleted);
    leaves(store, &deleted, store.delete_user(gone.id, &deleted)).await;

    assert_eq!(store.find_user(gone.id).await.expect("a look-up"), None);
    assert!(store.find_account(gone.id).await.expect("a look-up").is_none());
    assert_eq!(store.find_account_by_login("ed").await.expect("a look-up"), None);
    assert_eq!(store.grants_of(gone.id).await.expect("a look-up"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
    assert_eq!(store.find_session_by_digest(&[digest(1)]).await.expect("a look-up"), None);
    assert_eq!(store.personal_tokens_of(&[gone.id]).await.expect("tokens"), []);
    assert_eq!(store.sessions_of(gone.id).await.expect("sessions"), []);
    assert_eq!(store.roles_in_project(gone.id, &project_id("default")).await.expect("roles"), []);
    let left = observe(store).await;
    assert_eq!(left.users.iter().map(|user| user.id).collect::<Vec<_>>(), [stays.id]);
    assert_eq!((left.members[0].len(), left.personal_tokens.len(), left.sessions.len()), (1, 1, 1));

    let heir = given::user(store, &user(Some("ed"), Some("ed@example.com"))).await;
    given::personal_token(store, heir, "ci", 1).await;
    given::session(store, &session(1, heir), 1).await;
}

/// The id of a user who is gone is never given again: the trail still speaks of it.
pub async fn no_id_is_given_again(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids = Vec::new();
    for number in 0..3 {
        let id = given::user(store, &user_with_email(&format!("u{number}@example.com"))).await;
        store.delete_user(id, &event(EventKind::UserDeleted)).await.expect("removed");
        assert!(!ids.contains(&id), "{id} was given twice");
        ids.push(id);
    }
}

/// Who is not there, or not any more, cannot be removed, nor changed.
pub async fn nobody_goes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let gone = ed(store).await;
    let bot = given::user(store, &service_account("bot")).await;
    for id in [gone.id, bot] {
        let deleted = event(EventKind::UserDeleted);
        leaves(store, &deleted, store.delete_user(id, &deleted)).await;
    }
    for id in [gone.id, bot, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let not_found = ServiceError::NotFound(Entity::User(id));
        let deleted = event(EventKind::UserDeleted);
        assert_eq!(refusal(store, store.delete_user(id, &deleted)).await, not_found);
        let user = User { id, ..gone.clone() };
        assert_eq!(refusal(store, change(store, &user, &user)).await, not_found);
    }
}

/// Of two, and of 30, that saw the same and change it at once, one is done, whole.
pub async fn one_change_wins(store: &Arc<dyn Store>) {
    given::user(store.as_ref(), &admin("root")).await;
    for (number, calls) in [(1, 2), (2, 30)] {
        let was = given::whole_user(store.as_ref(), &user_named(&format!("u{number}"))).await;
        let calls = (0..calls).map(|call| {
            let (store, was) = (Arc::clone(store), was.clone());
            let roles = [ADMIN, EDITOR, VIEWER];
            let after =
                User { name: Some(name(&format!("by {call}"))), root_role: roles[call % 3], ..was.clone() };
            async move { change(store.as_ref(), &was, &after).await.map(|_| after) }
        });
        let winner = one_wins(store.as_ref(), ServiceError::Stale(Entity::User(was.id)), calls).await;
        assert_eq!(store.find_user(was.id).await.expect("a look-up"), Some(winner));
    }
}
