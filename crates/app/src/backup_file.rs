//! The file of a backup: JSON Lines, so that it can be read and cut by common tools.
//!
//! The first line is the header, an object with the tables and columns. Each line after it is a row: an array of the table's
//! name and the values. The last line is an object with the number of rows, the master keys that secrets are under, and the
//! SHA-256 of all lines before it. A file without that line, or with another digest, is not loaded.

use std::{
    collections::BTreeMap,
    io::{BufRead, Read as _, Write},
};

use latchkey_domain::{Hex, Timestamp};
use latchkey_ports::{ArchiveChunk, ArchiveHeader, ColumnKind, KeyId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The version of the file's form. A program refuses later ones.
const FORMAT: u32 = 1;
/// The rows that are passed on at once.
const ROWS_AT_ONCE: usize = 500;
/// The maximum length of a line, far above that of any row.
const MAX_LINE: u64 = 64 * 1024 * 1024;
/// The columns with the id of the master key that a secret is under.
const KEY_COLUMNS: [&str; 2] = ["secret_key", "alias_key"];

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the form.
    latchkey_backup: u32,
    /// The version of the program.
    latchkey: String,
    /// Where it comes from, for people.
    database: String,
    created_at: String,
    #[serde(flatten)]
    pub(crate) archive: ArchiveHeader,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Trailer {
    rows: u64,
    keys: SecretsByKey,
    sha256: String,
}

/// The number of secrets under each master key.
pub(crate) type SecretsByKey = BTreeMap<String, u64>;

/// Why a file is not loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupFileError {
    #[error("it is no backup of Latchkey: {0}")]
    NoBackup(String),
    #[error("it has the form {0}, and this program reads form {FORMAT}: use a newer Latchkey")]
    NewerForm(u32),
    #[error("it is truncated: its last line is missing")]
    Truncated,
    #[error("it was changed or damaged: {0}")]
    Damaged(String),
    #[error(
        "it has {count} secrets under the master key {key}, which is not configured: add that key to LATCHKEY_MASTER_KEY, or to \
         the key file. With --ignore-missing-keys they are loaded, and not recognized until the key is there"
    )]
    MissingKey { key: String, count: u64 },
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
}

/// Counts secrets by master key while rows pass.
#[derive(Debug)]
pub(crate) struct KeyCounter {
    /// For each table, the positions of the columns with key ids.
    columns: Vec<Vec<usize>>,
    counted: SecretsByKey,
}

impl KeyCounter {
    pub(crate) fn new(header: &ArchiveHeader) -> Self {
        let columns = header.tables.iter().map(|table| {
            let columns = table.columns.iter().enumerate().filter(|(_, column)| {
                column.kind == ColumnKind::Bytes && KEY_COLUMNS.contains(&column.name.as_str())
            });
            columns.map(|(place, _)| place).collect()
        });
        Self { columns: columns.collect(), counted: SecretsByKey::new() }
    }

    pub(crate) fn add(&mut self, chunk: &ArchiveChunk) {
        for column in self.columns.get(chunk.table).into_iter().flatten() {
            for key in chunk.rows.iter().filter_map(|row| row.get(*column)?.as_str()) {
                *self.counted.entry(key.to_owned()).or_default() += 1;
            }
        }
    }

    /// Fails if secrets are under a key that is not among these.
    ///
    /// # Errors
    /// [`BackupFileError::MissingKey`].
    pub(crate) fn check(&self, configured: &[KeyId]) -> Result<(), BackupFileError> {
        let configured: Vec<_> = configured.iter().map(ToString::to_string).collect();
        match self.counted.iter().find(|(key, _)| !configured.contains(key)) {
            Some((key, count)) => Err(BackupFileError::MissingKey { key: key.clone(), count: *count }),
            None => Ok(()),
        }
    }
}

/// Writes a backup.
pub(crate) struct BackupWriter<W> {
    output: W,
    header: ArchiveHeader,
    digest: Sha256,
    rows: u64,
    keys: KeyCounter,
}

impl<W: Write> BackupWriter<W> {
    /// Begins a backup of a database with this name.
    pub(crate) fn begin(
        output: W,
        archive: ArchiveHeader,
        database: String,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let keys = KeyCounter::new(&archive);
        let header = Header {
            latchkey_backup: FORMAT,
            latchkey: env!("CARGO_PKG_VERSION").to_owned(),
            database,
            created_at: now.to_string(),
            archive,
        };
        let line = serde_json::to_string(&header)?;
        let mut writer = Self { output, header: header.archive, digest: Sha256::new(), rows: 0, keys };
        writer.write_line(&line)?;
        Ok(writer)
    }

