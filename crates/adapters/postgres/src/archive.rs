//! Backups of the whole database, and loading them.

use async_trait::async_trait;
use diesel::{QueryResult, sql_query, sql_types::Text};
use diesel_async::{AnsiTransactionManager, RunQueryDsl, SimpleAsyncConnection, TransactionManager};
use futures_util::{StreamExt, stream};
use latchkey_ports::{
    Archive, ArchiveChunk, ArchiveError, ArchiveHeader, ArchiveRows, ArchivedTable, StoreError,
};
use latchkey_sql::{
    archive::{self, Count, Dialect, Line, Loading, ROWS_AT_ONCE, SourceTable, TableDigest},
    errors::store_error,
    migrations::{Pending, SCHEMA},
};
use tokio::sync::mpsc;

use crate::{
    connection::{Connection, Unprepared},
    migrations,
    store::PostgresStore,
};

const DIALECT: Dialect = Dialect::Postgres;
/// How many chunks wait for the reader of an archive.
const CHUNKS_AHEAD: usize = 4;
/// One snapshot for all statements. The reader of an archive may be slow, so no limit of the server's applies.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0";

#[async_trait]
impl Archive for PostgresStore {
    async fn export(&self) -> Result<(ArchiveHeader, ArchiveRows), ArchiveError> {
        // Not of the pool, whose connections have limits. It ends with the stream.
        let mut connection = self.connection_without_limits().await?;
        connection.batch_execute(SNAPSHOT).await.map_err(store_error)?;
        let state = migrations::state(&mut connection).await;
        state.map_err(|error| StoreError::Fault(Box::new(error)))?.check(SCHEMA)?;
        let mut tables = Vec::new();
        for table in archive::tables() {
            tables.push(table.with_rows(count(&mut connection, &table).await.map_err(store_error)?));
        }
        let header = ArchiveHeader { schema: SCHEMA, tables: tables.clone() };
        let (send, chunks) = mpsc::channel(CHUNKS_AHEAD);
        tokio::spawn(async move {
            for (place, table) in tables.iter().enumerate() {
                if let Err(error) = read(&mut connection, place, table, &send).await {
                    // A reader that has gone needs no error.
                    let _ = send.send(Err(error)).await;
                    return;
                }
            }
        });
        let chunks = stream::unfold(chunks, async |mut chunks| Some((chunks.recv().await?, chunks)));
        Ok((header, chunks.boxed()))
    }

    async fn import(&self, header: ArchiveHeader, rows: ArchiveRows) -> Result<(), ArchiveError> {
        let connection = self.connection_without_limits().await?;
        // A task of its own, as every transaction that writes: it ends even if the caller gives up.
        let done = tokio::spawn(import(connection, header, rows)).await;
        done.map_err(|error| StoreError::Fault(Box::new(error)))?
    }
}

/// Sends the rows of a table, or as many as the receiver wants.
async fn read(
    connection: &mut Connection,
    place: usize,
    table: &ArchivedTable,
    send: &mpsc::Sender<Result<ArchiveChunk, ArchiveError>>,
) -> Result<(), ArchiveError> {
    let mut lines = Lines::of(connection, table).await?;
    loop {
        let lines = lines.next().await?;
        if lines.is_empty() {
            break;
        }
        let rows = lines.iter().map(|line| archive::parse_row(line)).collect::<Result<_, _>>()?;
        if send.send(Ok(ArchiveChunk { table: place, rows })).await.is_err() {
            break;
        }
    }
    lines.close().await
}

/// The rows of a table, through a cursor: without one, the driver would hold all that the server sends.
struct Lines<'c>(&'c mut Connection);

impl<'c> Lines<'c> {
    async fn of(connection: &'c mut Connection, table: &ArchivedTable) -> Result<Self, ArchiveError> {
        let select = archive::select(DIALECT, table)?;
        let declare = format!("DECLARE archived NO SCROLL CURSOR FOR {select}");
        connection.batch_execute(&declare).await.map_err(store_error)?;
        Ok(Self(connection))
    }

    async fn next(&mut self) -> Result<Vec<String>, ArchiveError> {
        let fetch = Unprepared(sql_query(format!("FETCH {ROWS_AT_ONCE} FROM archived")));
        let lines: Vec<Line> = fetch.load(self.0).await.map_err(store_error)?;
        Ok(lines.into_iter().map(|line| line.line).collect())
    }

