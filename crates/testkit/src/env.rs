//! What a server stands on: one of the stores, empty, a directory of its own, and settings. Commands and servers
//! that are run on it share all three.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Command, ExitStatus, Output, Stdio},
    sync::Mutex,
};

use latchkey_test_database::TestDatabase;
use tempfile::TempDir;

use crate::server::Server;

/// The admin token that every ground has from its first start.
pub(crate) const ADMIN: &str = "*:*.Hq3Zk8WvT2mXc5LrJ9sBy7NdFp4GxUe6";
const MASTER_KEY: &str = "6c617463686b65792d626c61636b2d626f782d74657374732d6d61737465726b";

/// The stores that Latchkey works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Memory,
    Sqlite,
    Postgres,
}

/// A store with a directory and settings.
pub(crate) struct Ground {
    pub(crate) store: Store,
    directory: TempDir,
    database: Option<TestDatabase>,
    settings: Vec<(String, String)>,
    /// What command lines said on standard error.
    asides: Mutex<String>,
}

impl Ground {
    /// An empty store of that kind.
    pub(crate) fn on(store: Store) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the server");
        let database = (store == Store::Postgres).then(TestDatabase::empty);
        let url = match (&database, store) {
            (Some(database), _) => database.url().to_owned(),
            (None, Store::Memory) => "memory:".to_owned(),
            (None, _) => format!("sqlite://{}", directory.path().join("latchkey.db").display()),
        };
        let ground = Self { store, directory, database, settings: Vec::new(), asides: Mutex::default() };
        let ground = ground.with("DATABASE_URL", &url).with("INIT_ADMIN_API_TOKENS", ADMIN);
        if store == Store::Postgres { ground.with("LATCHKEY_MASTER_KEY", MASTER_KEY) } else { ground }
    }

    /// The ground with one more setting, which replaces an earlier one of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The ground with one setting less.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn setting(&self, name: &str) -> &str {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no setting {name}"), |(_, value)| value)
    }

    /// The directory that the programs run in; SQLite's files are here.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The address of the Postgres database, which a server may know by another (`DATABASE_URL`).
    pub(crate) fn postgres_url(&self) -> &str {
        self.database.as_ref().expect("a ground on Postgres").url()
    }

    /// The host and port of the Postgres server.
    pub(crate) fn postgres_server(&self) -> String {
        Self::parts(self.postgres_url()).1
    }

    /// Has its programs reach the Postgres database by way of another address.
    pub(crate) fn reach_postgres_by(&mut self, address: SocketAddr) {
        let (before, _, after) = Self::parts(self.postgres_url());
        self.set("DATABASE_URL", &format!("{before}@{address}/{after}"));
    }

    /// What stands before the `@` of a URL, its host and port, and what stands after the slash.
    fn parts(url: &str) -> (String, String, String) {
        let (before, place) = url.rsplit_once('@').expect("a user");
        let (server, after) = place.split_once('/').expect("a database");
        (before.to_owned(), server.to_owned(), after.to_owned())
    }

    /// The program, about to run here and knowing nothing but this ground's settings.
    pub(crate) fn program(&self) -> Command {
        let shipped = std::env::var("LATCHKEY_TEST_BINARY");
        let mut command = Command::new(shipped.as_deref().unwrap_or(env!("CARGO_BIN_EXE_latchkey")));
        command.env_clear().current_dir(self.directory()).envs(self.settings.iter().cloned());
        command
    }

    /// Starts a server here and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self)
    }

    /// Runs a command line to its end, which must be success, and gives back what it printed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_on(arguments, "")
    }

    /// As [`Ground::run`], for a command that reads this.
    #[track_caller]
    pub(crate) fn run_on(&self, arguments: &[&str], input: &str) -> String {
        let (status, stdout, stderr) = self.end_of(arguments, input);
        assert!(status.success(), "latchkey {}: {status}\n{stdout}\n{stderr}", arguments.join(" "));
        self.asides.lock().expect("the asides").push_str(&stderr);
        stdout
    }

    /// Runs a command line to its end, which must be the exit code 1, and gives back what it printed and what it said.
    #[track_caller]
    pub(crate) fn fail(&self, arguments: &[&str]) -> (String, String) {
        let (status, stdout, stderr) = self.end_of(arguments, "");
        assert_eq!(status.code(), Some(1), "latchkey {}:\n{stdout}\n{stderr}", arguments.join(" "));
        (stdout, stderr)
    }

    fn end_of(&self, arguments: &[&str], input: &str) -> (ExitStatus, String, String) {
        let mut command = self.program();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        // A command that reads nothing may have ended: then writing fails, and that is no fault.
        drop(process.stdin.take().expect("piped").write_all(input.as_bytes()));
        let Output { status, stdout, stderr } = process.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status, text(stdout), text(stderr))
    }

    /// All that command lines said on standard error, where logs go.
    pub(crate) fn asides(&self) -> String {
        self.asides.lock().expect("the asides").clone()
    }
}
