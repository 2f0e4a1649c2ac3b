//! Which server of a URL is connected to: the primary among several hosts, or any of them by a process that only reads.
//!
//! The driver tries one host after the other and waits for each. A host that accepts connections and is silent (frozen, or
//! behind a network that drops packets) would hold up all the others, so that a failover to one of them changes nothing.
//!
//! Here, a caller connects to the host that was the primary before. If that one fails or is silent for a moment, all hosts
//! are searched for the new primary, by one search at a time for all callers: an outage must not cost the other hosts a
//! connection, a TLS handshake and a password check for each request.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, Either, Shared, select},
    stream::FuturesUnordered,
};
use tokio::time::{sleep, timeout};
use tokio_postgres::{
    Config, Socket,
    config::{Host, TargetSessionAttrs},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::access::Access;

/// How long a host may be silent before others are tried beside it.
const HEAD_START: Duration = Duration::from_millis(250);
/// The pause between two searches.
const PAUSE: Duration = Duration::from_millis(100);
/// How long one search lasts while a host is silent and the others fail.
const MAX_SEARCH: Duration = Duration::from_secs(5);

/// The client of a connection, and what moves its bytes.
pub(super) type RawConnection = (
    tokio_postgres::Client,
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>,
);

/// Why no connection was opened.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The driver's error, of the first host that failed.
    #[error(transparent)]
    Driver(Arc<tokio_postgres::Error>),
    #[error("no host of the database URL answers as the primary")]
    NoPrimary,
}

impl From<tokio_postgres::Error> for ConnectError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(Arc::new(error))
    }
}

/// The servers of a URL. A clone is the same ones.
#[derive(Clone)]
pub(crate) struct Hosts(Arc<Inner>);

struct Inner {
    /// One for each host.
    configs: Box<[Config]>,
    tls: MakeRustlsConnect,
    /// The host that accepted a connection last.
    last: AtomicUsize,
    /// Whether the last search found no primary.
    is_lost: AtomicBool,
    search: Mutex<Option<Search>>,
}

/// The index of the host that was found.
type Search = Shared<BoxFuture<'static, Result<usize, ConnectError>>>;

impl Hosts {
    /// Splits a URL with several hosts into one for each. They are servers of one cluster, of which the primary is wanted
    /// unless `target_session_attrs` or the access says otherwise.
    pub(crate) fn new(config: &Config, tls: MakeRustlsConnect, access: Access) -> Self {
        let (last, is_lost, search) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::default());
        Self(Arc::new(Inner { configs: split(config, access), tls, last, is_lost, search }))
    }

    /// Connects to the primary.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(crate) async fn connect(&self) -> Result<RawConnection, ConnectError> {
        let Self(hosts) = self;
        let last = hosts.last.load(Ordering::Relaxed);
        if hosts.configs.len() == 1 {
            return hosts.dial(last).await;
        }
        if !hosts.is_lost.load(Ordering::Relaxed) {
            let mut dialed = hosts.dial(last);
            match timeout(HEAD_START, &mut dialed).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(_)) => {}
                // It may only be slow.
                Err(_) => {
                    if let Either::Left((Ok(connection), _)) = select(dialed, self.search()).await {
                        return Ok(connection);
                    }
                }
            }
        }
        let found = self.search().await?;
        hosts.dial(found).await
    }

    /// Joins the search for the primary, or begins it.
    fn search(&self) -> Search {
        let Self(hosts) = self;
        let mut search = hosts.search.lock().unwrap_or_else(PoisonError::into_inner);
        match &*search {
            Some(running) if running.peek().is_none() => running.clone(),
            _ => {
                let hosts = Arc::clone(hosts);
                // A task of its own, because it is for other callers too when this one gives up.
                let task = tokio::spawn(async move { hosts.find().await });
                let found = task.map(|found| found.unwrap_or(Err(ConnectError::NoPrimary))).boxed().shared();
                search.insert(found).clone()
            }
        }
    }
}

/// Hosts and ports, as an operator knows them.
impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.0.configs.iter().flat_map(|config| {
            let port = config.get_ports().first().copied().unwrap_or(5432);
            config.get_hosts().iter().map(move |host| match host {
                Host::Tcp(host) => format!("{host}:{port}"),
                Host::Unix(path) => format!("{} (port {port})", path.display()),
            })
        });
        f.write_str(&hosts.collect::<Vec<_>>().join(", "))
    }
}

