//! Events of other processes are notified, also after the connection that listens was lost.

use std::time::Duration;

use latchkey_ports::{EventRepository, ProjectRepository};
use latchkey_postgres::PostgresStore;
use latchkey_storage_conformance::samples;
use latchkey_testkit::database::TestDatabase;
use tokio::time::timeout;

use crate::databases::{connected, migrated, migrated_as_if_pooled, store_on};

/// Another process, which records events.
struct Other {
    store: PostgresStore,
    projects: usize,
}

impl Other {
    fn on(database: &TestDatabase) -> Self {
        Self { store: store_on(database.url()), projects: 0 }
    }

    async fn record_an_event(&mut self) {
        self.projects += 1;
        let project = samples::project(&format!("p{}", self.projects));
        let event = samples::project_created(&project);
        self.store.create_project(&project, &[], None, &event).await.expect("an event");
    }
}

const LISTENERS: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN latchkey_events'";

async fn told(store: &PostgresStore, what: &str) {
    timeout(Duration::from_secs(60), store.event_announced()).await.expect(what);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_announced_when_it_is_committed() {
    let (store, database) = migrated().await;
    let mut other = Other::on(&database);
    assert!(!store.announces_events(), "no call waits, so no connection listens");
    told(&store, "that it listens from now on").await;
    assert!(store.announces_events());
    for _ in 0..3 {
        other.record_an_event().await;
        told(&store, "that there is an event").await;
    }
    // What fails is not announced.
    let project = samples::project("p3");
    other
        .store
        .create_project(&project, &[], None, &samples::project_created(&project))
        .await
        .expect_err("again");
    let more = timeout(Duration::from_millis(200), store.event_announced()).await;
    assert!(more.is_err(), "nothing was committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_lost_is_made_again() {
    let (store, database) = migrated().await;
    let client = connected(database.url()).await;
    told(&store, "that it listens from now on").await;
    let ended =
        client.query(&format!("SELECT pg_terminate_backend(pid) {LISTENERS}"), &[]).await.expect("ended");
    assert_eq!(ended.len(), 1, "one connection listens");
    told(&store, "that it listens no more").await;
    while !store.announces_events() {
        told(&store, "that it listens again, and may have missed something").await;
    }
    let mut other = Other::on(&database);
    other.record_an_event().await;
    told(&store, "that there is an event").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_no_connection_listens() {
    let (store, database) = migrated_as_if_pooled().await;
    let client = connected(database.url()).await;
    let told = timeout(Duration::from_millis(200), store.event_announced()).await;
    assert!(told.is_err() && !store.announces_events());
    let listeners = client.query_one(&format!("SELECT count(*) {LISTENERS}"), &[]).await.expect("counted");
    assert_eq!(listeners.get::<_, i64>(0), 0);
}
