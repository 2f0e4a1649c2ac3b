//! How connections are opened, and the limits that they get.

use std::{future::Future, time::Duration};

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::SimpleAsyncConnection;
use latchkey_ports::ErrorChain;
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Config, Socket, config::Host, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Connection, StatementCache};

/// How much longer than the statement timeout a connection waits for the server to report it.
const GRACE: Duration = Duration::from_secs(1);

/// The client of a connection, and what moves its bytes.
type RawConnection = (
    tokio_postgres::Client,
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>,
);

/// All that is needed to open a connection.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    pub(crate) statement_timeout: Duration,
    /// How long a caller waits for a connection.
    pub(crate) acquire_timeout: Duration,
    /// Whether sessions belong to a pooler, which gives them to another client after each transaction.
    pub(crate) transaction_pooler: bool,
}

impl Opening {
    /// Opens a connection for one caller at a time, without limits.
    pub(crate) async fn unlimited(&self) -> ConnectionResult<Connection> {
        // A network that drops packets must not block a caller for minutes.
        let (connection, _driver) = self.in_time(self.connect()).await?;
        Ok(connection)
    }

    /// Opens a connection for one caller at a time.
    pub(crate) async fn own(&self) -> ConnectionResult<Connection> {
        let connection = self.unlimited().await?;
        self.in_time(self.limit(connection)).await
    }

    /// Opens a connection for many callers at once. The returned task moves its bytes, and ends with it. It runs where the
    /// connection is opened, so that callers on the same thread need no other.
    pub(crate) async fn shared(&self) -> ConnectionResult<(Connection, JoinHandle<()>)> {
        let (connection, driver) = self.connect().await?;
        Ok((self.limit(connection).await?, driver))
    }

    /// The statements that set a transaction's limits, where a session cannot keep them.
    pub(crate) fn limits_of_transaction(&self) -> Option<String> {
        self.transaction_pooler.then(|| self.limits("SET LOCAL"))
    }

    async fn in_time<T>(&self, opening: impl Future<Output = ConnectionResult<T>>) -> ConnectionResult<T> {
        timeout(self.acquire_timeout, opening).await.unwrap_or_else(|_| {
            let what = format!("{}: no answer within {:?}", self.places(), self.acquire_timeout);
            Err(ConnectionError::BadConnection(what))
        })
    }

    /// Connects, without limits. The caller has to poll the returned connection.
    pub(crate) async fn connect_raw(&self) -> Result<RawConnection, tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }

    async fn connect(&self) -> ConnectionResult<(Connection, JoinHandle<()>)> {
        // With its sources, which say why: diesel keeps the text alone.
        let bad =
            |error| ConnectionError::BadConnection(format!("{}: {}", self.places(), ErrorChain(&error)));
        let (client, moving) = self.connect_raw().await.map_err(bad)?;
        let driver = tokio::spawn(async move {
            // The callers that wait for answers are told why it ended.
            let _ = moving.await;
        });
        let statements = (!self.transaction_pooler).then(StatementCache::default);
        Ok((Connection::new(client, statements), driver))
    }

    /// Returns hosts and ports, as an operator knows them.
    fn places(&self) -> String {
        let mut ports = self.config.get_ports().iter().copied();
        let mut port = 5432;
        let places = self.config.get_hosts().iter().map(|host| {
            port = ports.next().unwrap_or(port);
            match host {
                Host::Tcp(host) => format!("{host}:{port}"),
                Host::Unix(path) => format!("{} (port {port})", path.display()),
            }
        });
        places.collect::<Vec<_>>().join(", ")
    }

    async fn limit(&self, connection: Connection) -> ConnectionResult<Connection> {
        let mut connection = connection.watched(self.statement_timeout + GRACE);
        // A pooler's session would keep the limits for other clients.
        if !self.transaction_pooler {
            let set = connection.batch_execute(&self.limits("SET")).await;
            set.map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(connection)
    }

    /// How long a statement may take, and how long a transaction may be idle before it ends with its locks.
    fn limits(&self, set: &str) -> String {
        let millis = self.statement_timeout.as_millis();
        format!(
            "{set} statement_timeout = {millis}; {set} idle_in_transaction_session_timeout = {};",
            2 * millis
        )
    }
}
