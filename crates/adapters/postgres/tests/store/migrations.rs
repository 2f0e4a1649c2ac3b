//! What the migrations leave, and that any number of processes may run them at any time.

use std::{collections::BTreeMap, fs};

use latchkey_domain::ProjectVisibility;
use latchkey_ports::{
    AccessRepository, EnvironmentRepository, EventRepository, Page, ProjectQuery, ProjectRepository,
    initial_data,
};
use latchkey_postgres::{OpenError, PostgresSettings, PostgresStore};
use latchkey_testkit::database::TestDatabase;

use crate::databases::{migration_folders, store_on};

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
    assert_eq!(store.latest_event().await.expect("read").0, 0);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_left_alone() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    store.migrate().await.expect("migrated");
    let (client, connection) =
        tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.expect("connected");
    tokio::spawn(connection);
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
    client.batch_execute(newer).await.expect("a newer migration");
    let refused = store.migrate().await;
    assert!(matches!(&refused, Err(OpenError::NewerSchema { version }) if version == "9999"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_cannot_work_is_refused_without_repeating_it() {
    let refused = |url: &str| {
        let settings = PostgresSettings {
            url: url.to_owned(),
            pool_size: 1,
            statement_timeout: std::time::Duration::from_secs(1),
            acquire_timeout: std::time::Duration::from_secs(5),
            transaction_pooler: false,
        };
        PostgresStore::connect(&settings)
    };
    let tls = refused("postgres://u:hush@localhost/d?sslmode=require").expect_err("TLS");
    assert!(matches!(tls, OpenError::Tls(_)) && !tls.to_string().contains("hush"), "{tls}");
    let garbage = refused("postgres://u:hush@localhost:port/d").expect_err("no port");
    assert!(matches!(garbage, OpenError::Url(_)) && !garbage.to_string().contains("hush"), "{garbage}");
    let unreachable = refused("postgres://u:hush@127.0.0.1:1/d").expect("it reads well").migrate().await;
    assert!(matches!(unreachable, Err(OpenError::Unreachable(_))), "{unreachable:?}");
}
