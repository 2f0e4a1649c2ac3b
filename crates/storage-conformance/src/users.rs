//! Users: kept, and found by what they sign in with.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{AccountKind, Email, NewUser, PersonName, RoleId, User, UserId};
use latchkey_ports::{Entity, Store};

use crate::{
    given,
    observed::{ServiceError, refusal},
    samples::{
        ADMIN, EDITOR, MEMBER, OWNER, VIEWER, extreme_moments, user, user_created, user_named,
        user_with_email,
    },
};

async fn login(store: &dyn Store, login: &str) -> Option<UserId> {
    let found = store.find_account_by_login(login).await.expect("a look-up");
    found.map(|account| account.user.id)
}

/// As text too, since e-mail addresses that differ in case are equal.
fn assert_same(found: &User, expected: &User) {
    assert_eq!(found, expected);
    assert_eq!(
        found.identity.email().map(ToString::to_string),
        expected.identity.email().map(ToString::to_string)
    );
}

async fn is_read_back(store: &dyn Store, new: NewUser) {
    let id = given::user(store, &new).await;
    let expected = new.with_id(id);
    let found = store.find_user(id).await.expect("a look-up").expect("the user");
    assert_same(&found, &expected);
    let identity = &expected.identity;
    let username = identity.username().map(AsRef::as_ref);
    for text in [username, identity.email().map(Email::as_str)].into_iter().flatten() {
        let found = store.find_account_by_login(text).await.expect("a look-up").expect("the user");
        assert_same(&found.user, &expected);
    }
}

/// Users of every sort are read back equal, in the writing of their owner.
pub async fn every_sort_is_read_back(store: &Arc<dyn Store>) {
    let service = NewUser { kind: AccountKind::Service, root_role: EDITOR, ..user_named("Deploy bot") };
    let named = NewUser {
        name: Some(PersonName::new("Ed Ødegård").expect("a name")),
        root_role: ADMIN,
        ..user(Some("ed"), Some("Ed.Odegard@Example.COM"))
    };
    for user in [service, named, user_with_email("VIEWER@example.com")] {
        is_read_back(store.as_ref(), user).await;
    }
}

/// The longest of everything, in a script of four bytes a character, is kept whole.
pub async fn the_longest_values_are_read_back(store: &Arc<dyn Store>) {
    let email = format!("{}@example.com", "é".repeat(121));
    let longest = NewUser {
        name: Some(PersonName::new(&"🎉".repeat(255)).expect("a name")),
        ..user(Some(&"🦀".repeat(255)), Some(&email))
    };
    is_read_back(store.as_ref(), longest).await;
}

/// Moments from the year 0000 to the year 9999 are kept to the millisecond.
pub async fn moments_of_all_years_are_read_back(store: &Arc<dyn Store>) {
    for (number, at) in (0..).zip(extreme_moments()) {
        is_read_back(store.as_ref(), NewUser { created_at: at, ..user_named(&format!("u{number}")) }).await;
    }
}

/// Every user has an id of their own, above 0: other numbers stand for actors that are no users.
pub async fn ids_are_positive_and_differ(store: &Arc<dyn Store>) {
    let mut ids = BTreeSet::new();
    for number in 0..5 {
        let id = given::user(store.as_ref(), &user_named(&format!("u{number}"))).await;
        assert!(id > UserId(0), "{id}");
        assert!(ids.insert(id), "{id} was given twice");
    }
    for unknown in [UserId(0), UserId(-1), UserId(i64::MAX), UserId(i64::MIN)] {
        assert_eq!(store.find_user(unknown).await.expect("a look-up"), None);
    }
}

/// The root role must be one, and one that is held for the whole instance.
pub async fn a_root_role_must_be_one(store: &Arc<dyn Store>) {
    for role in [OWNER, MEMBER, RoleId(99), RoleId(0), RoleId(-1), RoleId(i64::MAX)] {
        let new = NewUser { root_role: role, ..user_named("ed") };
        let event = user_created(&new);
        let refused = refusal(store.as_ref(), store.create_user(&new, None, &event)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Role(role)));
        assert_eq!(login(store.as_ref(), "ed").await, None);
    }
    for role in [ADMIN, EDITOR, VIEWER] {
        is_read_back(store.as_ref(), NewUser { root_role: role, ..user_named(&format!("u{role}")) }).await;
    }
}

/// User names are taken once, letter by letter; e-mail addresses in whatever case of letters, of any script.
pub async fn identities_are_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let id = given::user(store, &user(Some("ed"), Some("Åsa.Ed@Example.com"))).await;
    let taken = [
        user_named("ed"),
        user(Some("ed"), Some("other@example.com")),
        user_with_email("Åsa.Ed@Example.com"),
        user_with_email("åsa.ed@example.com"),
        user(Some("other"), Some("ÅSA.ED@EXAMPLE.COM")),
    ];
    for new in taken {
        let event = user_created(&new);
        let refused = refusal(store, store.create_user(&new, None, &event)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::UserIdentity), "{new:?}");
        assert_eq!(login(store, "other").await, None);
        assert_eq!(login(store, "other@example.com").await, None);
        assert_eq!(login(store, "ed").await, Some(id));
    }
    is_read_back(store, user(Some("ED"), Some("asa.ed@example.com"))).await;
    is_read_back(store, user(Some("Åsa"), None)).await;
    is_read_back(store, user(Some("åsa"), None)).await;
}

/// What a user does not have does not clash; nor does a user name with another's e-mail address.
pub async fn what_is_missing_does_not_clash(store: &Arc<dyn Store>) {
    for name in ["a", "b"] {
        is_read_back(store.as_ref(), user_named(name)).await;
    }
    for email in ["a@example.com", "b@example.com"] {
        is_read_back(store.as_ref(), user_with_email(email)).await;
    }
    given::user(store.as_ref(), &user_named("a@example.com")).await;
}

/// A login is a user name as it stands or an e-mail address in any case of letters, and nothing like either.
pub async fn a_login_is_a_user_name_or_an_email(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let lower = given::user(store, &user(Some("ed"), Some("Åsa@Example.com"))).await;
    let upper = given::user(store, &user_named("ED")).await;
    assert_eq!(login(store, "ed").await, Some(lower));
    assert_eq!(login(store, "ED").await, Some(upper));
    for email in ["Åsa@Example.com", "åsa@example.com", "ÅSA@EXAMPLE.COM"] {
        assert_eq!(login(store, email).await, Some(lower), "{email}");
    }
    for nobody in ["Ed", "", "e_", "%", "åsa@example.co_", "Åsa", "ed\0", "ed ", "' OR 1=1 --"] {
        assert_eq!(login(store, nobody).await, None, "{nobody:?}");
    }
}

/// Where one's user name is another's e-mail address, the user name is preferred, whoever came first.
pub async fn a_user_name_is_preferred(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let by_email = given::user(store, &user_with_email("first@example.com")).await;
    let by_name = given::user(store, &user_named("first@example.com")).await;
    assert_eq!(login(store, "first@example.com").await, Some(by_name));
    assert_eq!(login(store, "First@example.com").await, Some(by_email));

    let by_name = given::user(store, &user_named("second@example.com")).await;
    let by_email = given::user(store, &user_with_email("second@example.com")).await;
    assert_eq!(login(store, "second@example.com").await, Some(by_name));
    assert_eq!(login(store, "SECOND@example.com").await, Some(by_email));
}
