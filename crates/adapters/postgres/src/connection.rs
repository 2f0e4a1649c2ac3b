//! A connection, by one of two ways of sending statements.
//!
//! Where Latchkey has its PostgreSQL session to itself, diesel-async keeps statements prepared under names. Behind a pooler in
//! transaction mode each transaction may run in another session, in which those names mean nothing or something else: there,
//! a statement goes without a name and in one piece (decision 12).

mod driver_error;
mod opening;
mod rows;
mod unnamed;

use std::future::Future;

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
};

/// An open connection.
#[expect(clippy::large_enum_variant, reason = "a few are open, and a box would cost every statement a step")]
pub(crate) enum Connection {
    /// Statements are kept prepared under names.
    Prepared(AsyncPgConnection),
    /// Statements have no names.
    Unnamed(Unnamed),
}

impl Connection {
    fn load_shared<T>(&self, source: T) -> Loading<'_>
    where
        T: AsQuery,
        T::Query: QueryFragment<Pg> + QueryId,
    {
        match self {
            Self::Prepared(connection) => {
                let mut shared = connection;
                Loading::Prepared(AsyncConnectionCore::load(&mut shared, source))
            }
            Self::Unnamed(connection) => {
                Loading::Unnamed(connection.load(Statement::of(&source.as_query())).boxed())
            }
        }
    }

    fn execute_shared<T>(&self, source: T) -> BoxFuture<'_, QueryResult<usize>>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        match self {
            Self::Prepared(connection) => {
                let mut shared = connection;
                AsyncConnectionCore::execute_returning_count(&mut shared, source)
            }
            Self::Unnamed(connection) => connection.execute(Statement::of(&source)).boxed(),
        }
    }
}

impl SimpleAsyncConnection for &Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        match self {
            Connection::Prepared(connection) => {
                let mut shared = connection;
                shared.batch_execute(statements).await
            }
            Connection::Unnamed(connection) => connection.batch_execute(statements).await,
        }
    }
}

impl SimpleAsyncConnection for Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        let mut shared = &*self;
        shared.batch_execute(statements).await
    }
}

impl<'a> AsyncConnectionCore for &'a Connection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'a, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = Loading<'a>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Loading<'a>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        self.load_shared(source)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> BoxFuture<'a, QueryResult<usize>>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        self.execute_shared(source)
    }
}

impl AsyncConnectionCore for Connection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = Loading<'conn>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Loading<'conn>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        self.load_shared(source)
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> BoxFuture<'conn, QueryResult<usize>>
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
        AsyncPgConnection::establish(url).map_ok(Self::Prepared)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        match self {
            Self::Prepared(connection) => connection.transaction_state(),
            Self::Unnamed(connection) => connection.transaction_state(),
        }
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        match self {
            Self::Prepared(connection) => connection.instrumentation(),
            Self::Unnamed(connection) => connection.instrumentation(),
        }
    }

    /// Of statements without names nobody is told.
    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        if let Self::Prepared(connection) = self {
            connection.set_instrumentation(instrumentation);
        }
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        if let Self::Prepared(connection) = self {
            connection.set_prepared_statement_cache_size(size);
        }
    }
}

impl PoolableConnection for Connection {
    fn is_broken(&mut self) -> bool {
        match self {
            Self::Prepared(connection) => connection.is_broken(),
            Self::Unnamed(connection) => {
                connection.is_closed() || AnsiTransactionManager::is_broken_transaction_manager(self)
            }
        }
    }
}