    async fn close(self) -> Result<(), ArchiveError> {
        self.0.batch_execute("CLOSE archived").await.map_err(store_error)?;
        Ok(())
    }
}

async fn count(connection: &mut Connection, table: &SourceTable) -> QueryResult<u64> {
    let Count { count } = sql_query(table.count(DIALECT)).get_result(connection).await?;
    Ok(count.unsigned_abs())
}

/// Loads an archive in one transaction. An error drops the connection, and with it all that was done.
async fn import(
    mut connection: Connection,
    header: ArchiveHeader,
    mut rows: ArchiveRows,
) -> Result<(), ArchiveError> {
    let sources = archive::check(&header)?;
    let fault = |error| StoreError::Fault(Box::new(error));
    migrations::begin(&mut connection).await.map_err(fault)?;
    let state = migrations::state(&mut connection).await.map_err(fault)?;
    if state.last > header.schema {
        return Err(ArchiveError::NewerDatabase { archive: header.schema, database: state.last });
    }
    let (_, mut connection) =
        migrations::apply(connection, Pending::UpTo(header.schema)).await.map_err(fault)?;
    prepare(&mut connection, &header, &sources).await?;

    let mut loading = Loading::new(DIALECT, &header)?;
    while let Some(chunk) = rows.next().await.transpose()? {
        let insertion = loading.insertion(chunk)?;
        for statement in insertion.statements {
            let inserted =
                sql_query(statement).bind::<Text, _>(&insertion.rows).execute(&mut connection).await;
            inserted.map_err(|error| insertion.failed(error))?;
        }
    }
    for (table, given) in loading.tables() {
        given.check(table, &digest(&mut connection, table).await?)?;
    }
    finish(&mut connection, &header, &sources).await.map_err(store_error)?;
    let (_, mut connection) = migrations::apply(connection, Pending::All).await.map_err(fault)?;
    AnsiTransactionManager::commit_transaction(&mut connection).await.map_err(store_error)?;
    Ok(())
}

/// For the transaction that fills tables. Checks of foreign keys keep the plans of their first row, when tables are nearly empty:
/// each would read all rows then.
pub(crate) const INDEX_PLANS: &str = "SET LOCAL enable_seqscan = off";

/// Locks the tables against other writers, makes sure that they are empty, and deletes what a new database has.
async fn prepare(
    connection: &mut Connection,
    header: &ArchiveHeader,
    sources: &[SourceTable],
) -> Result<(), ArchiveError> {
    connection.batch_execute(INDEX_PLANS).await.map_err(store_error)?;
    let stored = || header.tables.iter().filter(|table| archive::is_stored(table));
    let names: Vec<_> = stored().map(|table| table.name.as_str()).collect();
    let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", "));
    connection.batch_execute(&lock).await.map_err(store_error)?;
    for source in sources.iter().filter(|source| !source.has_initial_rows) {
        if count(connection, source).await.map_err(store_error)? > 0 {
            return Err(ArchiveError::NotEmpty { table: source.name.to_owned() });
        }
    }
    for name in names.iter().rev() {
        connection.batch_execute(&format!("DELETE FROM {name}")).await.map_err(store_error)?;
    }
    for source in sources.iter().filter(|source| source.loads_without_triggers) {
        let disable = format!("ALTER TABLE {} DISABLE TRIGGER USER", source.name);
        connection.batch_execute(&disable).await.map_err(store_error)?;
    }
    Ok(())
}

async fn digest(connection: &mut Connection, table: &ArchivedTable) -> Result<TableDigest, ArchiveError> {
    let mut digest = TableDigest::default();
    let mut lines = Lines::of(connection, table).await?;
    loop {
        let lines = lines.next().await?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            digest.add(&archive::parse_row(&line)?);
        }
    }
    lines.close().await?;
    Ok(digest)
}

/// Enables the triggers again, and counts rows for the planner, which knows empty tables.
async fn finish(
    connection: &mut Connection,
    header: &ArchiveHeader,
    sources: &[SourceTable],
) -> QueryResult<()> {
    for source in sources.iter().filter(|source| source.loads_without_triggers) {
        connection.batch_execute(&format!("ALTER TABLE {} ENABLE TRIGGER USER", source.name)).await?;
    }
    for table in header.tables.iter().filter(|table| archive::is_stored(table)) {
        connection.batch_execute(&format!("ANALYZE {}", table.name)).await?;
    }
    Ok(())
}
