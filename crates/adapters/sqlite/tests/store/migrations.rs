//! Bringing the tables up to date.

use std::{sync::Barrier, thread};

use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text, sqlite::Sqlite,
};
use diesel_migrations::MigrationHarness;
use latchkey_domain::{AccountKind, ProjectMode, ProjectVisibility, UserId};
use latchkey_ports::{
    AccessRepository, EnvironmentOverview, EnvironmentRepository, Health, Page, ProjectOverview,
    ProjectQuery, ProjectRepository, TokenRepository, UserRepository, initial_data,
};
use latchkey_sql::migrations::{SQLITE, versions};
use latchkey_sqlite::{OpenError, SqliteStore};
use latchkey_storage_conformance::event_log::latest_event;
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, open, raw, settings, token};

#[test]
fn any_number_may_open_and_migrate_a_new_file_at_once() {
    for _ in 0..10 {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("a.db");
        let barrier = Barrier::new(6);
        let migrate = || {
            barrier.wait();
            let store = SqliteStore::open(settings(&path)).expect("opens");
            store.migrate().expect("migrates")
        };
        let done: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(migrate)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(done, versions::<Sqlite>(&SQLITE).expect("read").len(), "each migration ran once");
    }
}

#[tokio::test]
async fn a_new_store_holds_what_every_new_store_holds() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory.path().join("a.db"));
    assert_eq!(store.roles().await.expect("reads"), initial_data::roles());
    let environments = store.environments().await.expect("reads");
    let expected = initial_data::environments().expect("good names");
    let expected = expected.map(|environment| EnvironmentOverview { environment, projects: 1, tokens: 0 });
    assert_eq!(environments, expected);
    let everything =
        ProjectQuery { visibility: ProjectVisibility::All, archived: false, page: Page::default() };
    let projects = store.projects(&everything).await.expect("reads");
    let created_at = projects[0].project.created_at;
    let expected = ProjectOverview {
        project: initial_data::project(created_at).expect("good names"),
        members: 0,
        tokens: 0,
        environments: environments.iter().map(|overview| overview.environment.name.clone()).collect(),
    };
    assert_eq!(projects, [expected]);
    assert!(created_at.to_string().as_str() > "2025", "{created_at}");
    assert_eq!(latest_event(&store).await.0, 0);
}

/// What the first schema held: a project, a member, a token of two projects and one of all.
const OF_THE_FIRST_SCHEMA: &str = "
    INSERT INTO projects VALUES ('old', 'Old', '', 1000, NULL), ('kept', 'Kept', '', 1000, 5000);
    INSERT INTO users VALUES (7, 'ed', NULL, NULL, NULL, 'person', 1, 2000);
    INSERT INTO memberships VALUES (7, 'old', 4);
    INSERT INTO api_tokens VALUES
        (unhex('018bcfe568007000800000000000aaaa'), 'a', 'client', 0, 2, 'development', NULL, 1700000000000, NULL,
         unhex(printf('%064x', 1)), x'00000000', NULL, NULL, NULL, NULL),
        (unhex('018bcfe568007000800000000000bbbb'), 'b', 'client', 1, 0, 'production', NULL, 1700000000000, NULL,
         unhex(printf('%064x', 2)), x'00000000', NULL, NULL, NULL, NULL);
    INSERT INTO api_token_projects
    SELECT column1, unhex('018bcfe568007000800000000000aaaa'), column2 FROM (VALUES ('old', 0), ('default', 1));";

#[tokio::test]
async fn a_store_of_the_first_schema_keeps_what_it_has() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let mut connection = raw(&path);
    connection.run_next_migration(SQLITE).expect("the first schema");
    connection.batch_execute(OF_THE_FIRST_SCHEMA).expect("written");
    drop(connection);

    let store = open(&path);
    let shown =
        |archived| ProjectQuery { visibility: ProjectVisibility::All, archived, page: Page::default() };
    let projects = store.projects(&shown(false)).await.expect("reads");
    let numbers: Vec<_> =
        projects.iter().map(|one| (one.project.id.as_str(), one.members, one.tokens)).collect();
    assert_eq!(numbers, [("default", 0, 1), ("old", 1, 1)]);
    let archive = store.projects(&shown(true)).await.expect("reads");
    for overview in projects.iter().chain(&archive) {
        // Until then, tokens of a project could be for any environment.
        assert_eq!(overview.environments.len(), 2, "{overview:?}");
        assert_eq!(overview.project.mode, ProjectMode::Open);
    }
    assert_eq!(projects[1].project.updated_at.millis(), 1_000);
    assert_eq!(archive[0].project.updated_at.millis(), 5_000);

    let environments = store.environments().await.expect("reads");
    let numbers: Vec<_> = environments.iter().map(|one| (one.projects, one.tokens)).collect();
    assert_eq!(numbers, [(3, 1), (3, 1)]);
    let members = store.members(&projects[1].project.id).await.expect("reads");
    assert_eq!(members[0].added_at.millis(), 2_000, "the earliest that it can have been");
    assert_eq!(members[0].user.last_seen_at, None);
    assert_eq!(store.find_account(UserId(7)).await.expect("reads").expect("there").password, None);
}

