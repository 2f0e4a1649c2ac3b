//! A connection, by one of two ways of sending statements.
//!
//! Where Latchkey has its PostgreSQL session to itself, diesel-async keeps statements prepared under names. Behind a pooler in
//! transaction mode each transaction may run in another session, in which those names mean nothing or something else: there,
//! a statement goes without a name and in one piece (decision 12).

mod driver_error;
mod opening;
mod rows;
mod unnamed;
mod watch;

use std::{future::Future, pin::pin, time::Duration};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{CacheSize, Instrumentation},
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection,
    TransactionManager, pooled_connection::PoolableConnection,
};
use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};

pub(crate) use self::opening::Opening;
use self::{
    rows::{Loading, Row, Rows},
    unnamed::{Statement, Unnamed},
    watch::{Watch, Watched},
};

/// An open connection.
pub(crate) struct Connection {
    way: ConnectionMode,
    watch: Watch,
}

#[expect(clippy::large_enum_variant, reason = "a few are open, and a box would cost every statement a step")]
enum ConnectionMode {
    /// Statements are kept prepared under names.
    Prepared(AsyncPgConnection),
    /// Statements have no names.
    Unnamed(Unnamed),
}

impl Connection {
    /// Whether it was waited for too long. Then it is of no use any more.
    pub(crate) fn gave_up(&self) -> bool {
        self.watch.gave_up()
    }

    /// The same connection, whose answers may take so long.
    fn watched(self, limit: Duration) -> Self {
        Self { watch: Watch::new(limit), ..self }
    }

    fn load_shared<T>(&self, source: T) -> Watched<'_, Loading<'_>>
    where
        T: AsQuery,
        T::Query: QueryFragment<Pg> + QueryId,
    {
        self.watch.over(match &self.way {
            ConnectionMode::Prepared(connection) => {
                let mut shared = connection;
                Loading::Prepared(AsyncConnectionCore::load(&mut shared, source))
            }
            ConnectionMode::Unnamed(connection) => {
                Loading::Unnamed(connection.load(Statement::of(&source.as_query())).boxed())
            }
        })
    }

    fn execute_shared<T>(&self, source: T) -> Watched<'_, BoxFuture<'_, QueryResult<usize>>>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.watch.over(match &self.way {
            ConnectionMode::Prepared(connection) => {
                let mut shared = connection;
                AsyncConnectionCore::execute_returning_count(&mut shared, source)
            }
            ConnectionMode::Unnamed(connection) => connection.execute(Statement::of(&source)).boxed(),
        })
    }
}

impl From<ConnectionMode> for Connection {
    /// Without a limit to how long an answer may take.
    fn from(way: ConnectionMode) -> Self {
        Self { way, watch: Watch::new(Duration::MAX) }
    }
}

impl SimpleAsyncConnection for &Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        let done = async {
            match &self.way {
                ConnectionMode::Prepared(connection) => {
                    let mut shared = connection;
                    shared.batch_execute(statements).await
                }
                ConnectionMode::Unnamed(connection) => connection.batch_execute(statements).await,
            }
        };
        self.watch.over(pin!(done)).await
    }
}

impl SimpleAsyncConnection for Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        let mut shared = &*self;
        shared.batch_execute(statements).await
    }
}

impl<'a> AsyncConnectionCore for &'a Connection {
    type ExecuteFuture<'conn, 'query> = Watched<'a, BoxFuture<'a, QueryResult<usize>>>;
    type LoadFuture<'conn, 'query> = Watched<'a, Loading<'a>>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        self.load_shared(source)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        self.execute_shared(source)
    }
}

impl AsyncConnectionCore for Connection {
    type ExecuteFuture<'conn, 'query> = Watched<'conn, BoxFuture<'conn, QueryResult<usize>>>;
    type LoadFuture<'conn, 'query> = Watched<'conn, Loading<'conn>>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        self.load_shared(source)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        self.execute_shared(source)
    }
}

impl AsyncConnection for Connection {
    type TransactionManager = AnsiTransactionManager;

    /// Asked for by the trait; [`Opening`] knows how sessions are to be opened.
    fn establish(url: &str) -> impl Future<Output = ConnectionResult<Self>> + Send {
        AsyncPgConnection::establish(url).map_ok(|connection| ConnectionMode::Prepared(connection).into())
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        match &mut self.way {
            ConnectionMode::Prepared(connection) => connection.transaction_state(),
            ConnectionMode::Unnamed(connection) => connection.transaction_state(),
        }
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        match &mut self.way {
            ConnectionMode::Prepared(connection) => connection.instrumentation(),
            ConnectionMode::Unnamed(connection) => connection.instrumentation(),
        }
    }

    /// Of statements without names nobody is told.
    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        if let ConnectionMode::Prepared(connection) = &mut self.way {
            connection.set_instrumentation(instrumentation);
        }
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        if let ConnectionMode::Prepared(connection) = &mut self.way {
            connection.set_prepared_statement_cache_size(size);
        }
    }
}

impl PoolableConnection for Connection {
    fn is_broken(&mut self) -> bool {
        let is_broken = match &mut self.way {
            ConnectionMode::Prepared(connection) => connection.is_broken(),
            ConnectionMode::Unnamed(connection) => {
                connection.is_closed() || AnsiTransactionManager::is_broken_transaction_manager(self)
            }
        };
        is_broken || self.gave_up()
    }
}
