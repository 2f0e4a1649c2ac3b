//! The whole content of a store as a stream of rows, for backups, and for moves from one database to another.
//!
//! An archive describes itself: its header lists tables and columns, so that one of an older schema can be loaded at that
//! schema and then be brought up to date. Values are JSON: [`ColumnKind`] says how.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;

/// What an archive has, in the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveHeader {
    /// The number of the last migration that the program knew.
    pub schema: u32,
    /// The tables; each comes after those that it refers to.
    pub tables: Vec<ArchivedTable>,
}

/// A table of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedTable {
    pub name: String,
    pub rows: u64,
    pub columns: Vec<ArchivedColumn>,
}

/// A column of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedColumn {
    pub name: String,
    pub kind: ColumnKind,
}

/// How the values of a column are written in JSON. Every kind can also be `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    Text,
    Integer,
    Boolean,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Time,
    /// Bytes in hexadecimal digits.
    Bytes,
    /// A UUID in hexadecimal digits, without hyphens.
    Id,
    /// Any JSON.
    Json,
    /// The UTF-8 bytes of a text that may contain NUL, in hexadecimal digits.
    RawText,
}

/// The values of a row, in the order of the table's columns.
pub type ArchiveRow = Vec<Value>;

/// Some rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchiveChunk {
    /// The position of the table in the header.
    pub table: usize,
    pub rows: Vec<ArchiveRow>,
}

/// The rows of an archive, table by table, each in the order of its primary key. Dropping it ends the snapshot.
pub type ArchiveRows = BoxStream<'static, Result<ArchiveChunk, ArchiveError>>;

/// Why a store could not be archived, or an archive not be loaded. In the latter case, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(
        "the database has the schema {database}, and this program {program}: use the Latchkey of the servers, or bring the \
         database up to date with `latchkey migrate`"
    )]
    OtherSchema { database: u32, program: u32 },
    #[error(
        "it has the schema {archive}, and this program knows none after {program}: use the version that made it, or a newer one"
    )]
    NewerArchive { archive: u32, program: u32 },
    #[error(
        "it has the schema {archive}, and the database has {database} already: name a database without tables, which is \
         brought up to date afterwards"
    )]
    NewerDatabase { archive: u32, database: u32 },
    #[error("the database is not empty, table {table} has rows: name a new database")]
    NotEmpty { table: String },
    #[error("{0}")]
    Malformed(String),
    #[error("table {table} cannot be loaded")]
    Rows { table: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("table {table} was loaded and reads differently: nothing was kept")]
    Different { table: String },
    /// The source of the rows failed.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The migrations of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// The number of the last one that was applied; 0 for a database without tables.
    pub last: u32,
    /// How many of this program's are pending.
    pub pending: usize,
    /// Whether a newer program has applied others.
    pub is_newer: bool,
}

impl SchemaState {
    /// Fails unless the database has the schema of this program.
    ///
    /// # Errors
    /// [`ArchiveError::OtherSchema`].
    pub fn check(self, program: u32) -> Result<(), ArchiveError> {
        if self.is_newer || self.pending > 0 {
            return Err(ArchiveError::OtherSchema { database: self.last, program });
        }
        Ok(())
    }
}

/// A store that outlives its process, whose content can be archived.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Returns the whole content of one moment, while others go on writing.
    ///
    /// # Errors
    /// [`ArchiveError::OtherSchema`] unless the database is up to date.
    async fn export(&self) -> Result<(ArchiveHeader, ArchiveRows), ArchiveError>;

    /// Loads an archive into an empty database, with ids and the numbers of events as they are, and reads it again to
    /// compare; then applies later migrations. All of it in one transaction.
    ///
    /// # Errors
    /// [`ArchiveError::NotEmpty`] if the database has more than a new one; the first error of the rows; the others.
    async fn import(&self, header: ArchiveHeader, rows: ArchiveRows) -> Result<(), ArchiveError>;
}
