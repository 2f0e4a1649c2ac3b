//! Accounts: passwords, lists of users, and the search for them.

use std::sync::Arc;

use latchkey_domain::{AccountKind, EventId, EventKind, NewUser, PasswordHash, PersonName, User, UserId};
use latchkey_ports::{Account, Entity, Page, Store, StoreError};

use crate::{
    given,
    observed::{ServiceError, leaves, refusal},
    samples::{
        ADMIN, digest, event, new_password, password, service_account, session, user, user_created,
        user_named, user_with_email,
    },
};

async fn with_password(store: &dyn Store, new: &NewUser, password: Option<PasswordHash>) -> User {
    let created = store.create_user(new, password, &user_created(new)).await;
    new.clone().with_id(created.expect("created").0)
}

async fn set(store: &dyn Store, id: UserId, number: u64) -> Result<EventId, StoreError> {
    store.set_password(&new_password(id, number), &event(EventKind::PasswordChanged)).await
}

/// The account is found by its id and by all that it is known by, with its password.
async fn is_found(store: &dyn Store, user: &User, password: Option<PasswordHash>) {
    let expected = Account { user: user.clone(), password };
    let found = store.find_account(user.id).await.expect("a look-up");
    assert!(found.as_ref() == Some(&expected), "{found:?} by the id, not {expected:?}");
    for login in user.identity.names() {
        let found = store.find_account_by_login(login).await.expect("a look-up");
        assert!(found.as_ref() == Some(&expected), "{found:?} by {login}, not {expected:?}");
    }
}

/// A user is made with a password or without one.
pub async fn a_password_is_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let longest = PasswordHash(format!("$argon2id${}", "z".repeat(500)).into());
    let passwords = [None, Some(password(1)), Some(longest), Some(password(1))];
    for (number, password) in passwords.into_iter().enumerate() {
        let new = user(Some(&format!("u{number}")), Some(&format!("u{number}@example.com")));
        let user = with_password(store, &new, password.clone()).await;
        is_found(store, &user, password).await;
    }
}

/// Of an account that is not there, nothing is found.
pub async fn nobodys_account(store: &Arc<dyn Store>) {
    let UserId(id) = given::user(store.as_ref(), &user_named("ed")).await;
    for unknown in [id + 1, 0, -1, i64::MAX, i64::MIN] {
        assert_eq!(store.find_account(UserId(unknown)).await.expect("a look-up"), None);
    }
}

/// A password is set, and set again, with its event; others keep theirs.
pub async fn a_password_is_set(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = with_password(store, &user_named("ed"), None).await;
    let al = with_password(store, &user_named("al"), Some(password(9))).await;
    for number in [1, 2, 2] {
        leaves(store, &event(EventKind::PasswordChanged), set(store, ed.id, number)).await;
        is_found(store, &ed, Some(password(number))).await;
        is_found(store, &al, Some(password(9))).await;
    }
}

/// With a new password all sessions of that user end; those of others go on, and so do personal tokens.
pub async fn a_new_password_ends_sessions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, ed), (3, al)] {
        given::session(store, &session(number, user), number).await;
    }
    given::personal_token(store, ed, "ci", 4).await;
    leaves(store, &event(EventKind::PasswordChanged), set(store, ed, 1)).await;
    assert_eq!(store.sessions_of(ed).await.expect("sessions"), []);
    assert_eq!(store.sessions_of(al).await.expect("sessions"), [session(3, al)]);
    for (number, there) in [(1, false), (2, false), (3, true)] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a look-up");
        assert_eq!(found.is_some(), there, "the session {number}");
    }
    assert!(store.find_personal_token_by_digest(&[digest(4)]).await.expect("a look-up").is_some());
    // The digest is free again.
    given::session(store, &session(5, al), 1).await;
}

/// Nobody has no password, nor has a service account.
pub async fn no_password_for_these(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = given::user(store, &service_account("bot")).await;
    let gone = given::user(store, &user_named("ed")).await;
    store.delete_user(gone, &event(EventKind::UserDeleted)).await.expect("removed");
    for id in [bot, gone, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let refused = refusal(store, set(store, id, 1)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::User(id)));
    }
    assert!(store.find_account(bot).await.expect("a look-up").is_some_and(|bot| bot.password.is_none()));
}

