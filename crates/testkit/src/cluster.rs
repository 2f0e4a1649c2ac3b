//! A throwaway Postgres cluster.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Signal, geteuid};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::children::{Child, free_port};
use crate::cores::Cores;
use crate::stopwatch::Stopwatch;

/// A Postgres server with its own data in a directory of its own, on a free port of this machine, as the distribution
/// configures it. It is stopped when this is dropped; the directory is its caller's.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    port: u16,
}

/// The account that Postgres runs as; it refuses to be root.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Cluster {
    /// Makes and starts a cluster in the directory, on the cores of the measured side.
    ///
    /// # Errors
    /// Where Postgres is not installed, or does not start.
    pub async fn start(directory: &Path, cores: &Cores) -> anyhow::Result<Self> {
        let programs = programs()?;
        let account = account()?;
        let data = directory.join("data");
        fs::create_dir_all(&data)?;
        if let Some(Account { user, group }) = account {
            chown(directory, Some(user), Some(group))?;
            chown(&data, Some(user), Some(group))?;
        }

        let mut initdb = Command::new(programs.join("initdb"));
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"])
            .arg(&data);
        let made = run_as(&mut initdb, account).current_dir(directory).output()?;
        ensure!(made.status.success(), "initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));

        let port = free_port()?;
        let mut postgres = cores.measured(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        let log = directory.join("postgres.log");
        let server = Child::start(run_as(&mut postgres, account).current_dir(directory), "postgres", &log)?;
        // SIGINT is Postgres's fast shutdown: it does not wait for its clients.
        let mut cluster = Self { server: server.stopped_by(Signal::INT), port };
        cluster.wait().await?;
        Ok(cluster)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        let waited = Stopwatch::start();
        while connect(&self.url("postgres")).await.is_err() {
            self.server.check()?;
            if waited.elapsed() > Duration::from_secs(30) {
                bail!("postgres does not answer:\n{}", self.server.last_lines());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database, and gives its address.
    ///
    /// # Errors
    /// Where Postgres refuses.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<String> {
        let client = connect(&self.url("postgres")).await?;
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await?;
        Ok(self.url(name))
    }

    /// What the server calls itself, for the report.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn version(&self) -> anyhow::Result<String> {
        let client = connect(&self.url("postgres")).await?;
        let row = client.query_one("SHOW server_version", &[]).await?;
        Ok(row.try_get(0)?)
    }
}

/// A connection to a database of this machine; it lives as long as the client.
///
/// # Errors
/// Where the database does not answer.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // What breaks the connection is reported to the client's next request.
    tokio::spawn(connection);
    Ok(client)
}

/// Where `initdb` and `postgres` are: on `PATH`, or where Debian keeps the newest ones.
fn programs() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    std::env::split_paths(&path)
        .chain(versions.into_iter().rev())
        .find(|directory| ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file()))
        .context("Postgres is not installed; on Debian: apt-get install -y postgresql")
}

/// The account `postgres` where we are root; ours otherwise.
fn account() -> anyhow::Result<Option<Account>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&"postgres"))
        .context("root cannot run Postgres, and there is no user `postgres`")?;
    let number = |index: usize| fields.get(index).and_then(|text| text.parse().ok());
    let (user, group) = number(2).zip(number(3)).context("the user `postgres` has no ids in /etc/passwd")?;
    Ok(Some(Account { user, group }))
}

fn run_as(command: &mut Command, account: Option<Account>) -> &mut Command {
    match account {
        Some(Account { user, group }) => command.uid(user).gid(group),
        None => command,
    }
}
