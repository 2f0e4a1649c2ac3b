//! How connections are opened, and the limits that they get.

use std::{future::Future, sync::Arc, time::Duration};

use diesel::{ConnectionError, ConnectionResult};
use futures_util::future::join;
use latchkey_ports::ErrorChain;
use tokio::{task::JoinHandle, time::timeout};

use super::{
    Connection, Hosts, Servers, StatementCache,
    access::Access,
    errors::driver_error,
    hosts::{ConnectError, RawConnection},
};

/// How much longer than the statement timeout a connection waits for the server to report it.
const GRACE: Duration = Duration::from_secs(1);

/// All that is needed to open a connection.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) hosts: Hosts,
    pub(crate) statement_timeout: Duration,
    /// How long a caller waits for a connection.
    pub(crate) acquire_timeout: Duration,
    /// Whether sessions belong to a pooler, which gives them to another client after each transaction.
    pub(crate) transaction_pooler: bool,
    pub(crate) access: Access,
    /// What is known of the servers, from all connections.
    pub(crate) servers: Arc<Servers>,
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
            let what = format!("{}: no answer within {:?}", self.hosts, self.acquire_timeout);
            Err(ConnectionError::BadConnection(what))
        })
    }

    /// Connects, without limits. The caller has to poll the returned connection.
    pub(crate) async fn connect_raw(&self) -> Result<RawConnection, ConnectError> {
        self.hosts.connect().await
    }

    async fn connect(&self) -> ConnectionResult<(Connection, JoinHandle<()>)> {
        // With the hosts and the sources, which say why: diesel keeps the text alone.
        let bad = |error| ConnectionError::BadConnection(format!("{}: {}", self.hosts, ErrorChain(&error)));
        let (client, moving) = self.connect_raw().await.map_err(bad)?;
        let driver = tokio::spawn(async move {
            // The callers that wait for answers are told why it ended.
            let _ = moving.await;
        });
        if self.access == Access::ReadOnly {
            let set = client.batch_execute("SET default_transaction_read_only = on").await;
            set.map_err(|error| ConnectionError::CouldntSetupConfiguration(driver_error(error)))?;
        }
        let statements = (!self.transaction_pooler).then(StatementCache::default);
        Ok((Connection::new(client, statements), driver))
    }

    async fn limit(&self, connection: Connection) -> ConnectionResult<Connection> {
        let limit = self.statement_timeout + GRACE;
        if self.transaction_pooler {
            // The session is another client's after each transaction, and its server another one at any time.
            return Ok(connection.watched(limit, None));
        }
        let limits = self.limits("SET");
        // Sent together, for one round trip.
        let (set, standing) =
            join(connection.client.batch_execute(&limits), self.servers.ask(&connection.client, self.access))
                .await;
        set.map_err(|error| ConnectionError::CouldntSetupConfiguration(driver_error(error)))?;
        Ok(connection.watched(limit, Some(standing?)))
    }

    /// How long a statement may take, and how long a transaction may be idle before it ends with its locks. None is compiled (JIT):
    /// that takes longer than any statement here, and is chosen by estimates.
    fn limits(&self, set: &str) -> String {
        let millis = self.statement_timeout.as_millis();
        format!(
            "{set} jit = off; {set} statement_timeout = {millis}; {set} idle_in_transaction_session_timeout = {};",
            2 * millis
        )
    }
}
