//! The programs of a deployment on loopback addresses: each machine of `deploy/ha` has an address of its own.

use std::{
    fs::{self, Permissions},
    net::{SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use latchkey_testkit::{
    cluster::{self, Account},
    env::{ADMIN, TestEnv},
    process::{Process, Signal, installed},
    server::Server,
    tls::{Authority, Identity},
    wait::{try_until, until, until_true},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    probe::{ask, parent},
    settings::{PASSWORD, Settings},
};

/// How a replica reaches the primary, and what it does without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replica {
    /// All hosts in the URL; `verify.when_stale = "refuse"`.
    Refusing,
    /// All hosts in the URL; `verify.when_stale = "serve"`.
    Serving,
    /// Through HAProxy, which a fault can cut or silence; `verify.when_stale = "refuse"`.
    Proxied,
}

pub(crate) const REPLICAS: [Replica; 3] = [Replica::Refusing, Replica::Serving, Replica::Proxied];

/// A machine with a database.
pub(crate) struct Node {
    name: String,
    last: u8,
    etcd: Option<Process>,
    patroni: Option<Process>,
    is_frozen: bool,
}

/// All machines.
pub(crate) struct Site {
    settings: Settings,
    account: Option<Account>,
    pub(crate) nodes: Vec<Node>,
    proxy: Option<Process>,
    pub(crate) replicas: Vec<Server>,
    _folder: TempDir,
}

impl Site {
    /// Starts everything, and waits until the three databases replicate.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .expect("the server's account may enter");
        let nodes = (1..=3).map(|number| Node {
            name: format!("db{number}"),
            last: 10 + number,
            etcd: None,
            patroni: None,
            is_frozen: false,
        });
        let mut site = Self {
            settings: Settings::new(folder.path()),
            account: cluster::account().expect("an account for PostgreSQL"),
            nodes: nodes.collect(),
            proxy: None,
            replicas: Vec::new(),
            _folder: folder,
        };
        site.write_files();
        for node in 0..3 {
            site.start_etcd(node);
        }
        until_true("etcd has a leader", || {
            let health = ask(site.address(11, 2379), "/health");
            health.is_some_and(|(_, body)| body.contains("\"true\""))
        });
        for node in 0..3 {
            site.start_patroni(node);
        }
        let primary = until("a primary", || site.primary());
        let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ha/create-database.sql");
        site.psql(
            primary,
            "postgres",
            &["-v", &format!("password={PASSWORD}"), "-f", &sql.display().to_string()],
        );
        site.start_proxy();
        site.wait_until_whole();
        for (number, replica) in (21..).zip(REPLICAS) {
            site.replicas.push(site.serve(number, replica));
        }
        site
    }

    fn write_files(&self) {
        let authority = Authority::new("authority of this run");
        fs::write(self.settings.folder.join("ca.pem"), authority.pem()).expect("written");
        for node in &self.nodes {
            let place = self.settings.folder.join(&node.name);
            fs::create_dir(&place).expect("a folder");
            let Identity { certificate, key } =
                authority.issue(&self.address(node.last, 5432).ip().to_string());
            for (name, text, mode) in [
                ("ca.pem", authority.pem(), 0o644),
                ("node.pem", certificate, 0o644),
                ("node.key", key, 0o600),
                ("config.yml", self.settings.file("patroni.yml", &node.name, node.last), 0o644),
            ] {
                let file = place.join(name);
                fs::write(&file, text).expect("written");
                fs::set_permissions(&file, Permissions::from_mode(mode)).expect("set");
                self.give_away(&file);
            }
            self.give_away(&place);
        }
    }

    fn give_away(&self, file: &Path) {
        if let Some(Account { user, group }) = self.account {
            chown(file, Some(user), Some(group)).expect("given to the server's account");
        }
    }

    pub(crate) fn address(&self, last: u8, port: u16) -> SocketAddr {
        self.settings.address(last, port)
    }

    /// Prepares a program with no other variables than these.
    fn program(&self, (name, package): (&str, &str), variables: Vec<(String, String)>) -> Command {
        let mut command = Command::new(installed(name, package).expect(name));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").envs(variables);
        cluster::run_as(&mut command, self.account).current_dir(&self.settings.folder);
        command
    }

    pub(crate) fn start_etcd(&mut self, node: usize) {
        let Node { name, last, .. } = &self.nodes[node];
        let mut command =
            self.program(("etcd", "etcd-server"), self.settings.variables("etcd.env", name, *last));
        self.nodes[node].etcd = Some(Process::start(&mut command, "etcd").expect("etcd starts"));
    }

    pub(crate) fn start_patroni(&mut self, node: usize) {
        let Node { name, last, .. } = &self.nodes[node];
        let mut command =
            self.program(("patroni", "patroni"), self.settings.variables("patroni.env", name, *last));
        command.arg(self.settings.folder.join(name).join("config.yml"));
        self.nodes[node].patroni = Some(Process::start(&mut command, "patroni").expect("Patroni starts"));
    }

    pub(crate) fn start_proxy(&mut self) {
        let file = self.settings.folder.join("haproxy.cfg");
        fs::write(&file, self.settings.file("haproxy.cfg", "haproxy", 1)).expect("written");
        let mut command = self.program(("haproxy", "haproxy"), Vec::new());
        command.arg("-db").arg("-f").arg(file);
        let mut proxy = Process::start(&mut command, "haproxy").expect("HAProxy starts");
        until_true("HAProxy accepts connections", || {
            proxy.check().expect("it runs");
            TcpStream::connect(self.address(1, 5000)).is_ok()
        });
        self.proxy = Some(proxy);
    }

    fn serve(&self, last: u8, replica: Replica) -> Server {
        let mut env = TestEnv::new();
        for (name, value) in self.settings.variables("latchkey.env", "latchkey", last) {
            env.set(&name, &value);
        }
        if replica == Replica::Proxied {
            let url = env.variable("DATABASE_URL").to_owned();
            let (login, rest) = url.split_once('@').expect("a login");
            let (_, database) = rest.split_once('/').expect("a database");
            let proxy = self.address(1, 5000);
            // The certificate is for the address of the node behind it.
            let database = database.replace("verify-full", "verify-ca");
            env.set("DATABASE_URL", &format!("{login}@{proxy}/{database}"));
        }
        let when_stale = if replica == Replica::Serving { "serve" } else { "refuse" };
        let env = env
            .with("PORT", &self.settings.ports[&4242].to_string())
            .with("INIT_ADMIN_API_TOKENS", ADMIN)
            .with("LATCHKEY__VERIFY__WHEN_STALE", when_stale)
            .with("LATCHKEY__LIMITS__API_TOKENS", "1000000");
        Server::start(env.command("serve")).expect("a replica")
    }

    /// Asks the Patroni of a node that is not frozen.
    fn ask_node(&self, node: usize, path: &str) -> Option<(u16, String)> {
        let asked = &self.nodes[node];
        (!asked.is_frozen).then(|| ask(self.address(asked.last, 8008), path))?
    }

    fn find(&self, role: &str) -> Option<usize> {
        (0..3).find(|&node| self.ask_node(node, role).is_some_and(|(status, _)| status == 200))
    }

    /// Returns the node that is the primary now.
    pub(crate) fn primary(&self) -> Option<usize> {
        self.find("/primary")
    }

    /// Returns the node without which commits are not acknowledged.
    pub(crate) fn synchronous_standby(&self) -> usize {
        until("a synchronous standby", || self.find("/synchronous"))
    }

    /// Waits until there is a primary, a synchronous standby and another standby, and all three replicate.
    pub(crate) fn wait_until_whole(&self) {
        let is_whole = || {
            let (_, body) = self.ask_node(self.primary()?, "/cluster")?;
            let cluster: Value = serde_json::from_str(&body).ok()?;
            let mut roles: Vec<_> = cluster["members"]
                .as_array()?
                .iter()
                .filter(|member| {
                    ["running", "streaming"].contains(&member["state"].as_str().unwrap_or_default())
                })
                .filter(|member| member["lag"].as_u64().unwrap_or(0) == 0)
                .map(|member| (member["role"].to_string(), member["timeline"].to_string()))
                .collect();
            roles.sort();
            let [(one, first), (two, second), (three, third)] = roles.as_slice() else { return None };
            let is_one_timeline = first == second && second == third;
            (one == "\"leader\"" && two == "\"replica\"" && three == "\"sync_standby\"" && is_one_timeline)
                .then_some(())
        };
        // Longer than other waits: a node may have to be rewound or copied.
        let became_whole = (0..4).any(|_| try_until(is_whole).is_some());
        assert!(became_whole, "the cluster does not become whole: {:?}", self.ask_node(0, "/cluster"));
    }

    fn logs(&self) -> String {
        let logs = self.nodes.iter().enumerate().filter_map(|(number, node)| {
            let lines = node.patroni.as_ref()?.last_lines();
            // What commits wait for.
            let state = "SHOW synchronous_standby_names; SELECT application_name, state, sync_state, reply_time \
                FROM pg_stat_replication; SELECT wait_event, state, query FROM pg_stat_activity \
                WHERE usename = 'latchkey'";
            let asked = (!node.is_frozen).then(|| self.psql_command(number, "postgres").args(["-c", state]).output());
            let state = asked.and_then(Result::ok).map(|asked| String::from_utf8_lossy(&asked.stdout).into_owned());
            Some(format!("{}:\n{lines}\n{}\n", node.name, state.unwrap_or_default()))
        });
        let replicas = self.replicas.iter().zip(REPLICAS);
        let replicas =
            replicas.map(|(server, replica)| format!("{replica:?}:\n{}\n", server.process().last_lines()));
        logs.chain(replicas).collect::<Vec<_>>().concat()
    }

    /// Returns the processes of a node: its own children, the database's postmaster, and theirs.
    fn processes(&self, node: usize) -> Vec<u32> {
        let Node { name, etcd, patroni, .. } = &self.nodes[node];
        let lock = fs::read_to_string(self.settings.folder.join(name).join("data/postmaster.pid"));
        let postmaster = lock.ok().and_then(|lock| lock.lines().next()?.parse().ok());
        let own = [etcd, patroni].into_iter().flatten().map(Process::id);
        let mut found: Vec<u32> = own.chain(postmaster).collect();
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .expect("Linux")
            .flatten()
            .filter_map(|entry| parent(&entry.path()))
            .collect();
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
            next += 1;
        }
        found
    }

    fn signal(&self, node: usize, signal: &str) {
        let ids = self.processes(node).iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        // Some of them end while they are signaled.
        let _ = Command::new("sh").args(["-c", &format!("kill -{signal} {ids} 2>/dev/null")]).status();
    }

    /// Ends all processes of a node, as a power cut does.
    pub(crate) fn kill_node(&mut self, node: usize) {
        // Twice: a process may have started another one meanwhile.
        self.signal(node, "KILL");
        self.signal(node, "KILL");
        let node = &mut self.nodes[node];
        (node.patroni, node.etcd, node.is_frozen) = (None, None, false);
    }

    pub(crate) fn start_node(&mut self, node: usize) {
        self.start_etcd(node);
        self.start_patroni(node);
    }

    /// Stops all processes of a node, as a paused virtual machine does.
    pub(crate) fn freeze_node(&mut self, node: usize) {
        self.signal(node, "STOP");
        self.nodes[node].is_frozen = true;
    }

    pub(crate) fn thaw_node(&mut self, node: usize) {
        self.signal(node, "CONT");
        self.nodes[node].is_frozen = false;
    }

    pub(crate) fn kill_etcd(&mut self, node: usize) {
        self.nodes[node].etcd = None;
    }

    pub(crate) fn kill_proxy(&mut self) {
        self.proxy = None;
    }

    pub(crate) fn signal_proxy(&self, signal: Signal) {
        self.proxy.as_ref().expect("it runs").signal(signal).expect("it runs");
    }

    /// Makes another node the primary, as an operator does.
    pub(crate) fn switch_over(&self, from: usize, to: usize) {
        let Node { name, last, .. } = &self.nodes[from];
        let mut command =
            self.program(("patronictl", "patroni"), self.settings.variables("patroni.env", name, *last));
        command.arg("-c").arg(self.settings.folder.join(name).join("config.yml"));
        command.args(["switchover", "--force", "--master", name, "--candidate", &self.nodes[to].name]);
        let done = command.output().expect("patronictl runs");
        assert!(
            done.status.success(),
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Runs a query on the primary; returns what it prints.
    pub(crate) fn query(&self, query: &str) -> String {
        let primary = until("a primary", || self.primary());
        // A file, because an argument is not long enough for the names of thousands of tokens.
        let file = self.settings.folder.join("query.sql");
        fs::write(&file, query).expect("written");
        self.psql(primary, "latchkey", &["-At", "-f", &file.display().to_string()])
    }

    /// Whether the database of a node is a primary by its own account: Patroni says so while it still promotes it.
    pub(crate) fn accepts_writes(&self, node: usize) -> bool {
        let asked = self.psql_command(node, "postgres").args(["-Atc", "SELECT pg_is_in_recovery()"]).output();
        asked.is_ok_and(|asked| asked.stdout == b"f\n")
    }

    /// Commits a transaction on a node, and returns when that is acknowledged.
    pub(crate) fn commit(&self, node: usize) {
        self.psql(node, "postgres", &["-c", "SELECT pg_logical_emit_message(true, 'latchkey', 'a commit')"]);
    }

    fn psql(&self, node: usize, database: &str, arguments: &[&str]) -> String {
        let done = self.psql_command(node, database).args(arguments).output().expect("psql runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn psql_command(&self, node: usize, database: &str) -> Command {
        let mut command = self.program(("psql", "postgresql-client"), Vec::new());
        command.arg("-h").arg(self.settings.folder.join(&self.nodes[node].name));
        command.args(["-p", &self.settings.ports[&5432].to_string(), "-U", "postgres"]);
        command.args(["-v", "ON_ERROR_STOP=1", "-d", database]);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        for node in 0..self.nodes.len() {
            self.thaw_node(node);
            self.kill_node(node);
        }
    }
}
