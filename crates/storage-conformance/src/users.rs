//! Users and accounts: created, found by login, listed, searched, and their passwords.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{
    AccountKind, Email, EventId, EventKind, NewUser, PasswordHash, PersonName, RoleId, User, UserId,
};
use latchkey_ports::{Account, Entity, Page, Store, StoreError};

use crate::{
    harness::{ErrorKind, expect_error, expect_event},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, digest, event, extreme_moments, new_password, password,
        service_account, session, user, user_created, user_named, user_with_email,
    },
    setup,
};

async fn find_by_login(store: &dyn Store, login: &str) -> Option<UserId> {
    let found = store.find_account_by_login(login).await.expect("a lookup");
    found.map(|account| account.user.id)
}

/// Compares users including the case of their e-mail addresses, which equality ignores.
fn assert_same(found: &User, expected: &User) {
    assert_eq!(found, expected);
    assert_eq!(
        found.identity.email().map(ToString::to_string),
        expected.identity.email().map(ToString::to_string)
    );
}

async fn assert_user_round_trips(store: &dyn Store, new: NewUser) {
    let id = setup::user(store, &new).await;
    let expected = new.with_id(id);
    let found = store.find_user(id).await.expect("a lookup").expect("the user");
    assert_same(&found, &expected);
    let identity = &expected.identity;
    let username = identity.username().map(AsRef::as_ref);
    for text in [username, identity.email().map(Email::as_str)].into_iter().flatten() {
        let found = store.find_account_by_login(text).await.expect("a lookup").expect("the user");
        assert_same(&found.user, &expected);
    }
}

/// Users of every kind are read back, with the original spelling.
pub async fn every_kind_of_user_round_trips(store: &Arc<dyn Store>) {
    let service = NewUser { kind: AccountKind::Service, root_role: EDITOR, ..user_named("Deploy bot") };
    let named = NewUser {
        name: Some(PersonName::new("Ed Ødegård").expect("a name")),
        root_role: ADMIN,
        ..user(Some("ed"), Some("Ed.Odegard@Example.COM"))
    };
    for user in [service, named, user_with_email("VIEWER@example.com")] {
        assert_user_round_trips(store.as_ref(), user).await;
    }
}

/// The longest values, in four-byte characters, are stored completely.
pub async fn the_longest_user_values_round_trip(store: &Arc<dyn Store>) {
    let email = format!("{}@example.com", "é".repeat(121));
    let longest = NewUser {
        name: Some(PersonName::new(&"🎉".repeat(255)).expect("a name")),
        ..user(Some(&"🦀".repeat(255)), Some(&email))
    };
    assert_user_round_trips(store.as_ref(), longest).await;
}

/// Times from year 0000 to year 9999 keep their milliseconds.
pub async fn user_times_of_all_years_round_trip(store: &Arc<dyn Store>) {
    for (number, at) in (0..).zip(extreme_moments()) {
        assert_user_round_trips(
            store.as_ref(),
            NewUser { created_at: at, ..user_named(&format!("u{number}")) },
        )
        .await;
    }
}

/// Every user id is above 0: other numbers identify actors that are not users.
pub async fn user_ids_are_positive_and_unique(store: &Arc<dyn Store>) {
    let mut ids = BTreeSet::new();
    for number in 0..5 {
        let id = setup::user(store.as_ref(), &user_named(&format!("u{number}"))).await;
        assert!(id > UserId(0), "{id}");
        assert!(ids.insert(id), "{id} was given twice");
    }
    for unknown in [UserId(0), UserId(-1), UserId(i64::MAX), UserId(i64::MIN)] {
        assert_eq!(store.find_user(unknown).await.expect("a lookup"), None);
    }
}

/// An unknown role and a role for projects are rejected.
pub async fn the_root_role_of_a_user_must_be_a_root_role(store: &Arc<dyn Store>) {
    for role in [OWNER, MEMBER, RoleId(99), RoleId(0), RoleId(-1), RoleId(i64::MAX)] {
        let new = NewUser { root_role: role, ..user_named("ed") };
        let event = user_created(&new);
        let refused = expect_error(store.as_ref(), store.create_user(&new, None, &event)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Role(role)));
        assert_eq!(find_by_login(store.as_ref(), "ed").await, None);
    }
    for role in [ADMIN, EDITOR, VIEWER] {
        assert_user_round_trips(
            store.as_ref(),
            NewUser { root_role: role, ..user_named(&format!("u{role}")) },
        )
        .await;
    }
}

