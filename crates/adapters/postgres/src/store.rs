//! The store: its connections, and the ways in which calls use them.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use diesel::{
    ConnectionError, OptionalExtension, QueryDsl, QueryableByName,
    dsl::exists,
    select, sql_query,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::{
    RunQueryDsl,
    methods::{ExecuteDsl, LoadQuery},
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use latchkey_ports::{Health, Inconsistency, PoolState, SchemaState, StoreError};
use latchkey_sql::{
    errors::{store_error, unavailable},
    rows,
    schema::environments,
};
use tokio::{runtime::Handle, task::JoinError, time::timeout};
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
};

use crate::{
    connection::{Access, Connection, Hosts, Opening},
    creation_groups::CreationGroups,
    errors::OpenError,
    event_announcer::EventAnnouncer,
    event_listener::EventListener,
    migrations,
    readers::{Reader, Readers},
    replica::Replica,
    tls::{Tls, TlsError, TlsSettings, split_url},
    url_defaults::UrlDefaults,
};

/// How long a connection is idle before the driver probes it, where the URL does not say.
const DRIVERS_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The settings of the store.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`, with libpq's parameters. Of several hosts, separated by commas, the
    /// primary is used; with [`Access::ReadOnly`] the first that answers.
    pub url: String,
    /// What the process may do with the database.
    pub access: Access,
    /// TLS, where the URL says nothing about it.
    pub tls: TlsSettings,
    /// What the URL and the settings leave open.
    pub url_defaults: UrlDefaults,
    /// The largest number of open connections, at least two.
    pub pool_size: usize,
    /// The time limit of a statement.
    pub statement_timeout: Duration,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// Whether connections go through a pooler in transaction mode.
    pub transaction_pooler: bool,
}

impl PostgresSettings {
    /// Settings for the database of this URL, otherwise the defaults of the server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            access: Access::Full,
            tls: TlsSettings::default(),
            url_defaults: UrlDefaults::default(),
            pool_size: 8,
            statement_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            transaction_pooler: false,
        }
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings").field("pool_size", &self.pool_size).finish_non_exhaustive()
    }
}

/// The store over one PostgreSQL database. A clone is the same store.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool<Connection>,
    readers: Arc<Readers>,
    pub(crate) event_listener: Arc<EventListener>,
    pub(crate) event_announcer: Arc<EventAnnouncer>,
    pub(crate) creation_groups: Arc<CreationGroups>,
    pub(crate) opening: Opening,
    pub(crate) replica: Arc<Replica>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Creates a store over the database of this URL, for the life of the tokio runtime that calls this. It opens no connection
    /// yet. [`PostgresStore::migrate`] creates the tables.
    ///
    /// # Errors
    /// [`OpenError::Url`] and [`OpenError::Tls`] for a URL that cannot work.
    pub fn connect(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let opening = opening(settings)?;
        let mut config = ManagerConfig::default();
        // A closed connection is detected without a query: its driver has ended.
        config.recycling_method = RecyclingMethod::Fast;
        // Half of the connections are for one call at a time, and half are shared.
        let shared = (settings.pool_size / 2).max(1);
        let readers = Arc::new(Readers::new(shared, opening.clone()));
        let (for_pool, runtime) = (opening.clone(), Handle::current());
        let event_announcer = Arc::new(EventAnnouncer::new(&runtime, Arc::clone(&readers)));
        let creation_groups = Arc::new(CreationGroups::new(runtime.clone(), settings.acquire_timeout));
        config.custom_setup = Box::new(move |_url| {
            let opening = for_pool.clone();
            // Not on the runtime of the HTTP worker that asks: a connection ends with the runtime on which it was opened, and
            // another worker, or the last flush of a stop, may be using it then.
            let opened = runtime.spawn(async move { opening.own().await });
            let failed = |error: JoinError| Err(ConnectionError::BadConnection(error.to_string()));
            opened.map(move |opened| opened.unwrap_or_else(failed)).boxed()
        });
        // Opening a connection takes no URL.
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size.saturating_sub(shared).max(1))
            .build()
            .map_err(|error| OpenError::Pool(Box::new(error)))?;
        let event_listener = Arc::new(EventListener::new(opening.clone()));
        let replica = Arc::new(Replica::new(settings.access));
        Ok(Self { pool, readers, event_listener, event_announcer, creation_groups, opening, replica })
    }

    /// Runs the pending migrations and returns their number. Any number of processes may do so at once; each migration runs
    /// once.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`]; [`OpenError::NewerSchema`] for a database of a newer version; [`OpenError::Migration`].
    pub async fn migrate(&self) -> Result<usize, OpenError> {
        migrations::run(self.unlimited_connection().await?).await
    }

    /// Returns which migrations the database has. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`]; [`OpenError::Migration`] if they cannot be read.
    pub async fn schema_state(&self) -> Result<SchemaState, OpenError> {
        migrations::state(&mut self.unlimited_connection().await?).await
    }

    /// Asks the server about itself.
    ///
    /// # Errors
    /// [`OpenError::Unreachable`]; [`OpenError::Pool`] if it does not answer.
    pub async fn server_info(&self) -> Result<ServerInfo, OpenError> {
        let mut connection = self.unlimited_connection().await?;
        let answered = sql_query(SERVER_INFO).get_result(&mut connection).await;
        answered.map_err(|error| OpenError::Unreachable(Box::new(error)))
    }

    /// Opens a connection of its own, without limits, for a call of a port.
    pub(crate) async fn connection_without_limits(&self) -> Result<Connection, StoreError> {
        self.unlimited_connection().await.map_err(unavailable)
    }

    /// Opens a connection of its own, without limits.
    async fn unlimited_connection(&self) -> Result<Connection, OpenError> {
        self.opening.unlimited().await.map_err(OpenError::of_connecting)
    }

    /// Returns a connection that calls share for short reads of one statement each.
    pub(crate) async fn reader(&self) -> Result<Arc<Reader>, StoreError> {
        self.readers.get().await
    }

    /// Returns a connection for one call that reads. Statements outside a transaction leave nothing behind when they are
    /// dropped.
    pub(crate) async fn connection(&self) -> Result<Object<Connection>, StoreError> {
        timeout(self.opening.acquire_timeout, self.pool.get())
            .await
            .map_err(unavailable)?
            .map_err(unavailable)
    }

    /// Loads and converts all rows of a statement.
    pub(crate) fn load_all<'a, R, T>(
        &'a self,
        statement: impl LoadQuery<'a, Connection, R> + Send + 'a,
    ) -> BoxFuture<'a, Result<Vec<T>, StoreError>>
    where
        R: Send + 'a,
        T: TryFrom<R, Error = Inconsistency> + Send,
    {
        async move {
            let mut connection = self.connection().await?;
            let rows: Vec<R> = statement.load(&mut *connection).await.map_err(store_error)?;
            Ok(rows::all(rows)?)
        }
        .boxed()
    }

    /// Loads and converts the row of a statement, if there is one.
    pub(crate) fn load_optional<'a, R, T>(
        &'a self,
        statement: impl LoadQuery<'a, Connection, R> + Send + 'a,
    ) -> BoxFuture<'a, Result<Option<T>, StoreError>>
    where
        R: Send + 'a,
        T: TryFrom<R, Error = Inconsistency> + Send,
    {
        async move {
            let mut connection = self.connection().await?;
            let row = statement.get_result(&mut *connection).await.optional().map_err(store_error)?;
            Ok(rows::optional(row)?)
        }
        .boxed()
    }

    /// Deletes one portion after another, so that others can write in between and no statement takes long, until nothing is left, and
    /// returns the number of rows.
    pub(crate) async fn forget<S: ExecuteDsl<Connection> + Send>(
        &self,
        portion: impl Fn() -> S + Send + Sync,
    ) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let deleted = self.execute(portion()).await?;
            if deleted == 0 {
                return Ok(forgotten);
            }
            forgotten += deleted;
        }
    }

    /// Executes a statement outside a transaction, and returns the number of rows.
    pub(crate) fn execute<'a>(
        &'a self,
        statement: impl ExecuteDsl<Connection> + Send + 'a,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        async move {
            let mut connection = self.connection().await?;
            let rows = ExecuteDsl::execute(statement, &mut *connection).await.map_err(store_error)?;
            Ok(u64::try_from(rows).unwrap_or(u64::MAX))
        }
        .boxed()
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ServerInfo {
    /// The version as text.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The version as a number: 150018 is 15.18.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// The clock of the server, in milliseconds since 1970.
    #[diesel(sql_type = BigInt)]
    pub now: i64,
    /// Whether it is a standby, which cannot be written.
    #[diesel(sql_type = Bool)]
    pub is_standby: bool,
    /// Whether the connection is encrypted.
    #[diesel(sql_type = Bool)]
    pub is_encrypted: bool,
    /// Whether the server is on this machine.
    #[diesel(sql_type = Bool)]
    pub is_local: bool,
}

