//! Updates and deletion of users.

use std::sync::Arc;

use latchkey_domain::{
    EventId, EventKind, Grants, NewUser, Permission, PersonName, RoleId, User, UserId, UserIdentity,
};
use latchkey_ports::{Account, Entity, Store, StoreError};

use crate::{
    harness::{ErrorKind, exactly_one_succeeds, expect_error, expect_event, read_contents},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, admin, digest, event, moment, password, project_id, root_role,
        service_account, session, user, user_created, user_named, user_with_email,
    },
    setup,
};

async fn update(store: &dyn Store, before: &User, after: &User) -> Result<EventId, StoreError> {
    store.update_user(before, after, &event(EventKind::UserUpdated)).await
}

/// Updates the user and expects the new state and the event.
async fn assert_update(store: &dyn Store, before: &User, after: &User) {
    expect_event(store, &event(EventKind::UserUpdated), update(store, before, after)).await;
    let found = store.find_user(after.id).await.expect("a lookup").expect("the user");
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

async fn create_ed(store: &dyn Store) -> User {
    setup::stored_user(store, &NewUser { name: Some(name("Ed")), ..user(Some("ed"), Some("Ed@example.com")) })
        .await
}

/// Returns copies that each differ in one field.
fn changed_copies(of: &User) -> Vec<User> {
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

/// Each field changes, there and back, with the event; other users stay.
pub async fn every_field_of_a_user_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = create_ed(store).await;
    let other = setup::stored_user(store, &user_named("other")).await;
    for changed in changed_copies(&was) {
        assert_update(store, &was, &changed).await;
        assert_update(store, &changed, &was).await;
    }
    let all = User { name: None, identity: identity(Some("Eddie"), None), root_role: ADMIN, ..was.clone() };
    assert_update(store, &was, &all).await;
    assert_eq!(store.find_user(other.id).await.expect("a lookup"), Some(other));
}

/// A change of case alone is stored as written.
pub async fn the_case_of_an_email_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = create_ed(store).await;
    for email in ["ED@EXAMPLE.COM", "ed@example.com"] {
        let after = User { identity: identity(Some("ed"), Some(email)), ..was.clone() };
        assert_update(store, &was, &after).await;
        assert_update(store, &after, &was).await;
    }
}

/// A former user name or e-mail address no longer finds the user and can be used by another.
pub async fn a_released_username_or_email_can_be_reused(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = create_ed(store).await;
    let after = User { identity: identity(Some("al"), Some("al@example.com")), ..was.clone() };
    assert_update(store, &was, &after).await;
    for login in ["ed", "Ed@example.com"] {
        assert_eq!(store.find_account_by_login(login).await.expect("a lookup"), None);
    }
    for login in ["al", "AL@example.com"] {
        let found = store.find_account_by_login(login).await.expect("a lookup").expect("the account");
        assert_eq!(found.user, after);
    }
    setup::user(store, &user(Some("ed"), Some("ed@EXAMPLE.com"))).await;
}

/// Creation time, last login, kind and password stay, whatever the caller passes or expects.
pub async fn updating_a_user_keeps_the_other_fields(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = user_named("ed");
    let created = store.create_user(&new, Some(password(1)), &user_created(&new)).await;
    let seen_before = new.with_id(created.expect("created").0);
    setup::session(store, &session(8, seen_before.id), 1).await;
    let after =
        User { name: Some(name("Ed")), created_at: moment(77), last_seen_at: None, ..seen_before.clone() };
    update(store, &seen_before, &after).await.expect("changed, though a sign-in came in between");
    let expected = User { name: Some(name("Ed")), last_seen_at: Some(moment(8)), ..seen_before };
    let found = store.find_account(expected.id).await.expect("a lookup");
    assert!(found == Some(Account { user: expected.clone(), password: Some(password(1)) }), "{found:?}");
    assert_eq!(store.sessions_of(expected.id).await.expect("sessions").len(), 1);
}

/// If identity, name or root role differ from the expected ones, nothing changes.
pub async fn a_stale_user_update_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = create_ed(store).await;
    let stale = ErrorKind::Stale(Entity::User(existing.id));
    for seen in changed_copies(&existing) {
        let elsewhere = User { name: Some(name("Eddie")), ..existing.clone() };
        assert_eq!(expect_error(store, update(store, &seen, &elsewhere)).await, stale, "{seen:?}");
        assert_eq!(expect_error(store, update(store, &seen, &existing)).await, stale, "{seen:?}");
    }
}

/// The unknown user is reported first, then the unknown root role, then a stale state, then a conflict; a
/// project role is not a root role.
pub async fn user_update_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = create_ed(store).await;
    setup::user(store, &user_named("taken")).await;
    let stale = User { name: None, ..existing.clone() };
    let conflicting = User { identity: identity(Some("taken"), None), ..existing.clone() };
    let unknown = User { id: UserId(i64::MAX), ..existing.clone() };
    let no_role = User { root_role: RoleId(77), ..conflicting.clone() };
    let not_there = User { id: unknown.id, ..no_role.clone() };
    let refused = expect_error(store, update(store, &unknown, &not_there)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::User(unknown.id)));
    for root_role in [RoleId(77), OWNER, MEMBER] {
        let after = User { root_role, ..conflicting.clone() };
        let refused = expect_error(store, update(store, &stale, &after)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(root_role)));
    }
    let refused = expect_error(store, update(store, &stale, &conflicting)).await;
    assert_eq!(refused, ErrorKind::Stale(Entity::User(existing.id)));
    let refused = expect_error(store, update(store, &existing, &conflicting)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::UserIdentity));
}