    /// Writes rows.
    pub(crate) fn write(&mut self, chunk: ArchiveChunk) -> anyhow::Result<()> {
        self.keys.add(&chunk);
        let name = self.header.tables.get(chunk.table).map(|table| Value::from(table.name.as_str()));
        for mut row in chunk.rows {
            row.insert(0, name.clone().unwrap_or_default());
            self.write_line(&serde_json::to_string(&row)?)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Writes the last line, and returns the output and the secrets by key.
    pub(crate) fn finish(mut self) -> anyhow::Result<(W, SecretsByKey)> {
        let sha256 = hex(self.digest.clone());
        let keys = self.keys.counted;
        let line = serde_json::to_string(&Trailer { rows: self.rows, keys: keys.clone(), sha256 })?;
        writeln!(self.output, "{line}")?;
        self.output.flush()?;
        Ok((self.output, keys))
    }

    fn write_line(&mut self, line: &str) -> std::io::Result<()> {
        self.digest.update(line);
        self.digest.update("\n");
        writeln!(self.output, "{line}")
    }
}

/// Reads a backup, and checks it on the way.
pub(crate) struct BackupReader<R> {
    input: R,
    pub(crate) header: Header,
    digest: Sha256,
    keys: KeyCounter,
    rows: Vec<u64>,
    /// A row of the next chunk.
    ahead: Option<(usize, Vec<Value>)>,
    has_ended: bool,
}

impl<R: BufRead> BackupReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`BackupFileError`] for a file of another form.
    pub(crate) fn open(mut input: R) -> Result<Self, BackupFileError> {
        let Some(line) = read_line(&mut input)? else { return Err(BackupFileError::Truncated) };
        let value: Value =
            serde_json::from_slice(&line).map_err(|error| BackupFileError::NoBackup(error.to_string()))?;
        let form = value.get("latchkey_backup").and_then(Value::as_u64);
        let form = form.ok_or_else(|| BackupFileError::NoBackup("its first line is no header".to_owned()))?;
        if form > u64::from(FORMAT) {
            return Err(BackupFileError::NewerForm(u32::try_from(form).unwrap_or(u32::MAX)));
        }
        let header: Header =
            serde_json::from_value(value).map_err(|error| BackupFileError::NoBackup(error.to_string()))?;
        let mut digest = Sha256::new();
        digest.update(&line);
        Ok(Self {
            input,
            digest,
            keys: KeyCounter::new(&header.archive),
            rows: vec![0; header.archive.tables.len()],
            ahead: None,
            has_ended: false,
            header,
        })
    }

    /// Returns the next rows; `None` after the last, if the file is complete and unchanged.
    ///
    /// # Errors
    /// [`BackupFileError::Truncated`] and [`BackupFileError::Damaged`].
    pub(crate) fn next_chunk(&mut self) -> Result<Option<ArchiveChunk>, BackupFileError> {
        let mut chunk: Option<ArchiveChunk> = None;
        while let Some((table, row)) = self.next_row()? {
            match &mut chunk {
                Some(chunk) if chunk.table != table || chunk.rows.len() >= ROWS_AT_ONCE => {
                    self.ahead = Some((table, row));
                    break;
                }
                Some(chunk) => chunk.rows.push(row),
                None => chunk = Some(ArchiveChunk { table, rows: vec![row] }),
            }
        }
        if let Some(chunk) = &chunk {
            self.keys.add(chunk);
        }
        Ok(chunk)
    }

    /// Returns the secrets by master key of what was read so far.
    pub(crate) fn keys(&self) -> &KeyCounter {
        &self.keys
    }

    fn next_row(&mut self) -> Result<Option<(usize, Vec<Value>)>, BackupFileError> {
        if let Some(row) = self.ahead.take() {
            return Ok(Some(row));
        }
        if self.has_ended {
            return Ok(None);
        }
        let line = read_line(&mut self.input)?.ok_or(BackupFileError::Truncated)?;
        let damaged = |error: serde_json::Error| BackupFileError::Damaged(error.to_string());
        if line.starts_with(b"{") {
            self.end(&serde_json::from_slice(&line).map_err(damaged)?)?;
            return Ok(None);
        }
        self.digest.update(&line);
        let mut row: Vec<Value> = serde_json::from_slice(&line).map_err(damaged)?;
        let name = if row.is_empty() { Value::Null } else { row.remove(0) };
        let tables = &self.header.archive.tables;
        let place = tables.iter().position(|table| name == table.name.as_str());
        let (Some(place), Some(table)) = (place, place.and_then(|place| tables.get(place))) else {
            return Err(BackupFileError::Damaged(format!("a row belongs to no table: {name}")));
        };
        if row.len() != table.columns.len() {
            return Err(BackupFileError::Damaged(format!("a row of {} has other columns", table.name)));
        }
        if let Some(rows) = self.rows.get_mut(place) {
            *rows += 1;
        }
        Ok(Some((place, row)))
    }

    fn end(&mut self, trailer: &Trailer) -> Result<(), BackupFileError> {
        self.has_ended = true;
        let damaged = |what: &str| Err(BackupFileError::Damaged(what.to_owned()));
        if hex(self.digest.clone()) != trailer.sha256 {
            return damaged("its SHA-256 is another one");
        }
        if self.header.archive.tables.iter().map(|table| table.rows).ne(self.rows.iter().copied()) {
            return damaged("it has another number of rows than its first line says");
        }
        if read_line(&mut self.input)?.is_some() {
            return damaged("something follows its last line");
        }
        Ok(())
    }
}

/// Reads a line with its end; `None` at the end of the file.
fn read_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, BackupFileError> {
    let mut line = Vec::new();
    if input.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') { Ok(Some(line)) } else { Err(BackupFileError::Truncated) }
}

/// Returns the digest of what was written to it in hexadecimal.
pub(crate) fn hex(digest: Sha256) -> String {
    Hex(&digest.finalize()).to_string()
}