/// Users of a version without `login_names`: names that differ only in case, and user names that are another's address.
const USERS_WITH_A_NAME_IN_COMMON: &str = "
    INSERT INTO users (id, username, email, email_key, account_kind, root_role_id, created_at) VALUES
        (11, 'first', 'Ann@example.org', 'ann@example.org', 'person', 1, 0),
        (12, 'Ann@example.org', NULL, NULL, 'person', 1, 0),
        (13, 'ANN@example.org', 'third@example.org', 'third@example.org', 'person', 1, 0),
        (14, NULL, 'fourth@example.org', 'fourth@example.org', 'person', 1, 0),
        (15, 'fourth@example.org', NULL, NULL, 'person', 1, 0);";

#[tokio::test]
async fn users_with_a_name_in_common_are_kept_and_log_in_as_before() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let mut connection = raw(&path);
    for _ in 0..3 {
        connection.run_next_migration(SQLITE).expect("a migration of the older version");
    }
    connection.batch_execute(USERS_WITH_A_NAME_IN_COMMON).expect("written");
    drop(connection);

    let store = open(&path);
    let ids = store.users(AccountKind::Person, Page::default()).await.expect("reads");
    assert_eq!(ids.iter().map(|user| user.id.0).collect::<Vec<_>>(), [11, 12, 13, 14, 15]);
    for (login, id) in [
        ("first", 11),
        ("Ann@example.org", 12),
        ("ANN@example.org", 13),
        ("ann@example.org", 11),
        ("third@example.org", 13),
        ("fourth@example.org", 15),
    ] {
        let account = store.find_account_by_login(login).await.expect("reads").expect("an account");
        assert_eq!(account.user.id.0, id, "{login}");
    }
    let names: Vec<Name> = sql_query("SELECT name || ' ' || user_id AS name FROM login_names ORDER BY name")
        .load(&mut raw(&path))
        .expect("reads");
    let names: Vec<&str> = names.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["ann@example.org 12", "first 11", "fourth@example.org 15", "third@example.org 13"]);
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[tokio::test]
async fn down_removes_everything_and_up_brings_it_back() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    let kept = token(1);
    store.create_token(&kept, NO_LIMIT, &created(&kept)).await.expect("created");
    drop(store);

    let mut connection = raw(&path);
    connection.batch_execute("PRAGMA foreign_keys = ON;").expect("a pragma");
    connection.revert_all_migrations(SQLITE).expect("reverts");
    let left: Vec<Name> = sql_query("SELECT name FROM sqlite_schema WHERE name NOT LIKE '%sqlite%'")
        .load(&mut connection)
        .expect("reads");
    let left: Vec<&str> = left.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(left, ["__diesel_schema_migrations"]);
    drop(connection);

    let store = SqliteStore::open(settings(&path)).expect("opens");
    assert!(store.ping().await.is_err(), "without tables it is not healthy");
    assert_eq!(store.migrate().expect("migrates"), versions::<Sqlite>(&SQLITE).expect("read").len());
    assert_eq!(store.migrate().expect("migrates"), 0);
    store.ping().await.expect("healthy");
    store.create_token(&kept, NO_LIMIT, &created(&kept)).await.expect("created");
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    raw(&path)
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999');")
        .expect("written");
    let error = store.migrate().expect_err("refused");
    assert!(matches!(&error, OpenError::NewerSchema { version, .. } if version == "9999"));
    assert!(error.to_string().contains("a.db"), "{error}");
}
