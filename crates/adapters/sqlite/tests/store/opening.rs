//! Files and directories, good and bad.

use std::fs;

use latchkey_ports::Health;
use latchkey_sqlite::{Location, OpenError, SqliteSettings, SqliteStore};
use tempfile::TempDir;

use super::fixtures::{open, settings};

#[tokio::test]
async fn missing_directories_are_made() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("not/there/yet/a.db");
    open(&path).ping().await.expect("healthy");
    // And found again, with all that is in it.
    open(&path).ping().await.expect("healthy");
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("inner/a.db");
    let _store = open(&path);
    let entries = fs::read_dir(directory.path().join("inner")).expect("a listing");
    let files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 3, "database, log and index: {files:?}");
    for file in files {
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("notes.txt");
    let text = "no database, ".repeat(200);
    fs::write(&path, &text).expect("written");
    let error = SqliteStore::open(settings(&path)).expect_err("refused");
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("readable"), text);
}

#[test]
fn a_path_through_a_file_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("written");
    let error = SqliteStore::open(settings(&file.join("a.db"))).expect_err("refused");
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
    let error = SqliteStore::open(settings(directory.path())).expect_err("refused");
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_said_so() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().expect("a directory");
    let inner = directory.path().join("inner");
    let path = inner.join("a.db");
    drop(open(&path));
    let set_mode = |mode| fs::set_permissions(&inner, fs::Permissions::from_mode(mode)).expect("chmod");
    set_mode(0o500);
    // To root, modes mean nothing.
    if fs::write(inner.join("probe"), "").is_err() {
        let error = SqliteStore::open(settings(&path)).expect_err("refused");
        assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    }
    set_mode(0o700);
}

#[tokio::test]
async fn a_file_may_be_called_like_an_address() {
    let directory = TempDir::new().expect("a directory");
    for name in ["file:a.db?mode=memory", ":memory:", "ein Schlüssel.db"] {
        let path = directory.path().join(name);
        open(&path).ping().await.expect("healthy");
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn two_stores_in_memory_are_two() {
    let memory = || SqliteSettings { location: Location::Memory, ..SqliteSettings::default() };
    let first = SqliteStore::open(memory()).expect("opens");
    let second = SqliteStore::open(memory()).expect("opens");
    first.migrate().expect("migrates");
    first.ping().await.expect("healthy");
    second.ping().await.expect_err("never migrated");
}
