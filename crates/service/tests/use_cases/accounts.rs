//! Users, service accounts, and their personal tokens.

use latchkey_domain::{
    AccountKind, Description, Email, EventKind, PasswordFault, PersonName, RoleId, User, UserId, Username,
};
use latchkey_ports::Page;
use latchkey_service::{
    AdminCount, Caller, Field, Missing, PersonalTokenDraft, RoleReference, ServiceAccountDraft, ServiceError,
    SignedIn, UserChange, UserDraft,
};

use crate::support::{PASSWORD, TestEnv, moment, system};

fn role(name: &str) -> RoleReference {
    RoleReference::Name(name.to_owned())
}

fn ed() -> UserDraft {
    UserDraft {
        username: Username::new("ed").ok(),
        email: Email::new("Ed@example.com").ok(),
        name: PersonName::new("Ed").ok(),
        root_role: RoleReference::Id(RoleId(2)),
        password: None,
    }
}

fn pat(description: &str) -> PersonalTokenDraft {
    let description = Description::new(description).expect("text");
    PersonalTokenDraft { description, expires_at: moment(1_800_000_000_000) }
}

#[tokio::test]
async fn a_user_is_made_changed_and_removed_with_an_event_each() {
    let env = TestEnv::new();
    env.user("root", "Admin").await;
    let users = &env.use_cases.users;
    let made = users.create(&system(), ed()).await.expect("created");
    let change =
        UserChange { name: PersonName::new("Edna").ok(), email: None, root_role: Some(role("viewer")) };
    let changed = users.update(&system(), made.id, &change).await.expect("changed");
    assert_eq!((changed.root_role, changed.name.as_ref().expect("named").as_str()), (RoleId(3), "Edna"));
    assert_eq!(users.get(&system(), made.id).await.expect("found"), changed);
    users.update(&system(), made.id, &change).await.expect("to what it is: no event");
    users.delete(&system(), made.id).await.expect("deleted");
    let again = users.delete(&system(), made.id).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::User))), "{again:?}");
    let expected = [EventKind::UserCreated, EventKind::UserUpdated, EventKind::UserDeleted];
    assert_eq!(env.kinds_since(1).await, expected);
}

#[tokio::test]
async fn what_cannot_be_a_user_leaves_nothing_behind() {
    let env = TestEnv::new();
    let users = &env.use_cases.users;
    users.create(&system(), ed()).await.expect("created");
    let other = || UserDraft { username: Username::new("other").ok(), email: None, ..ed() };
    let field = |refusal: ServiceError| match refusal {
        ServiceError::Invalid { field, .. } => field,
        other => panic!("expected Invalid, got {other:?}"),
    };
    let nameless = UserDraft { username: None, email: None, ..ed() };
    assert_eq!(field(users.create(&system(), nameless).await.expect_err("nameless")), None);
    let same_address = UserDraft { email: Email::new("ED@example.com").ok(), ..other() };
    assert_eq!(field(users.create(&system(), same_address).await.expect_err("in use")), None);
    for unknown in [RoleReference::Id(RoleId(99)), role("Nope"), role("Member")] {
        let refused = users.create(&system(), UserDraft { root_role: unknown, ..other() }).await;
        assert_eq!(field(refused.expect_err("no such role")), Some(Field::Body("rootRole")));
    }
    let weak = UserDraft { password: Some("short".to_owned()), ..other() };
    let refused = users.create(&system(), weak).await.expect_err("weak");
    assert!(
        matches!(&refused, ServiceError::WeakPassword(faults) if *faults == [PasswordFault::TooShort]),
        "{refused:?}"
    );
    assert_eq!(env.events().await.len(), 1);
}

#[tokio::test]
async fn login_names_are_unique_across_user_names_and_addresses() {
    let env = TestEnv::new();
    let users = &env.use_cases.users;
    let named = |name: &str| UserDraft { username: Username::new(name).ok(), email: None, ..ed() };
    let edna = users.create(&system(), ed()).await.expect("created");
    users.create(&system(), named("bo@example.com")).await.expect("created");
    let in_use = |refused: Result<User, ServiceError>| {
        let Err(ServiceError::Invalid { message, .. }) = refused else { panic!("{refused:?}") };
        assert!(message.as_str().contains("in use"), "{message}");
    };
    in_use(users.create(&system(), named("ed@example.com")).await);
    let email = Email::new("bo@example.com").ok();
    in_use(users.create(&system(), UserDraft { email: email.clone(), username: None, ..ed() }).await);
    in_use(users.update(&system(), edna.id, &UserChange { email, ..UserChange::default() }).await);
    // What is one's own is free.
    let email = Email::new("edna@example.com").ok();
    users.update(&system(), edna.id, &UserChange { email, ..UserChange::default() }).await.expect("changed");
}

#[tokio::test]
async fn the_last_admin_stays() {
    let env = TestEnv::new();
    let users = &env.use_cases.users;
    let root = env.user("root", "Admin").await;
    let other = env.user("other", "Admin").await;
    let demotion = UserChange { root_role: Some(role("Viewer")), ..UserChange::default() };
    users.update(&system(), other.id, &demotion).await.expect("one is left");
    for refused in
        [users.update(&system(), root.id, &demotion).await.map(drop), users.delete(&system(), root.id).await]
    {
        assert!(matches!(refused, Err(ServiceError::NotPermitted(_))), "{refused:?}");
    }
    env.use_cases
        .service_accounts
        .create(&system(), robot("Admin"))
        .await
        .expect("but it cannot sign in, so it does not count");
    assert!(users.delete(&system(), root.id).await.is_err());
}

