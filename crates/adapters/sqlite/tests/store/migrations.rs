//! Bringing the tables up to date.

use std::{sync::Barrier, thread};

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use latchkey_domain::Visibility;
use latchkey_ports::{
    AccessRepository, EnvironmentOverview, EnvironmentRepository, EventRepository, Health, Page,
    ProjectOverview, ProjectQuery, ProjectRepository, TokenRepository, fresh,
};
use latchkey_sqlite::{OpenError, SqliteStore};
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, open, raw, settings, token};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");
/// How many there are.
const NUMBER: usize = 2;

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
        assert_eq!(done, NUMBER, "each migration ran once");
    }
}

#[tokio::test]
async fn a_new_store_holds_what_every_new_store_holds() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory.path().join("a.db"));
    assert_eq!(store.roles().await.expect("reads"), fresh::roles());
    let environments = store.environments().await.expect("reads");
    let expected = fresh::environments().expect("good names");
    let expected = expected.map(|environment| EnvironmentOverview { environment, projects: 1, tokens: 0 });
    assert_eq!(environments, expected);
    let everything = ProjectQuery { visibility: Visibility::All, archived: false, page: Page::default() };
    let projects = store.projects(&everything).await.expect("reads");
    let created_at = projects[0].project.created_at;
    let expected = ProjectOverview {
        project: fresh::project(created_at).expect("good names"),
        members: 0,
        tokens: 0,
        environments: environments.iter().map(|overview| overview.environment.name.clone()).collect(),
    };
    assert_eq!(projects, [expected]);
    assert!(created_at.to_string().as_str() > "2025", "{created_at}");
    assert_eq!(store.latest_event().await.expect("reads").0, 0);
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
    connection.revert_all_migrations(MIGRATIONS).expect("reverts");
    let left: Vec<Name> = sql_query("SELECT name FROM sqlite_schema WHERE name NOT LIKE '%sqlite%'")
        .load(&mut connection)
        .expect("reads");
    let left: Vec<&str> = left.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(left, ["__diesel_schema_migrations"]);
    drop(connection);

    let store = SqliteStore::open(settings(&path)).expect("opens");
    assert!(store.ping().await.is_err(), "without tables it is not healthy");
    assert_eq!(store.migrate().expect("migrates"), NUMBER);
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
