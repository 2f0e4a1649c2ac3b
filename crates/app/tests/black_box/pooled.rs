//! Behind PgBouncer in transaction mode, where each transaction may run in another session than the one before.

use std::{fs, process::Command, sync::Barrier, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    database::Records,
    error_lines::assert_quiet,
    ground::{Ground, Store},
    neighbours::{self, Neighbour},
    server::{Server, TOKENS},
    waiting::until_true,
    wire::{Answer, Call},
};

/// Fewer than the servers here have connections, so that sessions go from hand to hand.
const SESSIONS: u32 = 4;
const AT_ONCE: usize = 12;
const ROUNDS: usize = 8;

/// A ground whose programs reach the database by way of PgBouncer.
struct Pooled {
    ground: Ground,
    _pooler: Neighbour,
    directory: TempDir,
}

impl Pooled {
    fn new(is_said: bool) -> Self {
        let mut ground = Ground::on(Store::Postgres);
        let directory = tempfile::tempdir().expect("a directory for PgBouncer");
        let pooler = pgbouncer(&directory, &ground.postgres_server());
        ground.reach_postgres_by(pooler.address);
        ground.set("LATCHKEY__DATABASE__TRANSACTION_POOLER", &is_said.to_string());
        Self { ground, _pooler: pooler, directory }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.directory.path().join("pgbouncer.log")).expect("a log")
    }
}

fn pgbouncer(directory: &TempDir, server: &str) -> Neighbour {
    let program = neighbours::installed("pgbouncer");
    let (host, port) = server.rsplit_once(':').expect("a port");
    let place = directory.path();
    fs::write(place.join("users.txt"), "\"latchkey\" \"\"\n").expect("users");
    Neighbour::start(&place.join("pgbouncer.log"), |own_port| {
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
            allow_everybody(place);
            let mut command = neighbours::command("/usr/bin/setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(&program);
            command
        } else {
            neighbours::command(&program)
        };
        command.arg(file);
        command
    })
}

fn allow_everybody(directory: &std::path::Path) {
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(directory).status().expect("chmod runs");
    assert!(status.success(), "{status}");
}

/// Does it many times over, many at once.
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
    server.send(&Call::get("/auth/verify").by(secret)).status
}

fn rotate(server: &Server, secret: &str, overlap: &str) -> Answer {
    server.as_admin(Call::post(&format!("{TOKENS}/{secret}/rotate"), &json!({ "overlap": overlap })))
}

/// A token's whole life: made by one server, used at the other, replaced and revoked.
fn live_through(here: &Server, there: &Server, number: usize) {
    let first = here.create(&format!("token {number}"));
    assert_eq!((verify(here, &first), verify(there, &first)), (200, 200));
    let rotated = rotate(there, &first, "PT1H");
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let second = rotated.json()["secret"].as_str().expect("a secret").to_owned();
    assert_eq!((verify(there, &first), verify(there, &second), verify(here, &second)), (200, 200, 200));
    let listed = here.as_admin(Call::get(TOKENS));
    assert_eq!(listed.status, 200, "{}", listed.text());
    let is_listed = |token: &Value| token["secret"] == *second;
    assert!(listed.json()["tokens"].as_array().expect("tokens").iter().any(is_listed));
    if number.is_multiple_of(2) {
        assert_eq!(there.delete(&second).status, 200);
        assert_eq!((verify(there, &first), verify(there, &second)), (401, 401));
        until_true("the other server refuses it", || verify(here, &second) == 401);
    }
}

#[test]
fn two_servers_that_are_told_of_the_pooler_work_as_ever() {
    let pooled = Pooled::new(true);
    let servers: Vec<Server> = thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| pooled.ground.serve())).collect();
        starts.into_iter().map(|start| start.join().expect("a server")).collect()
    });
    at_once(|number| live_through(&servers[number % 2], &servers[(number + 1) % 2], number));

    let total = AT_ONCE * ROUNDS;
    assert_eq!(servers[0].tokens().len(), total / 2);
    let mut records = Records::of(&pooled.ground);
    // One more is the admin token of the start.
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

/// No session keeps anything of Latchkey's: neither a lock, nor an open transaction, nor a limit.
fn assert_nothing_is_left(pooled: &Pooled, records: &mut Records) {
    until_true("no lock is left", || {
        records.count("pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0
    });
    let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    until_true("no transaction is left open", || records.count(open) == 0);
    assert_eq!(limits_of_all_sessions(pooled), vec!["0"; usize::try_from(SESSIONS).expect("few")]);
}

/// How long a statement may take, in each session that the pooler has.
fn limits_of_all_sessions(pooled: &Pooled) -> Vec<String> {
    let url = pooled.ground.setting("DATABASE_URL");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (mut holders, mut limits) = (Vec::new(), Vec::new());
        for _ in 0..SESSIONS {
            let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
            let (client, moving) = connected.expect("connects");
            tokio::spawn(moving);
            // In an open transaction it keeps its session from the next one.
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
    pooled.ground.run(&["migrate"]);
    assert!(pooled.ground.asides().contains("migrations were applied"), "{}", pooled.ground.asides());
    let secret = pooled.ground.run(&["token", "create", "--type", "admin", "--name", "ops"]);
    let server = pooled.ground.serve();
    assert_eq!(server.send(&Call::get(TOKENS).by(secret.trim())).status, 200, "{secret}");
}

#[test]
fn a_server_that_is_not_told_of_the_pooler_says_what_to_set() {
    let pooled = Pooled::new(false);
    // Of the first one, PgBouncer may hide it, as long as it has the sessions to itself.
    let mut said = String::new();
    until_true("somebody misses a prepared statement", || {
        let mut command = pooled.ground.program();
        let output =
            command.args(["token", "create", "--type", "client", "--name", "x"]).output().expect("it runs");
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        !output.status.success()
    });
    assert!(said.contains("set database.transaction_pooler = true"), "{said}\n{}", pooled.said());
}
