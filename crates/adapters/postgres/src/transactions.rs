//! Transactions that write.

use std::ops::DerefMut;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use latchkey_ports::StoreError;
use latchkey_sql::errors::{DbError, unavailable};
use tracing::Instrument;

use crate::{PostgresStore, connection::Connection};

impl PostgresStore {
    /// Runs a transaction that writes, and announces that there may be new events. It is a task of its own that goes on when
    /// the caller's future is dropped, so a client that disconnects leaves no lock and no open transaction.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Connection) -> Result<T, DbError>,
        F: for<'c> Work<'c, T> + Send + 'static,
    {
        let store = self.clone();
        let limits = self.opening.limits_of_transaction();
        self.write_over(async move { store.connection().await }, limits, work).await
    }

    /// As [`PostgresStore::write`], over a connection of its own, without limits of time.
    pub(crate) async fn write_without_limits<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Connection) -> Result<T, DbError>,
        F: for<'c> Work<'c, T> + Send + 'static,
    {
        let store = self.clone();
        let opened = async move { store.connection_without_limits().await.map(Box::new) };
        self.write_over(opened, None, work).await
    }

    async fn write_over<C, T, F>(
        &self,
        connection: impl Future<Output = Result<C, StoreError>> + Send + 'static,
        limits: Option<String>,
        work: F,
    ) -> Result<T, StoreError>
    where
        C: DerefMut<Target = Connection> + Send + 'static,
        T: Send + 'static,
        F: AsyncFnOnce(&mut Connection) -> Result<T, DbError>,
        F: for<'c> Work<'c, T> + Send + 'static,
    {
        let store = self.clone();
        let transaction = async move {
            let mut connection = connection.await?;
            let done = connection.transaction(async |connection| {
                if let Some(limits) = limits {
                    connection.batch_execute(&limits).await?;
                }
                work(connection).await
            });
            let done = done.await?;
            store.event_announcer.announce();
            Ok::<_, DbError>(done)
        };
        Ok(tokio::spawn(transaction.in_current_span()).await.map_err(unavailable)??)
    }
}

/// An async closure with a future that is `Send`, which the bound `AsyncFnOnce` alone cannot demand.
pub(crate) trait Work<'c, T>: FnOnce(&'c mut Connection) -> Self::Fut {
    type Fut: Future<Output = Result<T, DbError>> + Send;
}

impl<'c, T, F, Fut> Work<'c, T> for F
where
    F: FnOnce(&'c mut Connection) -> Fut,
    Fut: Future<Output = Result<T, DbError>> + Send,
{
    type Fut = Fut;
}