const SERVER_INFO: &str = "\
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::bigint AS number, \
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now, pg_is_in_recovery() AS is_standby, \
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted, \
    coalesce(inet_server_addr() = inet_client_addr(), true) AS is_local";

/// Connects to a database that is not Latchkey's, without limits. A task of its own moves the bytes, until the client is
/// dropped.
///
/// # Errors
/// [`OpenError`], which says what an operator can do.
pub async fn connect_client(settings: &PostgresSettings) -> Result<Client, OpenError> {
    let (client, moving) =
        opening(settings)?.connect_raw().await.map_err(|error| OpenError::Unreachable(Box::new(error)))?;
    tokio::spawn(async move {
        // The callers that wait for answers are told why it ended.
        let _ = moving.await;
    });
    Ok(client)
}

/// Reads the URL and the settings.
fn opening(settings: &PostgresSettings) -> Result<Opening, OpenError> {
    let (url, mut tls) = split_url(&settings.url, &settings.tls)?;
    settings.url_defaults.fill_tls(&mut tls)?;
    let url = settings.url_defaults.with_port(&url);
    let tls = Tls::new(&tls)?;
    let mut parsed = Config::from_str(&url).map_err(|error| OpenError::Url(Box::new(error)))?;
    // A mode that the driver finds in what is left would be weakened below.
    if parsed.get_ssl_mode() != SslMode::Prefer {
        return Err(TlsError::Misplaced.into());
    }
    parsed.ssl_mode(tls.mode);
    settings.url_defaults.fill(&mut parsed)?;
    check_hosts(&parsed)?;
    // Detects a network that drops packets, also while calls wait for answers.
    parsed.tcp_user_timeout(settings.statement_timeout);
    // Detects a host that was switched off, also on a connection that only listens.
    if parsed.get_keepalives_idle() == DRIVERS_KEEPALIVE {
        parsed.keepalives_idle(KEEPALIVE);
    }
    Ok(Opening {
        hosts: Hosts::new(&parsed, tls.connector, settings.access),
        statement_timeout: settings.statement_timeout,
        acquire_timeout: settings.acquire_timeout,
        transaction_pooler: settings.transaction_pooler,
        access: settings.access,
        servers: Arc::default(),
    })
}

/// Fails for a host that a name cannot be: then the login before it has an `@` of its own.
fn check_hosts(config: &Config) -> Result<(), OpenError> {
    let is_login = |host: &Host| matches!(host, Host::Tcp(host) if host.contains('@'));
    if config.get_hosts().iter().any(is_login) { Err(OpenError::UnencodedLogin) } else { Ok(()) }
}

#[async_trait]
impl Health for PostgresStore {
    /// Reads a row of the smallest table, so that a server without the tables is not ready.
    async fn ping(&self) -> Result<(), StoreError> {
        let reader = self.reader().await?;
        let mut connection = &**reader;
        let _: bool = select(exists(environments::table.select(environments::name)))
            .get_result(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    fn pools(&self) -> Vec<PoolState> {
        let status = self.pool.status();
        let exclusive = PoolState {
            name: "exclusive",
            max: status.max_size,
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
        };
        vec![exclusive, self.readers.state("shared")]
    }
}
