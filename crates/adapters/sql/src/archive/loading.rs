//! What loads an archive into either database: the statements of each table, and the digests of what they were given.

use std::fmt::Write as _;

use latchkey_ports::{ArchiveChunk, ArchiveError, ArchiveHeader, ArchiveRow, ArchivedTable};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Dialect, inserts};

/// The loading of an archive. The store executes the statements.
pub struct Loading<'h>(Vec<LoadingTable<'h>>);

struct LoadingTable<'h> {
    table: &'h ArchivedTable,
    inserts: Vec<String>,
    given: TableDigest,
}

/// A chunk to insert.
pub struct Insertion<'l> {
    /// The statements, each with [`Insertion::rows`] as its bind.
    pub statements: &'l [String],
    /// The rows as a JSON array, as text.
    pub rows: String,
    table: &'l str,
}

impl<'h> Loading<'h> {
    /// Prepares to load the tables of an archive.
    ///
    /// # Errors
    /// [`ArchiveError::Malformed`] for a table that is unknown.
    pub fn new(dialect: Dialect, header: &'h ArchiveHeader) -> Result<Self, ArchiveError> {
        let of_table = |table| {
            Ok(LoadingTable { table, inserts: inserts(dialect, table)?, given: TableDigest::default() })
        };
        header.tables.iter().map(of_table).collect::<Result<_, _>>().map(Self)
    }

    /// Returns what inserts a chunk, and adds its rows to those that were given.
    ///
    /// # Errors
    /// [`ArchiveError::Malformed`] for rows of no table.
    pub fn insertion(&mut self, chunk: ArchiveChunk) -> Result<Insertion<'_>, ArchiveError> {
        let Some(LoadingTable { table, inserts, given }) = self.0.get_mut(chunk.table) else {
            return Err(ArchiveError::Malformed("a row belongs to no table".to_owned()));
        };
        for row in &chunk.rows {
            given.add(row);
        }
        let rows = Value::Array(chunk.rows.into_iter().map(Value::Array).collect()).to_string();
        Ok(Insertion { statements: inserts, rows, table: &table.name })
    }

    /// Returns each table, with the digest of the rows that were given for it.
    pub fn tables(&self) -> impl Iterator<Item = (&'h ArchivedTable, &TableDigest)> {
        self.0.iter().map(|loading| (loading.table, &loading.given))
    }
}

impl Insertion<'_> {
    /// Returns the error of a statement that failed.
    #[must_use]
    pub fn failed(&self, error: diesel::result::Error) -> ArchiveError {
        ArchiveError::Rows { table: self.table.to_owned(), source: error.into() }
    }
}

/// The number and the digest of a table's rows, to compare what was read with what was loaded.
#[derive(Debug, Clone, Default)]
pub struct TableDigest {
    rows: u64,
    hash: Sha256,
}

impl TableDigest {
    /// Adds the next row.
    pub fn add(&mut self, row: &ArchiveRow) {
        self.rows += 1;
        let mut line = String::new();
        for value in row {
            // Writing to a string cannot fail.
            let _ = writeln!(line, "{value}");
        }
        self.hash.update(line);
    }

    /// Compares the rows that were given for a table with those that the database has now.
    ///
    /// # Errors
    /// [`ArchiveError::Different`], also if they are not as many as the archive says.
    pub fn check(&self, table: &ArchivedTable, stored: &Self) -> Result<(), ArchiveError> {
        if table.rows == self.rows && stored.agrees_with(self) {
            return Ok(());
        }
        Err(ArchiveError::Different { table: table.name.clone() })
    }

    /// Returns whether as many equal rows were added to the other, in the same order.
    fn agrees_with(&self, other: &Self) -> bool {
        self.rows == other.rows && self.hash.clone().finalize() == other.hash.clone().finalize()
    }
}