/// User names are compared with case, e-mail addresses without.
pub async fn updating_to_an_existing_identity_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = create_ed(store).await;
    setup::user(store, &user(Some("other"), Some("Åsa@Example.com"))).await;
    for (username, email) in [
        (Some("other"), Some("Ed@example.com")),
        (Some("ed"), Some("Åsa@Example.com")),
        (Some("ed"), Some("åsa@EXAMPLE.com")),
        (None, Some("ÅSA@example.com")),
    ] {
        let after = User { identity: identity(username, email), ..existing.clone() };
        let refused = expect_error(store, update(store, &existing, &after)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::UserIdentity), "{username:?} {email:?}");
    }
    let after = User { identity: identity(Some("Other"), Some("asa@example.com")), ..existing.clone() };
    assert_update(store, &existing, &after).await;
}

/// A new root role, built-in or custom, applies to the next lookup.
pub async fn a_new_root_role_takes_effect_immediately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let was = create_ed(store).await;
    let role = setup::role(store, &root_role("Auditor", &[Permission::ReadClientApiToken])).await;
    setup::personal_token(store, was.id, "ci", 1).await;
    assert_update(store, &was, &User { root_role: role.id, ..was.clone() }).await;
    let grants = Grants::of_roles(&role, []);
    assert_eq!(store.grants_of(was.id).await.expect("grants"), Some(grants.clone()));
    let found = store.find_personal_token_by_digest(&[digest(1)]).await.expect("a lookup");
    assert_eq!(found.expect("the token").grants, grants);
}

/// The user's secrets and logins can be used again; other users keep theirs.
pub async fn deleting_a_user_deletes_memberships_tokens_and_sessions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (gone, unaffected) = (create_ed(store).await, setup::stored_user(store, &user_named("al")).await);
    for (number, user) in [(1, &gone), (2, &unaffected)] {
        setup::membership(store, user.id, &project_id("default"), MEMBER).await;
        setup::personal_token(store, user.id, "ci", number).await;
        setup::session(store, &session(number, user.id), number).await;
    }
    let deleted = event(EventKind::UserDeleted);
    expect_event(store, &deleted, store.delete_user(gone.id, &deleted)).await;

    assert_eq!(store.find_user(gone.id).await.expect("a lookup"), None);
    assert!(store.find_account(gone.id).await.expect("a lookup").is_none());
    assert_eq!(store.find_account_by_login("ed").await.expect("a lookup"), None);
    assert_eq!(store.grants_of(gone.id).await.expect("a lookup"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
    assert_eq!(store.find_session_by_digest(&[digest(1)]).await.expect("a lookup"), None);
    assert_eq!(store.personal_tokens_of(&[gone.id]).await.expect("tokens"), []);
    assert_eq!(store.sessions_of(gone.id).await.expect("sessions"), []);
    assert_eq!(store.roles_in_project(gone.id.into(), &project_id("default")).await.expect("roles"), []);
    let remaining = read_contents(store).await;
    assert_eq!(remaining.users.iter().map(|user| user.id).collect::<Vec<_>>(), [unaffected.id]);
    assert_eq!(
        (remaining.members[0].len(), remaining.personal_tokens.len(), remaining.sessions.len()),
        (1, 1, 1)
    );

    let successor = setup::user(store, &user(Some("ed"), Some("ed@example.com"))).await;
    setup::personal_token(store, successor, "ci", 1).await;
    setup::session(store, &session(1, successor), 1).await;
}

/// The id of a deleted user is never assigned again, because events refer to it.
pub async fn a_user_id_is_never_reused(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids = Vec::new();
    for number in 0..3 {
        let id = setup::user(store, &user_with_email(&format!("u{number}@example.com"))).await;
        store.delete_user(id, &event(EventKind::UserDeleted)).await.expect("removed");
        assert!(!ids.contains(&id), "{id} was given twice");
        ids.push(id);
    }
}

/// A user that does not exist, or no longer exists, cannot be updated or deleted.
pub async fn updating_or_deleting_an_unknown_user_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let gone = create_ed(store).await;
    let bot = setup::user(store, &service_account("bot")).await;
    for id in [gone.id, bot] {
        let deleted = event(EventKind::UserDeleted);
        expect_event(store, &deleted, store.delete_user(id, &deleted)).await;
    }
    for id in [gone.id, bot, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let not_found = ErrorKind::NotFound(Entity::User(id));
        let deleted = event(EventKind::UserDeleted);
        assert_eq!(expect_error(store, store.delete_user(id, &deleted)).await, not_found);
        let user = User { id, ..gone.clone() };
        assert_eq!(expect_error(store, update(store, &user, &user)).await, not_found);
    }
}

/// Of 2 and of 30 concurrent updates of the same state, one succeeds, completely.
pub async fn one_of_concurrent_user_updates_succeeds(store: &Arc<dyn Store>) {
    setup::user(store.as_ref(), &admin("root")).await;
    for (number, calls) in [(1, 2), (2, 30)] {
        let was = setup::stored_user(store.as_ref(), &user_named(&format!("u{number}"))).await;
        let calls = (0..calls).map(|call| {
            let (store, was) = (Arc::clone(store), was.clone());
            let roles = [ADMIN, EDITOR, VIEWER];
            let after =
                User { name: Some(name(&format!("by {call}"))), root_role: roles[call % 3], ..was.clone() };
            async move { update(store.as_ref(), &was, &after).await.map(|_| after) }
        });
        let winner =
            exactly_one_succeeds(store.as_ref(), ErrorKind::Stale(Entity::User(was.id)), calls).await;
        assert_eq!(store.find_user(was.id).await.expect("a lookup"), Some(winner));
    }
}
