//! How connections are opened, and what they may take.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, Config, NoTls};

use super::{Connection, ConnectionMode, Unnamed};

/// How long the word that a statement took too long may be on its way.
const A_MOMENT: Duration = Duration::from_secs(1);

/// All that is needed to open a connection.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) url: String,
    pub(crate) config: Config,
    pub(crate) statement_timeout: Duration,
    /// How long somebody waits for a connection.
    pub(crate) patience: Duration,
    /// Whether sessions belong to a pooler, which gives them to somebody else after each transaction.
    pub(crate) transaction_pooler: bool,
}

impl Opening {
    /// A connection for one at a time, without limits.
    pub(crate) async fn unlimited(&self) -> ConnectionResult<Connection> {
        let connecting = async {
            if self.transaction_pooler {
                let (client, _driver) = self.client().await?;
                return Ok(ConnectionMode::Unnamed(Unnamed::of(client)).into());
            }
            Connection::establish(&self.url).await
        };
        // A network that swallows packets must not hold a caller for minutes.
        timeout(self.patience, connecting)
            .await
            .unwrap_or_else(|elapsed| Err(ConnectionError::BadConnection(elapsed.to_string())))
    }

    /// A connection for one at a time.
    pub(crate) async fn own(&self) -> ConnectionResult<Connection> {
        let connection = self.unlimited().await?;
        timeout(self.patience, self.limit(connection))
            .await
            .unwrap_or_else(|elapsed| Err(ConnectionError::BadConnection(elapsed.to_string())))
    }

    /// A connection for many at once, and what moves its bytes; that ends when the connection does.
    ///
    /// The driver runs where the connection is made; there are no hops to another thread for those who ask from the
    /// same one.
    pub(crate) async fn shared(&self) -> ConnectionResult<(Connection, JoinHandle<()>)> {
        let (client, driver) = self.client().await?;
        let way = if self.transaction_pooler {
            ConnectionMode::Unnamed(Unnamed::of(client))
        } else {
            ConnectionMode::Prepared(AsyncPgConnection::try_from(client).await?)
        };
        Ok((self.limit(way.into()).await?, driver))
    }

    /// What a transaction is told at its beginning, where a session cannot be told for good.
    pub(crate) fn limits_of_transaction(&self) -> Option<String> {
        self.transaction_pooler.then(|| self.limits("SET LOCAL"))
    }

    async fn client(&self) -> ConnectionResult<(Client, JoinHandle<()>)> {
        let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(error.to_string());
        let (client, moving) = self.config.connect(NoTls).await.map_err(bad)?;
        let driver = tokio::spawn(async move {
            // Why it ended is told to those who wait for answers.
            let _ = moving.await;
        });
        Ok((client, driver))
    }

    async fn limit(&self, connection: Connection) -> ConnectionResult<Connection> {
        // A database that works ends a statement in time, and says so a moment later.
        let mut connection = connection.watched(self.statement_timeout + A_MOMENT);
        // What a pooler's session is told, it keeps for somebody else.
        if !self.transaction_pooler {
            let told = connection.batch_execute(&self.limits("SET")).await;
            told.map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(connection)
    }

    /// How long a statement may take, and that a transaction that nobody continues ends, with its locks.
    fn limits(&self, set: &str) -> String {
        let millis = self.statement_timeout.as_millis();
        format!(
            "{set} statement_timeout = {millis}; {set} idle_in_transaction_session_timeout = {};",
            2 * millis
        )
    }
}
