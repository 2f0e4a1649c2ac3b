//! A connection: diesel's statements over `tokio-postgres`.
//!
//! It is not diesel-async's `AsyncPgConnection`, for two reasons: that one passes on no SQLSTATE, which tells a passing
//! error from one that stays; and it cannot do without named statements, which a pooler in transaction mode loses
//! (`docs/design/decisions`, 12).

mod access;
mod copying;
mod errors;
mod hosts;
mod opening;
mod rows;
mod servers;
mod statement;
mod watch;

use std::{
    future::{Future, ready},
    pin::pin,
    time::Duration,
};

use diesel::{
    ConnectionError, ConnectionResult, QueryResult,
    connection::{CacheSize, Instrumentation, InstrumentationEvent},
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection, TransactionManager,
    pooled_connection::PoolableConnection,
};
use futures_util::{FutureExt, future::BoxFuture};
use tokio_postgres::Client;

pub use self::access::Access;
pub(crate) use self::{
    copying::CopyRows,
    hosts::{ConnectError, Hosts},
    opening::Opening,
    servers::Servers,
    statement::{FixedText, Unprepared},
};
use self::{
    errors::driver_error,
    rows::{Row, Rows},
    servers::Standing,
    statement::{Statement, StatementCache},
    watch::{Watch, Watched},
};

type Loading<'a> = Watched<'a, BoxFuture<'a, QueryResult<Rows>>>;
type Executing<'a> = Watched<'a, BoxFuture<'a, QueryResult<usize>>>;

/// An open connection.
pub(crate) struct Connection {
    client: Client,
    /// `None` behind a pooler in transaction mode: statements then have no names.
    statements: Option<StatementCache>,
    transaction_state: AnsiTransactionManager,
    instrumentation: NoInstrumentation,
    watch: Watch,
}

impl Connection {
    fn new(client: Client, statements: Option<StatementCache>) -> Self {
        Self {
            client,
            statements,
            transaction_state: AnsiTransactionManager::default(),
            instrumentation: NoInstrumentation,
            watch: Watch::new(Duration::MAX, None),
        }
    }

    /// Whether the connection is of no further use, although it is open: the wait for an answer timed out, or its server is
    /// not the primary.
    pub(crate) fn is_useless(&self) -> bool {
        self.watch.is_useless()
    }

    /// Returns a number that stands for the server among those that this process has used; `None` if it is not known.
    pub(crate) fn server(&self) -> Option<u64> {
        self.watch.server()
    }

    /// Limits the wait for each answer, to a server of this standing.
    fn watched(self, limit: Duration, standing: Option<Standing>) -> Self {
        Self { watch: Watch::new(limit, standing), ..self }
    }

    fn load_shared<T>(&self, source: T) -> Loading<'_>
    where
        T: AsQuery,
        T::Query: QueryFragment<Pg> + QueryId,
    {
        let statement = Statement::of(&source.as_query(), self.statements.as_ref());
        let rows = async { statement?.load(&self.client, self.statements.as_ref()).await };
        self.watch.over(rows.boxed())
    }

    fn execute_shared<T>(&self, source: T) -> Executing<'_>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let statement = Statement::of(&source, self.statements.as_ref());
        let count = async { statement?.execute(&self.client, self.statements.as_ref()).await };
        self.watch.over(count.boxed())
    }
}

impl SimpleAsyncConnection for &Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        let done = async { self.client.batch_execute(statements).await.map_err(driver_error) };
        self.watch.over(pin!(done)).await
    }
}

impl SimpleAsyncConnection for Connection {
    async fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        let mut shared = &*self;
        shared.batch_execute(statements).await
    }
}

/// For statements of several callers at once, outside transactions.
impl<'a> AsyncConnectionCore for &'a Connection {
    type ExecuteFuture<'conn, 'query> = Executing<'a>;
    type LoadFuture<'conn, 'query> = Loading<'a>;
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
    type ExecuteFuture<'conn, 'query> = Executing<'conn>;
    type LoadFuture<'conn, 'query> = Loading<'conn>;
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

    /// Required by the trait, and not supported: [`Opening`] opens connections.
    fn establish(_url: &str) -> impl Future<Output = ConnectionResult<Self>> + Send {
        ready(Err(ConnectionError::BadConnection("connections are opened by `Opening`".to_owned())))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction_state
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut self.instrumentation
    }

    fn set_instrumentation(&mut self, _instrumentation: impl Instrumentation) {}

    fn set_prepared_statement_cache_size(&mut self, _size: CacheSize) {}
}

impl PoolableConnection for Connection {
    fn is_broken(&mut self) -> bool {
        self.client.is_closed()
            || self.is_useless()
            || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}

/// The spans of the ports' calls are traced instead.
struct NoInstrumentation;

impl Instrumentation for NoInstrumentation {
    fn on_connection_event(&mut self, _event: InstrumentationEvent<'_>) {}
}
