//! Backup files, as `latchkey restore` reads them, up to the statements that load their rows.
#![no_main]

#[path = "../../crates/app/src/backup_file.rs"]
#[allow(dead_code)]
mod backup_file;

use backup_file::{BackupFileError, BackupReader, BackupWriter};
use latchkey_domain::Timestamp;
use latchkey_ports::{ArchiveChunk, ArchiveHeader, ArchiveRow};
use latchkey_sql::archive::{Dialect, Loading, check};
use libfuzzer_sys::fuzz_target;

/// What was read of a file: rows with the position of their table, and why it ends there.
struct Read {
    header: ArchiveHeader,
    rows: Vec<(usize, ArchiveRow)>,
    end: Result<(), BackupFileError>,
}

fn read(file: &[u8]) -> Option<Read> {
    let mut reader = BackupReader::open(file).ok()?;
    let mut rows = Vec::new();
    let end = loop {
        match reader.next_chunk() {
            Ok(Some(chunk)) => rows.extend(chunk.rows.into_iter().map(|row| (chunk.table, row))),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    Some(Read { header: reader.header.archive, rows, end })
}

/// Writes what was read as a complete file, because no change by chance fits the digest.
fn written(Read { header, rows, .. }: &Read) -> Vec<u8> {
    let mut header = header.clone();
    for (place, table) in header.tables.iter_mut().enumerate() {
        table.rows = rows.iter().filter(|(of, _)| *of == place).count() as u64;
    }
    let now = Timestamp::from_millis(0).expect("a time");
    let mut writer = BackupWriter::begin(Vec::new(), header, "a database".to_owned(), now).expect("begun");
    for (table, row) in rows.clone() {
        writer.write(ArchiveChunk { table, rows: vec![row] }).expect("written");
    }
    writer.finish().expect("finished").0
}

fuzz_target!(|file: &[u8]| {
    let Some(found) = read(file) else { return };
    let complete = written(&found);
    let again = read(&complete).expect("a header");
    assert!(again.end.is_ok(), "{:?}", again.end);
    assert_eq!(written(&again), complete, "it is written as it was read");
    if check(&again.header).is_err() {
        return;
    }
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let mut loading = Loading::new(dialect, &again.header).expect("known tables");
        for (table, row) in again.rows.clone() {
            let chunk = ArchiveChunk { table, rows: vec![row] };
            drop(loading.insertion(chunk).expect("rows of a table"));
        }
    }
});