fn robot(root_role: &str) -> ServiceAccountDraft {
    let username = Username::new("robot").expect("a name");
    ServiceAccountDraft { username, name: PersonName::new("Robot").ok(), root_role: role(root_role) }
}

#[tokio::test]
async fn a_service_account_acts_by_its_tokens_and_cannot_sign_in() {
    let env = TestEnv::new();
    let accounts = &env.use_cases.service_accounts;
    let robot = accounts.create(&system(), robot("Editor")).await.expect("created");
    assert_eq!(robot.kind, AccountKind::Service);
    let issued = accounts.create_token(&system(), robot.id, pat("ci")).await.expect("issued");
    let principal = env.use_cases.authenticator.authenticate(issued.secret.reveal(), None).await;
    assert!(!principal.expect("accepted").grants().iter().collect::<Vec<_>>().is_empty());
    let (directory, tokens) = accounts.list(&system(), Page::default()).await.expect("listed");
    assert_eq!((directory.users.len(), tokens.len()), (1, 1));
    assert!(env.use_cases.users.get(&system(), robot.id).await.is_err(), "it is no person");
    accounts.delete_token(&system(), robot.id, issued.token.id).await.expect("revoked");
    assert!(env.use_cases.authenticator.authenticate(issued.secret.reveal(), None).await.is_err());
    let again = accounts.delete_token(&system(), robot.id, issued.token.id).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::PersonalToken))), "{again:?}");
    accounts.delete(&system(), robot.id).await.expect("deleted");
    let expected = [
        EventKind::ServiceAccountCreated,
        EventKind::PersonalTokenCreated,
        EventKind::PersonalTokenDeleted,
        EventKind::ServiceAccountDeleted,
    ];
    assert_eq!(env.kinds_since(0).await, expected);
}

#[tokio::test]
async fn personal_tokens_are_the_users_own() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    env.user("eve", "Viewer").await;
    let [ed, eve] = [env.signed_in("ed").await, env.signed_in("eve").await]
        .map(|caller| SignedIn::request(&caller).expect("a user"));
    let tokens = &env.use_cases.personal_tokens;
    let first = tokens.create(&ed, pat("a")).await.expect("issued");
    assert!(matches!(tokens.create(&ed, pat("a")).await, Err(ServiceError::Exists(_))));
    tokens.create(&eve, pat("a")).await.expect("another user's description");
    let events = env.events().await.len();
    let stolen = tokens.delete(&eve, first.token.id).await;
    assert!(matches!(stolen, Err(ServiceError::NotFound(Missing::PersonalToken))), "{stolen:?}");
    assert_eq!(env.events().await.len(), events);
    tokens.create(&ed, pat("b")).await.expect("issued");
    assert!(
        matches!(tokens.create(&ed, pat("c")).await, Err(ServiceError::NotPermitted(_))),
        "two are the most"
    );
    assert_eq!(tokens.list(&ed).await.expect("listed").len(), 2);
    tokens.delete(&ed, first.token.id).await.expect("revoked");
    assert!(env.use_cases.authenticator.authenticate(first.secret.reveal(), None).await.is_err());
    let past = PersonalTokenDraft { expires_at: moment(1_700_000_000_000), ..pat("past") };
    assert!(
        matches!(tokens.create(&ed, past).await, Err(ServiceError::Invalid { .. })),
        "it would have ended already"
    );
}

#[tokio::test]
async fn an_api_token_is_no_user() {
    let env = TestEnv::new();
    let refused = SignedIn::request(&Caller::system()).expect_err("no user");
    assert!(matches!(refused, ServiceError::NotPermitted(_)));
    let missing = env.use_cases.users.get(&system(), UserId(99)).await;
    assert!(matches!(missing, Err(ServiceError::NotFound(Missing::User))));
    assert!(!PASSWORD.is_empty());
}

#[tokio::test]
async fn a_search_needs_two_characters() {
    let env = TestEnv::new();
    env.user("edna", "Viewer").await;
    let users = &env.use_cases.users;
    let found =
        |text: &'static str| async { users.search(&Caller::system(), text).await.expect("searched").len() };
    assert_eq!((found("e").await, found("DN").await, found("xx").await), (0, 1, 0));
}

#[tokio::test]
async fn admins_are_counted_by_how_they_come_in() {
    let env = TestEnv::new();
    env.user("root", "Admin").await;
    let users = &env.use_cases.users;
    users.create(&system(), UserDraft { root_role: role("Admin"), ..ed() }).await.expect("created");
    let count = users.admin_count(&system()).await.expect("counted");
    assert_eq!(count, AdminCount { with_password: 1, without_password: 1, services: 0 });
    env.use_cases.service_accounts.create(&system(), robot("Admin")).await.expect("created");
    let count = users.admin_count(&system()).await.expect("counted");
    assert_eq!(count, AdminCount { with_password: 1, without_password: 1, services: 1 });
    let accounts = users.all_accounts(&Caller::system()).await.expect("listed");
    let kinds: Vec<_> = accounts.iter().map(|user| user.kind).collect();
    assert_eq!(kinds, [AccountKind::Person, AccountKind::Person, AccountKind::Service]);
}