/// User names are unique and case-sensitive; e-mail addresses are unique whatever their case, in any
/// script.
pub async fn usernames_and_emails_are_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let id = setup::user(store, &user(Some("ed"), Some("Åsa.Ed@Example.com"))).await;
    let conflicting = [
        user_named("ed"),
        user(Some("ed"), Some("other@example.com")),
        user_with_email("Åsa.Ed@Example.com"),
        user_with_email("åsa.ed@example.com"),
        user(Some("other"), Some("ÅSA.ED@EXAMPLE.COM")),
    ];
    for new in conflicting {
        let event = user_created(&new);
        let refused = expect_error(store, store.create_user(&new, None, &event)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::UserIdentity), "{new:?}");
        assert_eq!(find_by_login(store, "other").await, None);
        assert_eq!(find_by_login(store, "other@example.com").await, None);
        assert_eq!(find_by_login(store, "ed").await, Some(id));
    }
    assert_user_round_trips(store, user(Some("ED"), Some("asa.ed@example.com"))).await;
    assert_user_round_trips(store, user(Some("Åsa"), None)).await;
    assert_user_round_trips(store, user(Some("åsa"), None)).await;
}

/// Missing values do not conflict.
pub async fn missing_usernames_and_emails_do_not_conflict(store: &Arc<dyn Store>) {
    for name in ["a", "b"] {
        assert_user_round_trips(store.as_ref(), user_named(name)).await;
    }
    for email in ["a@example.com", "b@example.com"] {
        assert_user_round_trips(store.as_ref(), user_with_email(email)).await;
    }
}

/// A user name matches exactly, an e-mail address in any case; nothing else matches.
pub async fn a_login_is_a_username_or_an_email(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let lower = setup::user(store, &user(Some("ed"), Some("Åsa@Example.com"))).await;
    let upper = setup::user(store, &user_named("ED")).await;
    assert_eq!(find_by_login(store, "ed").await, Some(lower));
    assert_eq!(find_by_login(store, "ED").await, Some(upper));
    for email in ["Åsa@Example.com", "åsa@example.com", "ÅSA@EXAMPLE.COM"] {
        assert_eq!(find_by_login(store, email).await, Some(lower), "{email}");
    }
    for unknown in ["Ed", "", "e_", "%", "åsa@example.co_", "Åsa", "ed\0", "ed ", "' OR 1=1 --"] {
        assert_eq!(find_by_login(store, unknown).await, None, "{unknown:?}");
    }
}

/// A user name cannot be the e-mail address of another user, in any case, whichever came first. A user may have both.
pub async fn a_username_is_not_the_email_of_another_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let by_email = setup::user(store, &user_with_email("First@example.com")).await;
    let by_name = setup::user(store, &user_named("Second@example.com")).await;
    let both = user(Some("both@example.com"), Some("Both@Example.com"));
    assert_user_round_trips(store, both).await;
    let conflicting = [
        user_named("first@example.com"),
        user_named("FIRST@example.com"),
        user_with_email("second@Example.com"),
        user(Some("other"), Some("both@example.com")),
    ];
    for new in conflicting {
        let event = user_created(&new);
        let refused = expect_error(store, store.create_user(&new, None, &event)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::UserIdentity), "{new:?}");
    }
    assert_eq!(find_by_login(store, "first@example.com").await, Some(by_email));
    assert_eq!(find_by_login(store, "Second@example.com").await, Some(by_name));
}

/// A login name that a change or a deletion frees can be another user's.
pub async fn a_freed_login_name_is_available(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let before = user(Some("ed"), Some("ed@example.com"));
    let id = setup::user(store, &before).await;
    let (before, moved) = (before.with_id(id), user(Some("ed"), Some("new@example.com")).with_id(id));
    store.update_user(&before, &moved, &event(EventKind::UserUpdated)).await.expect("changed");
    setup::user(store, &user_named("ed@example.com")).await;
    let refused =
        expect_error(store, store.update_user(&moved, &before, &event(EventKind::UserUpdated))).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::UserIdentity));
    store.delete_user(id, &event(EventKind::UserDeleted)).await.expect("deleted");
    for freed in ["ed", "new@example.com"] {
        setup::user(store, &user_named(freed)).await;
    }
}

