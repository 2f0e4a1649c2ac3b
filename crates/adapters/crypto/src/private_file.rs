//! Files that only their owner can read.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use tempfile::NamedTempFile;

/// Creates a file of one line, of mode 0600 on Unix, atomically and synced to disk. An existing file is not replaced,
/// and is no error: another process may have just created it.
pub fn create_private_file(path: &Path, line: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut draft = NamedTempFile::new_in(directory)?;
    draft.write_all(line.as_bytes())?;
    draft.write_all(b"\n")?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Err(failed) if failed.error.kind() != ErrorKind::AlreadyExists => return Err(failed.error),
        _ => {}
    }
    // Otherwise a crash could still lose the file.
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
