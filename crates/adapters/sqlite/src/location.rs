//! Where the database is.

use std::{fmt, path::PathBuf};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this file, which is created if it is missing.
    File(PathBuf),
    /// In memory, for demonstrations and tests; lost with the store.
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