async fn create_with_password(store: &dyn Store, new: &NewUser, password: Option<PasswordHash>) -> User {
    let created = store.create_user(new, password, &user_created(new)).await;
    new.clone().with_id(created.expect("created").0)
}

async fn set_password(store: &dyn Store, id: UserId, number: u64) -> Result<EventId, StoreError> {
    store.set_password(&new_password(id, number), &event(EventKind::PasswordChanged)).await
}

/// Expects the account, with its password, by its id and by every login.
async fn assert_account(store: &dyn Store, user: &User, password: Option<PasswordHash>) {
    let expected = Account { user: user.clone(), password };
    let found = store.find_account(user.id).await.expect("a lookup");
    assert!(found.as_ref() == Some(&expected), "{found:?} by the id, not {expected:?}");
    for login in user.identity.names() {
        let found = store.find_account_by_login(login).await.expect("a lookup");
        assert!(found.as_ref() == Some(&expected), "{found:?} by {login}, not {expected:?}");
    }
}

/// A user is created with or without a password.
pub async fn an_account_is_found_with_its_password(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let longest = PasswordHash(format!("$argon2id${}", "z".repeat(500)).into());
    let passwords = [None, Some(password(1)), Some(longest), Some(password(1))];
    for (number, password) in passwords.into_iter().enumerate() {
        let new = user(Some(&format!("u{number}")), Some(&format!("u{number}@example.com")));
        let user = create_with_password(store, &new, password.clone()).await;
        assert_account(store, &user, password).await;
    }
}

/// An unknown user has no account.
pub async fn an_unknown_user_has_no_account(store: &Arc<dyn Store>) {
    let UserId(id) = setup::user(store.as_ref(), &user_named("ed")).await;
    for unknown in [id + 1, 0, -1, i64::MAX, i64::MIN] {
        assert_eq!(store.find_account(UserId(unknown)).await.expect("a lookup"), None);
    }
}

/// A password is set and replaced, each time with the event; other accounts keep theirs.
pub async fn setting_a_password_changes_only_that_account(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = create_with_password(store, &user_named("ed"), None).await;
    let al = create_with_password(store, &user_named("al"), Some(password(9))).await;
    for number in [1, 2, 2] {
        expect_event(store, &event(EventKind::PasswordChanged), set_password(store, ed.id, number)).await;
        assert_account(store, &ed, Some(password(number))).await;
        assert_account(store, &al, Some(password(9))).await;
    }
}

/// All sessions of the user end; personal tokens, and sessions of other users, stay.
pub async fn setting_a_password_ends_the_sessions_of_the_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, ed), (3, al)] {
        setup::session(store, &session(number, user), number).await;
    }
    setup::personal_token(store, ed, "ci", 4).await;
    expect_event(store, &event(EventKind::PasswordChanged), set_password(store, ed, 1)).await;
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    assert_eq!(store.sessions_of(al).await.expect("sessions"), [session(3, al)]);
    for (number, there) in [(1, false), (2, false), (3, true)] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a lookup");
        assert_eq!(found.is_some(), there, "the session {number}");
    }
    assert!(store.find_personal_token_by_digest(&[digest(4)]).await.expect("a lookup").is_some());
    // The digest can be used again.
    setup::session(store, &session(5, al), 1).await;
}

/// A password cannot be set for a service account or an unknown user.
pub async fn service_accounts_and_unknown_users_have_no_password(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = setup::user(store, &service_account("bot")).await;
    let deleted = setup::user(store, &user_named("ed")).await;
    store.delete_user(deleted, &event(EventKind::UserDeleted)).await.expect("removed");
    for id in [bot, deleted, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let refused = expect_error(store, set_password(store, id, 1)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::User(id)));
    }
    assert!(store.find_account(bot).await.expect("a lookup").is_some_and(|bot| bot.password.is_none()));
}

async fn user_ids(store: &dyn Store, kind: AccountKind, page: Page) -> Vec<UserId> {
    let users = store.users(kind, page).await.expect("users");
    assert!(users.iter().all(|user| user.kind == kind));
    users.into_iter().map(|user| user.id).collect()
}

