//! Several servers in one URL, of which some do not answer or do not accept writes.

use std::{net::TcpListener, str::FromStr, time::Duration};

use latchkey_domain::EventKind;
use latchkey_ports::{EnvironmentRepository, Health, ProjectRepository, StoreError};
use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_storage_conformance::samples;
use latchkey_testkit::cluster::connect;
use tokio_postgres::{Config, config::Host};

use crate::databases::migrated;

/// Returns the URL of a database with two other servers of this machine before its own.
fn behind([first, second]: [u16; 2], url: &str) -> String {
    let config = Config::from_str(url).expect("a URL");
    let [Host::Tcp(host)] = config.get_hosts() else { panic!("one host: {url}") };
    let own = format!("{host}:{}", config.get_ports().first().expect("a port"));
    url.replace(&own, &format!("127.0.0.1:{first},127.0.0.1:{second},{own}"))
}

/// A server that is silent would hold up a connection attempt for the whole of this time.
fn patient(url: &str) -> PostgresSettings {
    PostgresSettings { acquire_timeout: Duration::from_secs(3_600), ..PostgresSettings::new(url) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_host_and_a_missing_one_hold_up_no_connection() {
    let (_store, database) = migrated().await;
    // The kernel accepts its connections, and nothing answers them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let missing = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ports = [&silent, &missing].map(|listener| listener.local_addr().expect("known").port());
    drop(missing);
    let store = PostgresStore::connect(&patient(&behind(ports, database.url()))).expect("a URL");
    store.ping().await.expect("over a shared connection");
    assert!(!store.environments().await.expect("over a pooled connection").is_empty());
    assert_eq!(store.migrate().await.expect("over a connection of its own"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_accepts_no_writes_is_replaced() {
    let (_store, database) = migrated().await;
    let client = connect(database.url()).await.expect("connected");
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    let change = |value: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
    client.batch_execute(&change("on")).await.expect("read-only");
    // One pooled connection, which would be used for every write.
    let settings = PostgresSettings { pool_size: 2, ..PostgresSettings::new(database.url()) };
    let store = PostgresStore::connect(&settings).expect("a URL");
    let event = samples::event(EventKind::ProjectCreated);
    let refused = store.create_project(&samples::project("p"), &[], None, &event).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    client.batch_execute(&change("off")).await.expect("writable");
    store.create_project(&samples::project("p"), &[], None, &event).await.expect("over a new connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_which_none_is_the_primary_fail_at_once() {
    let (_store, database) = migrated().await;
    let client = connect(database.url()).await.expect("connected");
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    client.batch_execute(&read_only).await.expect("read-only");
    let config = Config::from_str(database.url()).expect("a URL");
    let standby = *config.get_ports().first().expect("a port");
    let missing = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = missing.local_addr().expect("known").port();
    drop(missing);
    let store = PostgresStore::connect(&patient(&behind([port, standby], database.url()))).expect("a URL");
    let refused = store.ping().await.expect_err("no primary");
    assert!(refused.to_string().contains("unavailable"), "{refused:?}");
}
