//! The files of `deploy/ha`, with the addresses, ports, folders and passwords of this run.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process,
};

use latchkey_testkit::cluster;

/// The ports of `deploy/ha`. Others are used here, because a database of this machine may listen on all addresses.
const PORTS: [u16; 7] = [5432, 8008, 2379, 2380, 4242, 8080, 5000];
/// The password of all accounts.
pub(crate) const PASSWORD: &str = "of-this-run";
const MASTER_KEY: &str = "6869676820617661696c6162696c69747920746573742d6d61737465726b2d2d";
/// The files, for this machine.
pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    network: [u8; 3],
    pub(crate) ports: HashMap<u16, u16>,
}

impl Settings {
    pub(crate) fn new(folder: &Path) -> Self {
        // Where another run has the same addresses, the next ones are taken.
        let free = |first: u16| {
            let third = u8::try_from(first % 250).unwrap_or_default();
            let network = [127, u8::try_from(process::id() % 200 + 20).unwrap_or_default(), third];
            let ports: HashMap<_, _> = PORTS.into_iter().zip(first..).collect();
            let [a, b, c] = network;
            let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::new(a, b, c, 11), *port)).is_ok();
            ports.values().all(is_free).then(|| Self { folder: folder.to_owned(), network, ports })
        };
        (21_000..31_000).step_by(PORTS.len()).find_map(free).expect("free ports")
    }

    /// The address of a machine, by the last byte that it has in `deploy/ha`.
    pub(crate) fn address(&self, last: u8, port: u16) -> SocketAddr {
        let [a, b, c] = self.network;
        (Ipv4Addr::new(a, b, c, last), self.ports[&port]).into()
    }

    /// Returns a file of `deploy/ha` for a machine.
    pub(crate) fn file(&self, name: &str, machine: &str, last: u8) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ha").join(name);
        let mut text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let [a, b, c] = self.network;
        let (network, folder) = (format!("{a}.{b}.{c}"), self.folder.display());
        let place = format!("{folder}/{machine}");
        for (shown, real) in [
            ("@NAME@", machine.to_owned()),
            ("@ADDRESS@", format!("{network}.{last}")),
            ("@MASTER_KEY@", MASTER_KEY.to_owned()),
            ("bind :", format!("bind {network}.{last}:")),
            // Connections to loopback addresses come from the first of them.
            ("10.0.0.0/24", "127.0.0.0/8".to_owned()),
            ("10.0.0.", format!("{network}.")),
            ("/var/lib/postgresql/latchkey", format!("{place}/data")),
            ("/var/lib/postgresql/.pgpass-latchkey", format!("{place}/pgpass")),
            ("/var/run/postgresql", place.clone()),
            ("/var/lib/etcd/latchkey", format!("{place}/etcd")),
            ("/usr/lib/postgresql/15/bin", postgres_programs().display().to_string()),
            ("/etc/patroni", place),
            ("/etc/latchkey", folder.to_string()),
            // The account that runs the test may have another name than the database knows.
            ("local all postgres peer", "local all postgres trust".to_owned()),
            // There is no watchdog on a machine for tests: `Fault::PrimaryFreezes` does what it would.
            ("mode: required", "mode: 'off'".to_owned()),
        ] {
            text = text.replace(shown, &real);
        }
        for kind in ["SUPERUSER", "REPLICATION", "REWIND", "RESTAPI", "LATCHKEY"] {
            text = text.replace(&format!("@{kind}_PASSWORD@"), PASSWORD);
        }
        for (shown, real) in &self.ports {
            text = text.replace(&shown.to_string(), &real.to_string());
        }
        text
    }

    /// Returns the variables of a file.
    pub(crate) fn variables(&self, name: &str, machine: &str, last: u8) -> Vec<(String, String)> {
        let text = self.file(name, machine, last);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// Returns the folder of all of PostgreSQL's programs, of which some may be linked elsewhere.
fn postgres_programs() -> PathBuf {
    let initdb = cluster::programs().expect("PostgreSQL").join("initdb");
    let real = initdb.canonicalize().expect("a program");
    real.parent().expect("a folder").to_owned()
}