/// Users are listed complete, by id, apart from service accounts.
pub async fn users_and_service_accounts_are_listed_separately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let named = NewUser {
        name: Some(PersonName::new("Ed Ødegård").expect("a name")),
        root_role: ADMIN,
        ..user(Some("ed"), Some("Ed@Example.com"))
    };
    let (mut people, mut services) = (Vec::new(), Vec::new());
    for new in [user_named("z"), service_account("y"), named, service_account("x"), user_with_email("a@b")] {
        let user = setup::stored_user(store, &new).await;
        if user.kind == AccountKind::Person { people.push(user) } else { services.push(user) }
    }
    assert_eq!(store.users(AccountKind::Person, Page::default()).await.expect("users"), people);
    assert_eq!(store.users(AccountKind::Service, Page::default()).await.expect("users"), services);
}

/// No user is missing or repeated across pages.
pub async fn user_lists_are_paged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in 0..11 {
        setup::user(store, &user_named(&format!("u{number}"))).await;
        setup::user(store, &service_account(&format!("s{number}"))).await;
    }
    for kind in [AccountKind::Person, AccountKind::Service] {
        let complete_list = user_ids(store, kind, Page::default()).await;
        assert!(complete_list.len() == 11 && complete_list.is_sorted(), "{complete_list:?}");
        for size in [1, 4, 11, u32::MAX] {
            let mut read = Vec::new();
            while read.len() < 11 {
                let offset = u64::try_from(read.len()).expect("small");
                let entries = user_ids(store, kind, Page { limit: Some(size), offset }).await;
                assert!(!entries.is_empty() && entries.len() <= usize::try_from(size).expect("64 bits"));
                read.extend(entries);
            }
            assert_eq!(read, complete_list, "in pages of {size}");
        }
        assert_eq!(user_ids(store, kind, Page { limit: None, offset: 9 }).await, complete_list[9..]);
        for (limit, offset) in [(Some(0), 0), (Some(5), 11), (Some(5), u64::MAX), (None, u64::MAX)] {
            assert_eq!(user_ids(store, kind, Page { limit, offset }).await, []);
        }
    }
}

/// The text matches a part of the name, user name or e-mail address, ignoring ASCII case. Every character
/// is literal, and each user is returned once, by id.
pub async fn users_are_searched_by_part_of_name_or_login(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let called = |name: &str, new| NewUser { name: Some(PersonName::new(name).expect("a name")), ..new };
    let users = [
        called("Grace Hopper", user(Some("grace"), Some("Grace@Navy.example"))),
        called("100% \\ o'Neil_\"", user_named("neil")),
        service_account("Deploy bot"),
        user_with_email("ödegård@example.com"),
        called("日本語 🦀", user_named("crab")),
        called("Ada", user_named("GRACE")),
    ];
    let mut ids = Vec::new();
    for new in &users {
        ids.push(setup::user(store, new).await);
    }
    let expected: [(&str, &[usize]); 17] = [
        ("grace", &[0, 5]),
        ("RACE H", &[0]),
        ("navy.EXAMPLE", &[0]),
        ("@", &[0, 3]),
        ("example", &[0, 3]),
        ("%", &[1]),
        ("_", &[1]),
        ("\\", &[1]),
        ("O'N", &[1]),
        ("\"", &[1]),
        ("DEPLOY", &[2]),
        ("ödeg", &[3]),
        ("🦀", &[4]),
        ("本", &[4]),
        ("hopper grace", &[]),
        ("\0", &[]),
        ("", &[0, 1, 2, 3, 4, 5]),
    ];
    for (text, matching) in expected {
        let found = store.search_users(text, 100).await.expect("users");
        let matching: Vec<_> =
            matching.iter().map(|index| users[*index].clone().with_id(ids[*index])).collect();
        assert_eq!(found, matching, "{text:?}");
    }
}

/// A search returns the users with the lowest ids, up to the limit.
pub async fn a_user_search_stops_at_its_limit(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(setup::user(store, &user_named(&format!("u{number}"))).await);
    }
    for (limit, expected) in [(0, 0), (1, 1), (4, 4), (6, 6), (u32::MAX, 6)] {
        let found = store.search_users("U", limit).await.expect("users");
        let found: Vec<_> = found.into_iter().map(|user| user.id).collect();
        assert_eq!(found, ids[..expected]);
    }
}
