//! Throwaway PostgreSQL databases for tests.
//!
//! A test that needs PostgreSQL gets a database of its own on the server that `TEST_DATABASE_URL` names (`./test`
//! starts one); the database is dropped at the end of the test. Migrations run once for each set of them, into a
//! template that is then cloned, so that a database costs milliseconds.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test without its database fails and says why"
)]

use std::{future::Future, process, str::FromStr, thread, time::SystemTime};

use tokio::runtime;
use tokio_postgres::{Client, Config, config::Host};

use crate::cluster;

/// The advisory lock of the process that creates a template: "template" in ASCII.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database for one test, dropped at its end.
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// Creates a database without tables.
    pub fn empty() -> Self {
        Self::create("")
    }

    /// Creates a database as `migrate` leaves it, which is given the URL of an empty one. It runs once for each `key`
    /// on a server; the key must change when the migrations do.
    pub fn migrated<M, F>(key: &str, migrate: M) -> Self
    where
        M: FnOnce(String) -> F + Send,
        F: Future<Output = ()>,
    {
        let template = format!("latchkey_template_{key}");
        on_a_runtime(async || {
            let client = connect(&server()).await;
            client
                .execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK])
                .await
                .expect("the template's lock");
            let known = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&template]).await;
            if known.expect("the list of databases").is_none() {
                let unfinished = format!("{template}_unfinished");
                run(&client, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
                run(&client, &format!("CREATE DATABASE {unfinished}")).await;
                migrate(url_of(&unfinished)).await;
                end_sessions(&client, &unfinished).await;
                run(&client, &format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await;
            }
        });
        Self::create(&format!(" TEMPLATE {template}"))
    }

    fn create(options: &str) -> Self {
        let name = unique_name();
        let create = format!("CREATE DATABASE {name}{options}");
        on_a_runtime(async || run(&connect(&server()).await, &create).await);
        Self { url: url_of(&name), name }
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        on_a_runtime(async || run(&connect(&server()).await, &drop).await);
    }
}

/// Runs the work to its end on a thread of its own, so that it can be called with and without a runtime.
fn on_a_runtime<W, F>(work: W)
where
    W: FnOnce() -> F + Send,
    F: Future<Output = ()>,
{
    let on_thread = || {
        // A migration may block a thread, which a current-thread runtime does not allow.
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(work());
    };
    thread::scope(|scope| scope.spawn(on_thread).join()).expect("the database is created or dropped");
}

/// Returns a name that is unique among the tests of a run, which may be separate processes, and among runs.
#[expect(
    clippy::disallowed_methods,
    reason = "the name must differ from those of other runs; nothing depends on the time"
)]
fn unique_name() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    format!("latchkey_test_{}_{}_{:?}", process::id(), since.as_nanos(), thread::current().id())
        .replace(['(', ')'], "_")
        .to_lowercase()
}

fn server() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "this test needs PostgreSQL: run ./test, which starts one, or set TEST_DATABASE_URL to a server on which \
             databases may be created"
        )
    })
}

async fn connect(url: &str) -> Client {
    cluster::connect(url).await.expect("the server of TEST_DATABASE_URL responds")
}

async fn run(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

async fn end_sessions(client: &Client, database: &str) {
    let statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
    client.query(statement, &[&database]).await.expect("the end of other sessions");
}

/// Returns the server's URL with another database.
fn url_of(database: &str) -> String {
    let config = Config::from_str(&server()).expect("TEST_DATABASE_URL is a PostgreSQL URL");
    let user = config.get_user().unwrap_or("postgres");
    let password = config.get_password().map(|password| format!(":{}", String::from_utf8_lossy(password)));
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        _ => panic!("TEST_DATABASE_URL must name a host that is reached by TCP"),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{user}{}@{host}:{port}/{database}", password.unwrap_or_default())
}