impl Inner {
    /// The driver's future is large, and some callers have two.
    fn dial(&self, host: usize) -> BoxFuture<'_, Result<RawConnection, ConnectError>> {
        let dialed = async move {
            let config = self.configs.get(host).ok_or(ConnectError::NoPrimary)?;
            Ok(config.connect(self.tls.clone()).await?)
        };
        dialed.boxed()
    }

    async fn find(&self) -> Result<usize, ConnectError> {
        if self.is_lost.load(Ordering::Relaxed) {
            sleep(PAUSE).await;
        }
        let found = timeout(MAX_SEARCH, self.race()).await.unwrap_or(Err(ConnectError::NoPrimary));
        if let Ok(host) = found {
            self.last.store(host, Ordering::Relaxed);
        }
        self.is_lost.store(found.is_err(), Ordering::Relaxed);
        found
    }

    /// Tries the hosts one shortly after the other, the last primary first, until one accepts or all have failed. While one
    /// is silent, those that failed are tried again: one of them may be promoted meanwhile.
    async fn race(&self) -> Result<usize, ConnectError> {
        let (last, number) = (self.last.load(Ordering::Relaxed), self.configs.len());
        let mut untried: VecDeque<_> = (last..number).chain(0..last).collect();
        let mut failed = VecDeque::new();
        let mut running = FuturesUnordered::new();
        let mut failure = None;
        loop {
            if let Some(host) = untried.pop_front().or_else(|| failed.pop_front()) {
                running.push(async move { (host, self.dial(host).await) });
            }
            while let Ok(Some((host, outcome))) = timeout(HEAD_START, running.next()).await {
                let Err(error) = outcome else { return Ok(host) };
                failed.push_back(host);
                let failure = failure.get_or_insert(error);
                if !untried.is_empty() {
                    break;
                }
                if running.is_empty() {
                    return Err(failure.clone());
                }
            }
        }
    }
}

/// Returns a config for each host.
fn split(config: &Config, access: Access) -> Box<[Config]> {
    let (names, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let number = names.max(addresses);
    let fits = |length| length == 0 || length == number;
    let ports = config.get_ports().len();
    if number > 1 && fits(names) && fits(addresses) && (ports == 1 || fits(ports)) {
        (0..number).map(|index| config_of_host(config, index, access)).collect()
    } else {
        // The driver says what is wrong with lists of different lengths.
        Box::new([config.clone()])
    }
}

/// Returns the config for one of several hosts: the driver's own has no way to take hosts out.
fn config_of_host(all: &Config, index: usize, access: Access) -> Config {
    let mut one = Config::new();
    match all.get_hosts().get(index) {
        Some(Host::Tcp(name)) => {
            one.host(name);
        }
        Some(Host::Unix(path)) => {
            one.host_path(path);
        }
        None => {}
    }
    if let Some(address) = all.get_hostaddrs().get(index) {
        one.hostaddr(*address);
    }
    if let Some(port) = all.get_ports().get(index).or_else(|| all.get_ports().first()) {
        one.port(*port);
    }
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(password) = all.get_password() {
        one.password(password);
    }
    if let Some(database) = all.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(name) = all.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = all.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = all.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = all.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = all.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .load_balance_hosts(all.get_load_balance_hosts())
        .target_session_attrs(match all.get_target_session_attrs() {
            TargetSessionAttrs::Any if access == Access::Full => TargetSessionAttrs::ReadWrite,
            wanted => wanted,
        });
    one
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn config(url: &str) -> Config {
        Config::from_str(url).expect(url)
    }

    #[test]
    fn the_config_of_a_host_has_all_that_the_url_says() {
        let parameters = "options=-c%20a%3Db&application_name=l&connect_timeout=3&tcp_user_timeout=4&keepalives=1\
            &keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&channel_binding=require&sslmode=require\
            &sslnegotiation=direct&load_balance_hosts=random&target_session_attrs=read-write";
        let both = config(&format!("postgres://u:p@one:1,two:2/d?hostaddr=10.0.0.1,10.0.0.2&{parameters}"));
        let second = config(&format!("postgres://u:p@two:2/d?hostaddr=10.0.0.2&{parameters}"));
        for access in [Access::Full, Access::ReadOnly] {
            assert_eq!(split(&both, access).get(1), Some(&second));
        }
        let plain = config("postgres://one,two:7/d");
        let primary = config("postgres://two:7/d?target_session_attrs=read-write");
        assert_eq!(split(&plain, Access::Full).get(1), Some(&primary));
        assert_eq!(split(&plain, Access::ReadOnly).get(1), Some(&config("postgres://two:7/d")));
    }

    #[test]
    fn a_url_that_is_no_list_of_hosts_is_left_alone() {
        for url in
            ["postgres://one/d", "postgres://one,two/d?port=1,2,3", "postgres://one,two/d?hostaddr=10.0.0.1"]
        {
            assert_eq!(*split(&config(url), Access::Full), [config(url)], "{url}");
        }
    }
}
