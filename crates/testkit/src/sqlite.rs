//! The database files of SQLite, as an operator looks at them.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test without the program fails")]

use std::{path::Path, process::Command};

use crate::process::installed;

/// Returns what the distribution's `sqlite3` says about the integrity of a database: `ok`, or its complaints.
///
/// It is another SQLite than the one compiled into Latchkey, and stricter in places.
pub fn integrity(database: &Path) -> String {
    let program = installed("sqlite3", "sqlite3").expect("the program");
    let mut command = Command::new(program);
    // Foreign keys that lead nowhere are printed after the first line.
    command.arg(database).arg("PRAGMA integrity_check; PRAGMA foreign_key_check;");
    let output = command.output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).trim_end().to_owned()
}
