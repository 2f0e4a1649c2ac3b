//! Backups of the whole database, and loading them.

use async_trait::async_trait;
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::{DefaultLoadingMode, SimpleConnection},
    sql_query,
    sql_types::{Nullable, Text},
    sqlite::Sqlite,
};
use futures_util::{StreamExt, stream};
use latchkey_ports::{
    Archive, ArchiveChunk, ArchiveError, ArchiveHeader, ArchiveRow, ArchiveRows, ArchivedTable, StoreError,
};
use latchkey_sql::{
    archive::{self, Count, Dialect, Line, Loading, ROWS_AT_ONCE, TableDigest},
    errors::store_error,
    migrations::{MigrationError, Pending, SCHEMA, SQLITE, apply},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{migrations, store::SqliteStore};

const DIALECT: Dialect = Dialect::Sqlite;
/// How many chunks wait for the reader of an archive.
const CHUNKS_AHEAD: usize = 4;

#[derive(QueryableByName)]
struct Trigger {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

/// An error of work on a connection, which rolls its transaction back.
struct Failure(ArchiveError);

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self(store_error(error).into())
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<MigrationError> for Failure {
    fn from(error: MigrationError) -> Self {
        Self(error.into())
    }
}

#[async_trait]
impl Archive for SqliteStore {
    async fn export(&self) -> Result<(ArchiveHeader, ArchiveRows), ArchiveError> {
        let (send_header, header) = oneshot::channel();
        let (send_chunk, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (store, failed) = (self.clone(), send_chunk.clone());
        tokio::spawn(async move {
            // A deferred transaction: what others write is not in it, and does not wait for it.
            let work = move |connection: &mut SqliteConnection| {
                Ok(connection.transaction(|connection| export(connection, send_header, &send_chunk)))
            };
            let done = store.read(work).await.map_err(ArchiveError::from);
            if let Err(error) = done.and_then(|done| done.map_err(|Failure(error)| error)) {
                // A reader that has gone needs no error.
                let _ = failed.send(Err(error)).await;
            }
        });
        let mut chunks =
            stream::unfold(chunks, async |mut chunks| Some((chunks.recv().await?, chunks))).boxed();
        match header.await {
            Ok(header) => Ok((header, chunks)),
            Err(_) => match chunks.next().await {
                Some(Err(error)) => Err(error),
                _ => Err(ArchiveError::Malformed("the database was not read".to_owned())),
            },
        }
    }

    async fn import(&self, header: ArchiveHeader, rows: ArchiveRows) -> Result<(), ArchiveError> {
        let runtime = Handle::current();
        let work = move |connection: &mut SqliteConnection| {
            let mut rows = rows;
            let next = move || runtime.block_on(rows.next()).transpose();
            Ok(connection.immediate_transaction(|connection| import(connection, &header, next)))
        };
        self.on_writer_thread(work).await?.map_err(|Failure(error)| error)
    }
}

fn export(
    connection: &mut SqliteConnection,
    send_header: oneshot::Sender<ArchiveHeader>,
    send_chunk: &mpsc::Sender<Result<ArchiveChunk, ArchiveError>>,
) -> Result<(), Failure> {
    migrations::state(connection)?.check(SCHEMA)?;
    let mut tables = Vec::new();
    for table in archive::tables() {
        let Count { count } = sql_query(table.count(DIALECT)).get_result(connection)?;
        tables.push(table.with_rows(count.unsigned_abs()));
    }
    if send_header.send(ArchiveHeader { schema: SCHEMA, tables: tables.clone() }).is_err() {
        return Ok(());
    }
    for (place, table) in tables.iter().enumerate() {
        let mut chunk = Vec::with_capacity(ROWS_AT_ONCE);
        let send = |rows| send_chunk.blocking_send(Ok(ArchiveChunk { table: place, rows })).is_ok();
        for row in rows_of(connection, table)? {
            chunk.push(row?);
            if chunk.len() == ROWS_AT_ONCE && !send(std::mem::take(&mut chunk)) {
                return Ok(());
            }
        }
        if !chunk.is_empty() && !send(chunk) {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the rows of a table one by one.
fn rows_of<'c>(
    connection: &'c mut SqliteConnection,
    table: &ArchivedTable,
) -> Result<impl Iterator<Item = Result<ArchiveRow, Failure>> + use<'c>, Failure> {
    let select = sql_query(archive::select(DIALECT, table)?);
    let lines = select.load_iter::<Line, DefaultLoadingMode>(connection)?;
    Ok(lines.map(|line| Ok(archive::parse_row(&line?.line)?)))
}

fn import(
    connection: &mut SqliteConnection,
    header: &ArchiveHeader,
    mut next: impl FnMut() -> Result<Option<ArchiveChunk>, ArchiveError>,
) -> Result<(), Failure> {
    let sources = archive::check(header)?;
    let database = migrations::state(connection)?.last;
    if database > header.schema {
        return Err(ArchiveError::NewerDatabase { archive: header.schema, database }.into());
    }
    apply::<Sqlite>(connection, SQLITE, Pending::UpTo(header.schema))?;
    for source in sources.iter().filter(|source| !source.has_initial_rows) {
        let Count { count } = sql_query(source.count(DIALECT)).get_result(connection)?;
        if count > 0 {
            return Err(ArchiveError::NotEmpty { table: source.name.to_owned() }.into());
        }
    }
    for table in header.tables.iter().rev().filter(|table| archive::is_stored(table)) {
        sql_query(format!("DELETE FROM {}", table.name)).execute(connection)?;
    }

    let mut triggers = Vec::new();
    for source in sources.iter().filter(|source| source.loads_without_triggers) {
        triggers.extend(drop_triggers(connection, source.name)?);
    }
    let mut loading = Loading::new(DIALECT, header)?;
    while let Some(chunk) = next()? {
        let insertion = loading.insertion(chunk)?;
        for statement in insertion.statements {
            let inserted = sql_query(statement).bind::<Text, _>(&insertion.rows).execute(connection);
            inserted.map_err(|error| insertion.failed(error))?;
        }
    }
    connection.batch_execute(&triggers.join(";\n"))?;

    for (table, given) in loading.tables() {
        let mut stored = TableDigest::default();
        for row in rows_of(connection, table)? {
            stored.add(&row?);
        }
        given.check(table, &stored)?;
    }
    apply::<Sqlite>(connection, SQLITE, Pending::All)?;
    Ok(())
}

/// Drops the triggers of a table, and returns the statements that create them.
fn drop_triggers(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>, Failure> {
    let select = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1";
    let triggers: Vec<Trigger> = sql_query(select).bind::<Text, _>(table).load(connection)?;
    for trigger in &triggers {
        connection.batch_execute(&format!("DROP TRIGGER \"{}\"", trigger.name))?;
    }
    Ok(triggers.into_iter().filter_map(|trigger| trigger.sql).collect())
}
