//! Imports: everything that another system has, added at once with its events, or nothing.

use std::sync::Arc;

use latchkey_domain::{EventKind, Project, ProjectMode, Role, RoleId, Snapshot, User, UserId};
use latchkey_ports::{
    Entity, Import, ImportedMemberships, ImportedPersonalToken, ImportedProject, ImportedUser, Reference,
    Store, StoredToken,
};

use crate::{
    harness::{ErrorKind, all_events, count_events, exactly_one_succeeds, expect_error, read_contents},
    samples::{
        ADMIN, MEMBER, OWNER, VIEWER, admin_token, environment, event, frontend, last_seen, moment, password,
        personal_token, project, project_created, project_id, project_role, role_created, root_role, secret,
        secret_shown_once, service_account, test_environment, token, token_of_all_projects, user, user_named,
        with_alias, working_in,
    },
    setup,
};

pub(crate) fn imported(new: &latchkey_domain::NewUser, root_role: Reference<RoleId>) -> ImportedUser {
    ImportedUser {
        identity: new.identity.clone(),
        name: new.name.clone(),
        kind: new.kind,
        root_role,
        created_at: new.created_at,
        last_seen_at: Some(moment(9)),
        password: Some(password(1)),
        event: event(EventKind::UserCreated),
    }
}

fn new_project(id: &str, environments: &[&str]) -> ImportedProject {
    let project = project(id);
    let event = project_created(&project);
    let environments = environments.iter().map(|name| environment(name)).collect();
    ImportedProject { project, environments, replaces: None, event }
}

pub(crate) fn given(
    project: &str,
    role: Reference<RoleId>,
    users: &[Reference<UserId>],
) -> ImportedMemberships {
    let users = users.iter().map(|user| (*user, moment(3))).collect();
    ImportedMemberships {
        project: project_id(project),
        role,
        users,
        groups: Vec::new(),
        event: event(EventKind::ProjectAccessAdded),
    }
}

fn personal(user: Reference<UserId>, number: u64) -> ImportedPersonalToken {
    let sample = personal_token(UserId(0), &format!("token {number}"));
    ImportedPersonalToken {
        user,
        description: sample.description,
        expires_at: sample.expires_at,
        created_at: sample.created_at,
        last_used_at: Some(moment(8)),
        secret: secret_shown_once(number),
        event: event(EventKind::PersonalTokenCreated),
    }
}

/// One of everything, all of it new.
fn everything() -> Import {
    let environment = test_environment("staging");
    let roles = [root_role("operators", &[]), project_role("readers")];
    Import {
        environments: vec![(environment, event(EventKind::EnvironmentCreated))],
        projects: vec![new_project("shop", &["staging", "production"]), new_project("blog", &[])],
        roles: roles.into_iter().map(|role| (role.clone(), role_created(&role))).collect(),
        users: vec![
            imported(&user(Some("ada"), Some("ada@example.com")), Reference::New(0)),
            imported(&service_account("deployer"), Reference::Existing(VIEWER)),
        ],
        groups: Vec::new(),
        memberships: vec![
            given("shop", Reference::New(1), &[Reference::New(0), Reference::New(1)]),
            given("default", Reference::Existing(MEMBER), &[Reference::New(0)]),
        ],
        personal_tokens: vec![personal(Reference::New(1), 71)],
        tokens: vec![
            last_seen(Some(moment(50)), token(1, &["shop", "blog"])),
            with_alias(102, token_of_all_projects(2)),
            frontend(working_in("staging", token(3, &["shop"]))),
            admin_token(4),
        ],
        token_events: vec![event(EventKind::ApiTokensImported)],
    }
}

