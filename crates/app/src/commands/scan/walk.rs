//! The files below a path, in the order of their names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The regular files below a path. Symbolic links are followed for the path itself only, so that no file comes twice and no
/// walk is endless; devices, sockets and pipes are left out.
pub(super) struct Walk {
    /// What is still to be looked at, the next one last.
    waiting: Vec<PathBuf>,
    is_first: bool,
}

/// A file or folder that cannot be looked at.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

impl Walk {
    /// Begins at this path.
    pub(super) fn new(path: &Path) -> Self {
        Self { waiting: vec![path.to_owned()], is_first: true }
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(path) = self.waiting.pop() {
            let is_named = std::mem::take(&mut self.is_first);
            let kind = if is_named { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
            match kind {
                Err(source) => return Some(Err(Unreadable { path, source })),
                Ok(kind) if kind.is_dir() => match entries(&path) {
                    Err(source) => return Some(Err(Unreadable { path, source })),
                    Ok(entries) => self.waiting.extend(entries),
                },
                // What an operator names is read whatever it is, such as the pipe of `<(…)`.
                Ok(kind) if kind.is_file() || is_named => return Some(Ok(path)),
                Ok(_) => {}
            }
        }
        None
    }
}

/// Returns what is in a folder, the first name last.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|a, b| b.cmp(a));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn files_come_once_in_the_order_of_their_names() {
        let root = tempfile::tempdir().expect("a folder");
        let path = |name: &str| root.path().join(name);
        fs::create_dir_all(path("b/.hidden")).expect("a folder");
        for name in ["b/2", "b/.hidden/x", "a", "c"] {
            fs::write(path(name), "").expect("written");
        }
        symlink("b", path("again")).expect("a link");
        symlink("..", path("b/up")).expect("a link");
        let _socket = UnixListener::bind(path("socket")).expect("a socket");
        let walked = |name: &str| -> Vec<PathBuf> {
            Walk::new(&path(name)).map(|file| file.expect("a file")).collect()
        };
        assert_eq!(walked(""), [path("a"), path("b/.hidden/x"), path("b/2"), path("c")]);
        assert_eq!(walked("a"), [path("a")]);
        assert_eq!(walked("again"), [path("again/.hidden/x"), path("again/2")]);
        let missing = Walk::new(&path("nowhere")).next().expect("an entry").expect_err("missing");
        assert_eq!((missing.path, missing.source.kind()), (path("nowhere"), io::ErrorKind::NotFound));
    }
}
