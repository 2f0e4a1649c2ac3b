//! What the migrations leave, and that they can be run by anybody at any time.

use std::collections::BTreeMap;

use latchkey_domain::ProjectVisibility;
use latchkey_ports::{
    AccessRepository, EnvironmentRepository, EventRepository, Page, ProjectQuery, ProjectRepository, fresh,
};
use latchkey_postgres::{OpenError, PostgresSettings, PostgresStore};
use latchkey_test_database::TestDatabase;

use crate::databases::store_on;

/// From the newest to the oldest.
const DOWN: [&str; 8] = [
    include_str!("../../../../../migrations/postgres/0008_login_names/down.sql"),
    include_str!("../../../../../migrations/postgres/0007_event_subjects/down.sql"),
    include_str!("../../../../../migrations/postgres/0006_token_attributes/down.sql"),
    include_str!("../../../../../migrations/postgres/0005_role_ids/down.sql"),
    include_str!("../../../../../migrations/postgres/0004_announced_events/down.sql"),
    include_str!("../../../../../migrations/postgres/0003_member_counts/down.sql"),
    include_str!("../../../../../migrations/postgres/0002_access_model/down.sql"),
    include_str!("../../../../../migrations/postgres/0001_first_schema/down.sql"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_holds_what_a_fresh_store_holds() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    assert_eq!(store.migrate().await.expect("migrated"), 8);
    assert_eq!(store.migrate().await.expect("nothing left to do"), 0);
    assert_eq!(store.roles().await.expect("read"), fresh::roles());
    let environments = store.environments().await.expect("read");
    let kept: Vec<_> = environments.iter().map(|overview| overview.environment.clone()).collect();
    assert_eq!(kept, fresh::environments().expect("good names"));
    assert!(environments.iter().all(|overview| (overview.projects, overview.tokens) == (1, 0)));
    let query = ProjectQuery { visibility: ProjectVisibility::All, archived: false, page: Page::default() };
    let projects = store.projects(&query).await.expect("read");
    let [overview] = projects.as_slice() else { panic!("one project, not {projects:?}") };
    assert_eq!(overview.project, fresh::project(overview.project.created_at).expect("good names"));
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
    assert_eq!(done, BTreeMap::from([(0, 5), (8, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_down_leads_back_up() {
    let database = TestDatabase::empty();
    let store = store_on(database.url());
    store.migrate().await.expect("migrated");
    let (client, connection) =
        tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.expect("connected");
    let driver = tokio::spawn(connection);
    for down in DOWN {
        client.batch_execute(down).await.expect("the way down");
    }
    client.batch_execute("DELETE FROM __diesel_schema_migrations").await.expect("forgotten");
    assert_eq!(store.migrate().await.expect("migrated again"), 8);
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
    let nobody = refused("postgres://u:hush@127.0.0.1:1/d").expect("it reads well").migrate().await;
    assert!(matches!(nobody, Err(OpenError::Unreachable(_))), "{nobody:?}");
}