/// An import brings one of everything, each as it was, with the events in the order of the lists.
pub async fn an_import_brings_everything_with_its_events(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let import = everything();
    let tokens = import.tokens.clone();
    store.import(import).await.expect("imported");
    let now = read_contents(store).await;
    assert_eq!(now.all_tokens, tokens);
    let counted: Vec<_> =
        now.projects.iter().map(|one| (one.project.id.as_str(), one.tokens, one.members)).collect();
    assert_eq!(counted, [("blog", 1, 0), ("default", 0, 1), ("shop", 2, 2)]);
    let shop = now.projects.last().expect("shop");
    assert_eq!(shop.environments, [environment("production"), environment("staging")]);

    let ada = store.find_account_by_login("ada@example.com").await.expect("a lookup").expect("ada");
    assert_eq!((ada.password, ada.user.last_seen_at), (Some(password(1)), Some(moment(9))));
    let roles: Vec<Role> = now.roles.into_iter().filter(|role| !role.kind.is_built_in()).collect();
    let [operators, readers] = roles.as_slice() else { panic!("two roles: {roles:?}") };
    assert_eq!(ada.user.root_role, operators.id);
    let User { id: deployer, .. } =
        store.find_account_by_login("deployer").await.expect("a lookup").expect("deployer").user;
    for user in [ada.user.id, deployer] {
        assert_eq!(
            store.roles_in_project(user.into(), &project_id("shop")).await.expect("roles"),
            [readers.id]
        );
    }
    let holder = store.find_personal_token_by_digest(&[secret(71).digest]).await.expect("a lookup");
    let holder = holder.expect("a token");
    assert_eq!((holder.user.id, holder.token.last_used_at), (deployer, Some(moment(8))));

    let kinds: Vec<EventKind> = now.events.iter().map(|event| event.record.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::EnvironmentCreated,
            EventKind::ProjectCreated,
            EventKind::ProjectCreated,
            EventKind::RoleCreated,
            EventKind::RoleCreated,
            EventKind::UserCreated,
            EventKind::UserCreated,
            EventKind::ProjectAccessAdded,
            EventKind::ProjectAccessAdded,
            EventKind::PersonalTokenCreated,
            EventKind::ApiTokensImported,
        ]
    );
    let after = |place: usize| now.events[place].record.after.clone().expect("a state");
    assert_eq!(after(5).to_json()["id"], ada.user.id.0);
    assert_eq!(after(5).to_json()["rootRole"], operators.id.0);
    assert_eq!(after(7), Snapshot::of_memberships(&[ada.user.id, deployer], &[], &[readers.id]));
    assert_eq!(after(9).to_json()["userId"], deployer.0);
}

/// What an import adds is found and can be changed as anything else.
pub async fn what_was_imported_is_found_and_removed_as_anything_else(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store.import(everything()).await.expect("imported");
    let aliased = with_alias(102, token_of_all_projects(2));
    let found =
        store.find_token_by_digest(&[secret(102).digest]).await.expect("a lookup").expect("its alias");
    assert_eq!(found.stored, aliased);
    let removal = crate::samples::project_removal("shop");
    store.delete_project(&removal).await.expect("deleted");
    assert_eq!(read_contents(store).await.all_tokens.len(), 3, "one token was of that project alone");
}

/// Users and roles that are there get what is new.
pub async fn an_import_can_refer_to_what_is_there(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::user(store, &user_named("grace")).await;
    let own = Reference::Existing(known);
    let import = Import {
        memberships: vec![given("default", Reference::Existing(OWNER), &[own])],
        personal_tokens: vec![personal(own, 5)],
        tokens: vec![token(1, &["default"])],
        ..Import::default()
    };
    store.import(import).await.expect("imported");
    let roles = store.roles_in_project(known.into(), &project_id("default")).await.expect("roles");
    assert_eq!(roles, [OWNER]);
    // A role that is held already is no conflict.
    let again = given("default", Reference::Existing(OWNER), &[own]);
    store.import(Import { memberships: vec![again], ..Import::default() }).await.expect("imported");
    assert_eq!(store.personal_tokens_of(&[known]).await.expect("tokens").len(), 1);
}

/// The project of a new instance becomes another, if it is still the one that was seen.
pub async fn a_project_is_replaced_if_it_is_unchanged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let before = store.find_project(&project_id("default")).await.expect("a lookup").expect("default");
    let after = Project { mode: ProjectMode::Private, updated_at: moment(9), ..before.clone() };
    let replacement = ImportedProject {
        project: after.clone(),
        environments: vec![environment("staging")],
        replaces: Some(before),
        event: event(EventKind::ProjectUpdated),
    };
    let environments = vec![(test_environment("staging"), event(EventKind::EnvironmentCreated))];
    let import = || Import {
        environments: environments.clone(),
        projects: vec![replacement.clone()],
        ..Import::default()
    };
    store.import(import()).await.expect("imported");
    let overview = store.project_overview(&project_id("default")).await.expect("a lookup").expect("default");
    assert_eq!((overview.project, overview.environments.len()), (after, 3));
    let stale = Import { environments: Vec::new(), ..import() };
    let expected = ErrorKind::Stale(Entity::Project(project_id("default")));
    assert_eq!(expect_error(store, store.import(stale)).await, expected);
}

