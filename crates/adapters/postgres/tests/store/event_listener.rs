//! Whoever waits for events is told of those of other processes, also after the connection that listens was lost.

use std::time::Duration;

use latchkey_ports::EventRepository;
use latchkey_postgres::PostgresStore;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::databases::{migrated, migrated_as_if_pooled};

const AN_EVENT: &str = "INSERT INTO events (kind, actor_name, actor_user_id, at, concerns)
    VALUES ('pat-created', 'somebody', 1, now(), 'nothing')";
const LISTENERS: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN latchkey_events'";

async fn connected(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

async fn told(store: &PostgresStore, what: &str) {
    timeout(Duration::from_secs(60), store.event_announced()).await.expect(what);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_announced_when_it_is_committed() {
    let (store, database) = migrated().await;
    let client = connected(database.url()).await;
    assert!(!store.announces_events(), "nobody waits, so nobody listens");
    told(&store, "that it listens from now on").await;
    assert!(store.announces_events());
    for _ in 0..3 {
        client.batch_execute(AN_EVENT).await.expect("an event");
        told(&store, "that there is an event").await;
    }
    // Events of one transaction are one announcement, and those of one that is given up none.
    client.batch_execute(&format!("BEGIN; {AN_EVENT}; {AN_EVENT}; COMMIT")).await.expect("two events");
    told(&store, "that there are events").await;
    client.batch_execute(&format!("BEGIN; {AN_EVENT}; ROLLBACK")).await.expect("none");
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
    client.batch_execute(AN_EVENT).await.expect("an event");
    told(&store, "that there is an event").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_nobody_listens() {
    let (store, database) = migrated_as_if_pooled().await;
    let client = connected(database.url()).await;
    let told = timeout(Duration::from_millis(200), store.event_announced()).await;
    assert!(told.is_err() && !store.announces_events());
    let listeners = client.query_one(&format!("SELECT count(*) {LISTENERS}"), &[]).await.expect("counted");
    assert_eq!(listeners.get::<_, i64>(0), 0);
}
