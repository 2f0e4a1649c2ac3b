//! What the migrations leave, and that any number of processes may run them at any time.

use std::{collections::BTreeMap, fs};

use latchkey_domain::{AccountKind, ProjectVisibility};
use latchkey_ports::{
    AccessRepository, EnvironmentRepository, Page, ProjectQuery, ProjectRepository, UserRepository,
    initial_data,
};
use latchkey_postgres::{OpenError, PostgresSettings, PostgresStore};
use latchkey_storage_conformance::event_log::latest_event;
use latchkey_testkit::database::TestDatabase;

use crate::databases::{connected, migration_folders, store_on};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_holds_the_initial_data() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    assert_eq!(store.migrate().await.expect("migrated"), migration_folders().len());
    assert_eq!(store.migrate().await.expect("nothing left to do"), 0);
    assert_eq!(store.roles().await.expect("read"), initial_data::roles());
    let environments = store.environments().await.expect("read");
    let kept: Vec<_> = environments.iter().map(|overview| overview.environment.clone()).collect();
    assert_eq!(kept, initial_data::environments().expect("good names"));
    assert!(environments.iter().all(|overview| (overview.projects, overview.tokens) == (1, 0)));
    let query = ProjectQuery { visibility: ProjectVisibility::All, archived: false, page: Page::default() };
    let projects = store.projects(&query).await.expect("read");
    let [overview] = projects.as_slice() else { panic!("one project, not {projects:?}") };
    assert_eq!(overview.project, initial_data::project(overview.project.created_at).expect("good names"));
    assert_eq!((overview.members, overview.tokens), (0, 0));
    let names: Vec<_> = kept.into_iter().map(|environment| environment.name).collect();
    assert_eq!(overview.environments, names);
    assert_eq!(latest_event(&store).await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_start_at_once_each_migration_is_run_by_one() {
    let database = TestDatabase::empty();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let store = store_on(database.url());
            tokio::spawn(async move { store.migrate().await.expect("migrated") })
        })
        .collect();
    let mut done = BTreeMap::new();
    for start in starts {
        *done.entry(start.await.expect("no panic")).or_insert(0) += 1;
    }
    assert_eq!(done, BTreeMap::from([(0, 5), (migration_folders().len(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_down_leads_back_up() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    store.migrate().await.expect("migrated");
    let (client, connection) =
        tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.expect("connected");
    let driver = tokio::spawn(connection);
    for folder in migration_folders().iter().rev() {
        let down = fs::read_to_string(folder.join("down.sql")).expect("a way down");
        client.batch_execute(&down).await.expect("the way down");
    }
    client.batch_execute("DELETE FROM __diesel_schema_migrations").await.expect("forgotten");
    assert_eq!(store.migrate().await.expect("migrated again"), migration_folders().len());
    drop(client);
    driver.await.expect("no panic").expect("a clean end");
}

/// Users of a version without `login_names`: names that differ only in case, and user names that are another's address.
const USERS_WITH_A_NAME_IN_COMMON: &str = "
    INSERT INTO users (id, username, email, email_key, account_kind, root_role_id, created_at)
    OVERRIDING SYSTEM VALUE VALUES
        (11, 'first', 'Ann@example.org', 'ann@example.org', 'person', 1, now()),
        (12, 'Ann@example.org', NULL, NULL, 'person', 1, now()),
        (13, 'ANN@example.org', 'third@example.org', 'third@example.org', 'person', 1, now()),
        (14, NULL, 'fourth@example.org', 'fourth@example.org', 'person', 1, now()),
        (15, 'fourth@example.org', NULL, NULL, 'person', 1, now());";

#[tokio::test(flavor = "multi_thread")]
async fn users_with_a_name_in_common_are_kept_and_log_in_as_before() {
    let database = TestDatabase::empty();
    let client = connected(database.url()).await;
    let table = "CREATE TABLE __diesel_schema_migrations (
        version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    client.batch_execute(table).await.expect("the table of migrations");
    for folder in migration_folders().iter().take(5) {
        let up = fs::read_to_string(folder.join("up.sql")).expect("a migration");
        client.batch_execute(&up).await.expect("a migration of the older version");
        let version =
            folder.file_name().and_then(|name| name.to_str()?.split('_').next()).expect("a version");
        let applied = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
        client.batch_execute(&applied).await.expect("recorded");
    }
    client.batch_execute(USERS_WITH_A_NAME_IN_COMMON).await.expect("written");

    let store = store_on(database.url());
    assert_eq!(store.migrate().await.expect("migrated"), migration_folders().len() - 5);
    let users = store.users(AccountKind::Person, Page::default()).await.expect("read");
    assert_eq!(users.iter().map(|user| user.id.0).collect::<Vec<_>>(), [11, 12, 13, 14, 15]);
    for (login, id) in [
        ("first", 11),
        ("Ann@example.org", 12),
        ("ANN@example.org", 13),
        ("ann@example.org", 11),
        ("third@example.org", 13),
        ("fourth@example.org", 15),
    ] {
        let account = store.find_account_by_login(login).await.expect("read").expect("an account");
        assert_eq!(account.user.id.0, id, "{login}");
    }
    let rows = client.query("SELECT name, user_id FROM login_names ORDER BY name", &[]).await.expect("read");
    let names: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let names: Vec<(&str, i64)> = names.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    let expected =
        [("ann@example.org", 12), ("first", 11), ("fourth@example.org", 15), ("third@example.org", 13)];
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_left_alone() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    store.migrate().await.expect("migrated");
    let client = connected(database.url()).await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
    client.batch_execute(newer).await.expect("a newer migration");
    let refused = store.migrate().await;
    assert!(matches!(&refused, Err(OpenError::NewerSchema { version }) if version == "9999"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_cannot_work_is_refused_without_repeating_it() {
    let refused = |url: &str| PostgresStore::connect(&PostgresSettings::new(url));
    let tls = refused("postgres://u:hush@localhost/d?sslmode=verify").expect_err("TLS");
    assert!(matches!(tls, OpenError::Tls(_)) && !tls.to_string().contains("hush"), "{tls}");
    let garbage = refused("postgres://u:hush@localhost:port/d").expect_err("no port");
    assert!(matches!(garbage, OpenError::Url(_)) && !garbage.to_string().contains("hush"), "{garbage}");
    let unreachable = refused("postgres://u:hush@127.0.0.1:1/d").expect("it reads well").migrate().await;
    assert!(matches!(unreachable, Err(OpenError::Unreachable(_))), "{unreachable:?}");
}