/// If one entry is there already, or refers to something that is not, nothing is added.
pub async fn an_import_adds_all_or_nothing(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = setup::user(store, &user_named("grace")).await;
    setup::token(store, &token(9, &["default"])).await;
    let own = Reference::Existing(known);
    let viewer = Reference::Existing(VIEWER);
    let production = (test_environment("production"), event(EventKind::EnvironmentCreated));
    let conflict = ErrorKind::Conflict;
    let role = |role| ErrorKind::NotFound(Entity::Role(role));
    let two_of_one_name = vec![
        imported(&user_named("ada@example.com"), viewer),
        imported(&user(None, Some("ADA@example.com")), viewer),
    ];
    let same_secret = ImportedPersonalToken { secret: secret_shown_once(5), ..personal(own, 6) };
    let mut tokens = everything().tokens;
    tokens.push(StoredToken { alias: Some(secret(9)), ..token(8, &["shop"]) });
    let cases = [
        (
            Import { environments: vec![production], ..Import::default() },
            conflict(Entity::Environment(environment("production"))),
        ),
        (
            Import { projects: vec![new_project("default", &[])], ..Import::default() },
            conflict(Entity::Project(project_id("default"))),
        ),
        (
            Import {
                roles: vec![(project_role("Admin"), event(EventKind::RoleCreated))],
                ..Import::default()
            },
            conflict(Entity::RoleName),
        ),
        (
            Import { users: vec![imported(&user_named("grace"), viewer)], ..Import::default() },
            conflict(Entity::UserIdentity),
        ),
        (Import { users: two_of_one_name, ..Import::default() }, conflict(Entity::UserIdentity)),
        (
            Import { personal_tokens: vec![personal(own, 5), same_secret], ..Import::default() },
            conflict(Entity::Secret),
        ),
        (Import { tokens, ..everything() }, conflict(Entity::Secret)),
        (
            Import { tokens: vec![token(5, &["gone"])], ..everything() },
            ErrorKind::NotFound(Entity::Project(project_id("gone"))),
        ),
        (
            Import { tokens: vec![working_in("gone", token(5, &["shop"]))], ..everything() },
            ErrorKind::NotFound(Entity::Environment(environment("gone"))),
        ),
        (
            Import {
                memberships: vec![given("default", Reference::Existing(ADMIN), &[own])],
                ..Import::default()
            },
            role(ADMIN),
        ),
        (
            Import {
                users: vec![imported(&user_named("eve"), Reference::Existing(MEMBER))],
                ..Import::default()
            },
            role(MEMBER),
        ),
        (
            Import {
                memberships: vec![given(
                    "default",
                    Reference::Existing(MEMBER),
                    &[Reference::Existing(UserId(999))],
                )],
                ..Import::default()
            },
            ErrorKind::NotFound(Entity::User(UserId(999))),
        ),
    ];
    for (import, expected) in cases {
        let found = expect_error(store, store.import(import.clone())).await;
        assert_eq!(found, expected, "{import:?}");
    }
}

/// Of several imports of the same tokens at once, one succeeds.
pub async fn of_equal_imports_one_succeeds(store: &Arc<dyn Store>) {
    let import = Import {
        tokens: vec![token(1, &["default"])],
        token_events: vec![event(EventKind::ApiTokensImported)],
        ..Import::default()
    };
    let calls = (0..4).map(|_| {
        let (store, import) = (Arc::clone(store), import.clone());
        async move { store.import(import).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Secret), calls).await;
    let contents = read_contents(store.as_ref()).await;
    assert_eq!((contents.all_tokens.len(), count_events(&contents, EventKind::ApiTokensImported)), (1, 1));
}

/// Thousands of tokens are one import.
pub async fn thousands_of_tokens_are_one_import(store: &Arc<dyn Store>) {
    let tokens: Vec<StoredToken> = (0..2_500).map(|number| token(number, &["default"])).collect();
    let token_events = vec![event(EventKind::ApiTokensImported)];
    store.import(Import { tokens, token_events, ..Import::default() }).await.expect("imported");
    let overview = store.project_overview(&project_id("default")).await.expect("a lookup").expect("default");
    assert_eq!((overview.tokens, all_events(store.as_ref()).await.len()), (2_500, 1));
}
