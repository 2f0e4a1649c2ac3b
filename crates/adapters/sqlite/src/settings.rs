//! What an operator decides about the store.

use std::{fmt, path::PathBuf, time::Duration};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, which is created where there is none.
    File(PathBuf),
    /// In memory, gone with the store: for demonstrations and tests.
    Memory,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory => f.write_str("the database in memory"),
        }
    }
}

/// How the store works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// Where the database is.
    pub location: Location,
    /// How many reads run at once (at least one; in memory, reads and writes take turns on one connection).
    pub readers: u32,
    /// How long a write waits for another process that writes.
    pub busy_timeout: Duration,
    /// How long a call waits for its turn in this process.
    pub acquire_timeout: Duration,
}

impl Default for SqliteSettings {
    /// `latchkey.db` in the working directory, four readers, five seconds of patience with others.
    fn default() -> Self {
        Self {
            location: Location::File(PathBuf::from("latchkey.db")),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
        }
    }
}
