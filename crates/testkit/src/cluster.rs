//! A throwaway PostgreSQL cluster.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Signal, geteuid};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::process::{Process, free_port};

const PAUSE: Duration = Duration::from_millis(50);
/// How often a starting server is tried: for half a minute.
const ATTEMPTS: u32 = 600;

/// A PostgreSQL server with its own data directory, on a free port of this machine, as the distribution configures it.
/// It is stopped when this is dropped; the caller removes the directory.
#[derive(Debug)]
pub struct Cluster {
    server: Process,
    port: u16,
}

/// The account that PostgreSQL runs as, which must not be root.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub user: u32,
    pub group: u32,
}

impl Cluster {
    /// Creates and starts a cluster in the directory; `command` prepares a command for the path of the server program.
    pub async fn start(directory: &Path, command: impl FnOnce(&Path) -> Command) -> anyhow::Result<Self> {
        let mut initdb = Command::new(programs()?.join("initdb"));
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"]);
        Self::made_by(initdb, directory, command).await
    }

    /// Copies this cluster into the directory, and starts the copy as a hot standby that follows it.
    pub async fn standby(
        &self,
        directory: &Path,
        command: impl FnOnce(&Path) -> Command,
    ) -> anyhow::Result<Self> {
        let mut basebackup =
            Command::new(directory_of(&["pg_basebackup", "postgres"])?.join("pg_basebackup"));
        basebackup
            .args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--dbname"])
            .arg(self.url("postgres"))
            .arg("--pgdata");
        Self::made_by(basebackup, directory, command).await
    }

    /// Starts the cluster that a program makes in the directory of its last argument.
    async fn made_by(
        mut program: Command,
        directory: &Path,
        command: impl FnOnce(&Path) -> Command,
    ) -> anyhow::Result<Self> {
        let account = account()?;
        let data = directory.join("data");
        fs::create_dir_all(&data)?;
        // As PostgreSQL demands of a copy.
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
        if let Some(Account { user, group }) = account {
            chown(directory, Some(user), Some(group))?;
            chown(&data, Some(user), Some(group))?;
        }
        let made = run_as(program.arg(&data), account).current_dir(directory).output()?;
        ensure!(
            made.status.success(),
            "{} failed:\n{}",
            program.get_program().display(),
            String::from_utf8_lossy(&made.stderr)
        );

        let port = free_port()?;
        let mut postgres = command(&programs()?.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        let server = Process::start(run_as(&mut postgres, account).current_dir(directory), "postgres")?;
        // SIGINT is PostgreSQL's fast shutdown: it does not wait for its clients.
        let mut cluster = Self { server: server.stopped_by(Signal::INT), port };
        cluster.wait().await?;
        Ok(cluster)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        for _ in 0..ATTEMPTS {
            if connect(&self.url("postgres")).await.is_ok() {
                return Ok(());
            }
            self.server.check()?;
            sleep(PAUSE).await;
        }
        bail!("postgres does not respond:\n{}", self.server.last_lines())
    }

    /// Returns the URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns its host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends a signal to every process of the server: those of its connections do not get what the first one gets.
    ///
    /// # Errors
    /// If the server has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.server.signal_with_children(signal)
    }

    /// Creates a database and returns its URL.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<String> {
        let client = connect(&self.url("postgres")).await?;
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await?;
        Ok(self.url(name))
    }

    /// Returns the server's version.
    pub async fn version(&self) -> anyhow::Result<String> {
        let client = connect(&self.url("postgres")).await?;
        let row = client.query_one("SHOW server_version", &[]).await?;
        Ok(row.try_get(0)?)
    }
}

/// Opens a connection to a database of this machine; it lives as long as the client.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // An error on the connection is reported to the client's next request.
    tokio::spawn(connection);
    Ok(client)
}

/// Finds the directory of `initdb` and `postgres`: on `PATH`, or where Debian installs the newest version.
pub fn programs() -> anyhow::Result<PathBuf> {
    directory_of(&["initdb", "postgres"])
}

/// Finds the directory that has all these programs.
fn directory_of(programs: &[&str]) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    std::env::split_paths(&path)
        .chain(versions.into_iter().rev())
        .find(|directory| programs.iter().all(|name| directory.join(name).is_file()))
        .context("PostgreSQL is not installed; on Debian: apt-get install -y postgresql")
}

/// Returns the account `postgres` for root, and none for any other user.
pub fn account() -> anyhow::Result<Option<Account>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&"postgres"))
        .context("root cannot run PostgreSQL, and there is no user `postgres`")?;
    let number = |index: usize| fields.get(index).and_then(|text| text.parse().ok());
    let (user, group) = number(2).zip(number(3)).context("the user `postgres` has no ids in /etc/passwd")?;
    Ok(Some(Account { user, group }))
}

/// Lets a command run as an account, if one is given.
pub fn run_as(command: &mut Command, account: Option<Account>) -> &mut Command {
    match account {
        Some(Account { user, group }) => command.uid(user).gid(group),
        None => command,
    }
}
