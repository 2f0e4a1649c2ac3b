//! The environment of the real binary: a directory, a database and environment variables, which the commands and
//! servers that are run in it share.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose command does not end as expected fails"
)]

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

use crate::{database::TestDatabase, process::built, server::Server};
pub use crate::{
    env_commands::{FAR_FUTURE, NewToken, random_part},
    server::ADMIN,
};

const MASTER_KEY: &str = "6c617463686b65792d626c61636b2d626f782d74657374732d6d61737465726b";

/// The stores that Latchkey can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Memory,
    /// SQLite in the environment's directory.
    Sqlite,
    /// PostgreSQL in a database of its own.
    Postgres,
}

/// A directory, a database and environment variables for the binary.
pub struct TestEnv {
    directory: TempDir,
    store: Store,
    database: Option<TestDatabase>,
    variables: Vec<(String, String)>,
    command_log: Mutex<String>,
}

/// The end of a command and its output.
#[derive(Debug)]
pub struct CommandResult {
    pub stdout: String,
    pub stderr: String,
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
}

impl Default for TestEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl TestEnv {
    /// Creates an environment without variables in an empty directory: the binary uses its defaults.
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            store: Store::Sqlite,
            database: None,
            variables: Vec::new(),
            command_log: Mutex::default(),
        }
    }

    /// Creates an environment with an empty store of this kind, in which a server has the token [`ADMIN`].
    pub fn on(store: Store) -> Self {
        let mut env = Self { store, ..Self::new() };
        let url = match store {
            Store::Memory => "memory:".to_owned(),
            Store::Sqlite => format!("sqlite://{}", env.path("latchkey.db").display()),
            Store::Postgres => {
                env.set("LATCHKEY_MASTER_KEY", MASTER_KEY);
                env.database.insert(TestDatabase::empty()).url().to_owned()
            }
        };
        env.with("DATABASE_URL", &url).with("INIT_ADMIN_API_TOKENS", ADMIN)
    }

    /// Creates the tables of the database, which commands do not.
    #[must_use]
    pub fn migrated(self) -> Self {
        self.succeed("migrate");
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// Sets an environment variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the value of an environment variable.
    pub fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("{name} is not set"), |(_, value)| value)
    }

    /// Writes a file into the directory.
    #[must_use]
    pub fn with_file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).expect("the file is written");
        self
    }

    /// Returns the kind of the store.
    pub fn store(&self) -> Store {
        self.store
    }

    /// Returns the directory that the binary runs in; [`TestEnv::on`] puts the files of SQLite here.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Returns the URL of the PostgreSQL database, of which `DATABASE_URL` may name a proxy.
    pub fn postgres_url(&self) -> &str {
        self.database.as_ref().expect("a store on PostgreSQL").url()
    }

    /// Returns the host and port of the PostgreSQL server.
    pub fn postgres_server(&self) -> String {
        self.postgres_url_parts().1
    }

    /// Lets the binary reach the PostgreSQL database through a proxy at this address.
    pub fn use_postgres_proxy(&mut self, address: SocketAddr) {
        let (scheme_and_user, _, database) = self.postgres_url_parts();
        self.set("DATABASE_URL", &format!("{scheme_and_user}@{address}/{database}"));
    }

    fn postgres_url_parts(&self) -> (String, String, String) {
        let (scheme_and_user, place) = self.postgres_url().rsplit_once('@').expect("a user");
        let (server, database) = place.split_once('/').expect("a database");
        (scheme_and_user.to_owned(), server.to_owned(), database.to_owned())
    }

    /// Returns a command with these arguments, which are separated by spaces, and the variables of this environment
    /// only.
    ///
    /// `LATCHKEY_TEST_BINARY` names another binary than the one that is built beside the tests.
    pub fn command(&self, arguments: &str) -> Command {
        let shipped = std::env::var_os("LATCHKEY_TEST_BINARY").map(PathBuf::from);
        let mut command = Command::new(shipped.unwrap_or_else(|| built("latchkey").expect("the binary")));
        command
            .args(arguments.split_whitespace())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(self.directory())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &str) -> CommandResult {
        self.run_with_input(arguments, "")
    }

    /// Runs a command to its end with this text on standard input.
    pub fn run_with_input(&self, arguments: &str, input: &str) -> CommandResult {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        // A command that reads nothing may have ended: then writing fails.
        drop(process.stdin.take().expect("piped").write_all(input.as_bytes()));
        let Output { status, stdout, stderr } = process.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let result = CommandResult { stdout: text(stdout), stderr: text(stderr), code: status.code() };
        self.command_log.lock().expect("the log").push_str(&result.stderr);
        result
    }

    /// Runs a command that must succeed; returns its standard output without the end of the last line.
    #[track_caller]
    pub fn succeed(&self, arguments: &str) -> String {
        let result = self.run(arguments);
        assert_eq!(result.code, Some(0), "latchkey {arguments}: {result:?}");
        result.stdout.trim_end().to_owned()
    }

    /// Runs a command that must fail with this exit code and without a result; returns its standard error.
    #[track_caller]
    pub fn fail(&self, arguments: &str, code: i32) -> String {
        let result = self.run(arguments);
        assert_eq!(result.code, Some(code), "latchkey {arguments}: {result:?}");
        assert_eq!(result.stdout, "", "latchkey {arguments}");
        result.stderr
    }

    /// Returns what all commands have printed on standard error, which the log goes to.
    pub fn command_log(&self) -> String {
        self.command_log.lock().expect("the log").clone()
    }

    /// Starts a server on a free port and waits until it is ready.
    pub fn serve(&self) -> Server {
        self.serve_with("")
    }

    /// Starts a server on a free port with these further arguments and waits until it is ready.
    pub fn serve_with(&self, arguments: &str) -> Server {
        Server::start(self.command(&format!("serve --port 0 {arguments}"))).expect("the server is ready")
    }
}