async fn ids(store: &dyn Store, kind: AccountKind, page: Page) -> Vec<UserId> {
    let users = store.users(kind, page).await.expect("users");
    assert!(users.iter().all(|user| user.kind == kind));
    users.into_iter().map(|user| user.id).collect()
}

/// People are listed by id, whole, and service accounts apart from them.
pub async fn a_list_has_one_kind(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let named = NewUser {
        name: Some(PersonName::new("Ed Ødegård").expect("a name")),
        root_role: ADMIN,
        ..user(Some("ed"), Some("Ed@Example.com"))
    };
    let (mut people, mut services) = (Vec::new(), Vec::new());
    for new in [user_named("z"), service_account("y"), named, service_account("x"), user_with_email("a@b")] {
        let user = given::whole_user(store, &new).await;
        if user.kind == AccountKind::Person { people.push(user) } else { services.push(user) }
    }
    assert_eq!(store.users(AccountKind::Person, Page::default()).await.expect("users"), people);
    assert_eq!(store.users(AccountKind::Service, Page::default()).await.expect("users"), services);
}

/// Page by page, nothing is missed and nothing comes twice.
pub async fn a_list_in_pages(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in 0..11 {
        given::user(store, &user_named(&format!("u{number}"))).await;
        given::user(store, &service_account(&format!("s{number}"))).await;
    }
    for kind in [AccountKind::Person, AccountKind::Service] {
        let whole = ids(store, kind, Page::default()).await;
        assert!(whole.len() == 11 && whole.is_sorted(), "{whole:?}");
        for size in [1, 4, 11, u32::MAX] {
            let mut read = Vec::new();
            while read.len() < 11 {
                let offset = u64::try_from(read.len()).expect("small");
                let entries = ids(store, kind, Page { limit: Some(size), offset }).await;
                assert!(!entries.is_empty() && entries.len() <= usize::try_from(size).expect("64 bits"));
                read.extend(entries);
            }
            assert_eq!(read, whole, "in pages of {size}");
        }
        assert_eq!(ids(store, kind, Page { limit: None, offset: 9 }).await, whole[9..]);
        for (limit, offset) in [(Some(0), 0), (Some(5), 11), (Some(5), u64::MAX), (None, u64::MAX)] {
            assert_eq!(ids(store, kind, Page { limit, offset }).await, []);
        }
    }
}

/// A part of the name, the user name or the e-mail address is enough, in any case of (ASCII) letters; every character
/// stands for itself, and whoever fits twice comes once, by id.
pub async fn a_search(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let called = |name: &str, new| NewUser { name: Some(PersonName::new(name).expect("a name")), ..new };
    let users = [
        called("Grace Hopper", user(Some("grace"), Some("Grace@Navy.example"))),
        called("100% \\ o'Neil_\"", user_named("neil")),
        service_account("Deploy bot"),
        user_with_email("ödegård@example.com"),
        called("日本語 🦀", user_named("crab")),
        called("Nobody", user_named("GRACE")),
    ];
    let mut ids = Vec::new();
    for new in &users {
        ids.push(given::user(store, new).await);
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
    for (text, fitting) in expected {
        let found = store.search_users(text, 100).await.expect("users");
        let fitting: Vec<_> =
            fitting.iter().map(|index| users[*index].clone().with_id(ids[*index])).collect();
        assert_eq!(found, fitting, "{text:?}");
    }
}

/// A search ends at its limit, with the least ids.
pub async fn a_search_has_an_end(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(given::user(store, &user_named(&format!("u{number}"))).await);
    }
    for (limit, expected) in [(0, 0), (1, 1), (4, 4), (6, 6), (u32::MAX, 6)] {
        let found = store.search_users("U", limit).await.expect("users");
        let found: Vec<_> = found.into_iter().map(|user| user.id).collect();
        assert_eq!(found, ids[..expected]);
    }
}
