//! Behind PgBouncer in transaction mode, where each transaction may run in another session than the one before.

use std::{fs, process::Command, sync::Barrier, thread};

use latchkey_testkit::{
    cluster::connect,
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    database::Records,
    error_lines::assert_quiet,
    neighbors::{self, NeighborProcess},
};

/// Fewer than the servers here have connections, so that sessions are shared.
const SESSIONS: u32 = 4;
const AT_ONCE: usize = 12;
const ROUNDS: usize = 8;

/// An environment whose database is reached through PgBouncer.
struct Pooled {
    env: TestEnv,
    pooler: NeighborProcess,
    _directory: TempDir,
}

impl Pooled {
    fn new(is_said: bool) -> Self {
        let mut env = TestEnv::on(Store::Postgres);
        let directory = tempfile::tempdir().expect("a directory for PgBouncer");
        let pooler = pgbouncer(&directory, &env.postgres_server());
        env.use_postgres_proxy(pooler.address);
        env.set("LATCHKEY__DATABASE__TRANSACTION_POOLER", &is_said.to_string());
        Self { env, pooler, _directory: directory }
    }

    fn said(&self) -> String {
        self.pooler.output()
    }
}

fn pgbouncer(directory: &TempDir, server: &str) -> NeighborProcess {
    let program = neighbors::installed("pgbouncer");
    let (host, port) = server.rsplit_once(':').expect("a port");
    let place = directory.path();
    fs::write(place.join("users.txt"), "\"latchkey\" \"\"\n").expect("users");
    NeighborProcess::start("pgbouncer", |own_port| {
        let configuration = format!(
            "[databases]\n* = host={host} port={port}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own_port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n\
             max_client_conn = 200\nlogfile =\n",
            users = place.join("users.txt").display(),
        );
        let file = place.join("pgbouncer.ini");
        fs::write(&file, configuration).expect("a configuration");
        // PgBouncer does not run as root.
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
        let mut command = if is_root {
            make_readable(place);
            let mut command = neighbors::command("/usr/bin/setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(&program);
            command
        } else {
            neighbors::command(&program)
        };
        command.arg(file);
        command
    })
}

fn make_readable(directory: &std::path::Path) {
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(directory).status().expect("chmod runs");
    assert!(status.success(), "{status}");
}

/// Runs the action many times, in several threads at once.
fn at_once(act: impl Fn(usize) + Sync) {
    let start = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        for caller in 0..AT_ONCE {
            let (start, act) = (&start, &act);
            scope.spawn(move || {
                start.wait();
                (0..ROUNDS).for_each(|round| act(caller * ROUNDS + round));
            });
        }
    });
}

fn verify(server: &Server, secret: &str) -> u16 {
    server.send(&Request::get("/auth/verify").by(secret)).status
}

fn rotate(server: &Server, secret: &str, overlap: &str) -> Response {
    server.as_admin(Request::post(&format!("{TOKENS}/{secret}/rotate"), &json!({ "overlap": overlap })))
}

/// Creates a token on one server, uses it on the other, rotates and revokes it.
fn live_through(here: &Server, there: &Server, number: usize) {
    let first = here.create_token(&format!("token {number}"));
    assert_eq!((verify(here, &first), verify(there, &first)), (200, 200));
    let rotated = rotate(there, &first, "PT1H");
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let second = rotated.json()["secret"].as_str().expect("a secret").to_owned();
    assert_eq!((verify(there, &first), verify(there, &second), verify(here, &second)), (200, 200, 200));
    let listed = here.as_admin(Request::get(TOKENS));
    assert_eq!(listed.status, 200, "{}", listed.text());
    let is_listed = |token: &Value| token["secret"] == *second;
    assert!(listed.json()["tokens"].as_array().expect("tokens").iter().any(is_listed));
    if number.is_multiple_of(2) {
        assert_eq!(there.delete_token(&second).status, 200);
        assert_eq!((verify(there, &first), verify(there, &second)), (401, 401));
        until_true("the other server refuses it", || verify(here, &second) == 401);
    }
}

#[test]
fn two_servers_work_behind_a_configured_pooler() {
    let pooled = Pooled::new(true);
    let servers: Vec<Server> = thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| pooled.env.serve())).collect();
        starts.into_iter().map(|start| start.join().expect("a server")).collect()
    });
    at_once(|number| live_through(&servers[number % 2], &servers[(number + 1) % 2], number));

    let total = AT_ONCE * ROUNDS;
    assert_eq!(servers[0].tokens().len(), total / 2);
    let mut records = Records::of(&pooled.env);
    // One more: the admin token of the first start.
    assert_eq!(records.count("api_tokens"), total / 2 + 1);
    let events = ["created", "updated", "deleted"].map(|what| records.events(&format!("api-token-{what}")));
    assert_eq!(events[0], total + 1);
    assert_eq!(events[2], total / 2);
    let sessions = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let opened = records.count(sessions);
    assert!(opened <= usize::try_from(SESSIONS).expect("few"), "{opened} sessions");
    assert_nothing_is_left(&pooled, &mut records);
    servers.into_iter().for_each(assert_quiet);
}

/// Asserts that no session keeps a lock, an open transaction or a timeout of Latchkey.
fn assert_nothing_is_left(pooled: &Pooled, records: &mut Records) {
    until_true("no lock is left", || {
        records.count("pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0
    });
    let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    until_true("no transaction is left open", || records.count(open) == 0);
    assert_eq!(limits_of_all_sessions(pooled), vec!["0"; usize::try_from(SESSIONS).expect("few")]);
}

/// Returns the statement timeout of each session of the pooler.
fn limits_of_all_sessions(pooled: &Pooled) -> Vec<String> {
    let url = pooled.env.variable("DATABASE_URL");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (mut holders, mut limits) = (Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            let client = connect(url).await.expect("connects");
            // With an open transaction the session is not shared.
            client.batch_execute("BEGIN").await.expect("begins");
            for row in client.simple_query("SHOW statement_timeout").await.expect("shown") {
                if let tokio_postgres::SimpleQueryMessage::Row(row) = row {
                    limits.push(row.get(0).expect("a limit").to_owned());
                }
            }
            holders.push(client);
        }
        limits
    })
}

#[test]
fn commands_work_behind_the_pooler() {
    let pooled = Pooled::new(true);
    pooled.env.succeed("migrate");
    assert!(pooled.env.command_log().contains("migrations were applied"), "{}", pooled.env.command_log());
    let secret = pooled.env.succeed("token create --type admin --name ops");
    let server = pooled.env.serve();
    assert_eq!(server.send(&Request::get(TOKENS).by(secret.trim())).status, 200, "{secret}");
}

#[test]
fn a_server_behind_an_unconfigured_pooler_names_the_setting() {
    let pooled = Pooled::new(false);
    pooled.env.succeed(&format!("migrate --database-url {}", pooled.env.postgres_url()));
    // PgBouncer may hide the problem of the first server, which has the sessions to itself.
    let mut said = String::new();
    until_true("a prepared statement is missing", || {
        let mut command = pooled.env.command("");
        let output =
            command.args(["token", "create", "--type", "client", "--name", "x"]).output().expect("it runs");
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        !output.status.success()
    });
    assert!(said.contains("set database.transaction_pooler = true"), "{said}\n{}", pooled.said());
}
