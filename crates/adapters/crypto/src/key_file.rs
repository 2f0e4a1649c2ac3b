//! The file that holds the master keys.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use latchkey_ports::Entropy;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::{InvalidKeyRing, KeyRing, MasterKey, create_private_file};

/// The maximum size of a key file, in bytes; far above what one needs.
const MAX_BYTES: u64 = 64 * 1024;

/// Why the file of the master keys could not be read or created.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("there is no master key file {}", .0.display())]
    Missing(PathBuf),
    /// Its group or others can read or write it, so the keys in it may be compromised.
    #[error("the master key file {path} can be accessed by others than its owner; run `chmod 600 {path}`", path = .0.display())]
    Exposed(PathBuf),
    #[error("the master key file {} cannot be used: {reason}", path.display())]
    Content { path: PathBuf, reason: InvalidKeyRing },
    #[error("the master key file {} could not be {action}: {source}", path.display())]
    Io {
        path: PathBuf,
        /// The operation, as a past participle.
        action: &'static str,
        source: io::Error,
    },
}

impl KeyRing {
    /// Reads the keys from a file of the form that [`KeyRing::parse`] takes.
    ///
    /// # Errors
    /// [`KeyFileError::Missing`] if there is none, [`KeyFileError::Exposed`] if (on Unix) its group or others have any
    /// access to it, and the other [`KeyFileError`]s for errors of the file system or the content.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let text = read_private(path)?;
        Self::parse(&text).map_err(|reason| KeyFileError::Content { path: path.to_owned(), reason })
    }

    /// Reads the keys from a file, which is first created with one new key if it does not exist (on Unix with mode
    /// 0600, in a directory that is created with mode 0700 if needed).
    ///
    /// The file is created atomically, and several processes that start at once all end with the same key.
    ///
    /// # Errors
    /// [`KeyFileError`] as for [`KeyRing::load`], or if the file cannot be created. An existing file is never replaced.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Missing(_)) => {
                let made = create(path, &MasterKey::generate(entropy));
                made.map_err(failed(path, "created"))?;
                // Another process may have created it first.
                Self::load(path)
            }
            loaded => loaded,
        }
    }
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> KeyFileError {
    move |source| KeyFileError::Io { path: path.to_owned(), action, source }
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => failed(path, "opened")(error),
    })?;
    // The metadata of the open file, which is the one that is read.
    let metadata = file.metadata().map_err(failed(path, "examined"))?;
    if is_exposed(&metadata) {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    // The capacity is sufficient from the start, so that a growing buffer leaves no copy behind.
    let expected = usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or(0);
    let mut text = Zeroizing::new(String::with_capacity(expected + 64));
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed(path, "read"))?;
    Ok(text)
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

fn create(path: &Path, key: &MasterKey) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        private_directory().create(directory)?;
    }
    create_private_file(path, key.to_hex().expose_secret())
}

fn private_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::SystemEntropy;

    fn files_in(directory: &Path) -> usize {
        fs::read_dir(directory).expect("a directory").count()
    }

    #[test]
    fn a_missing_file_is_created_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data/master.key");
        assert!(matches!(KeyRing::load(&path), Err(KeyFileError::Missing(_))));
        let made = KeyRing::load_or_create(&path, &SystemEntropy).expect("made");
        let again = KeyRing::load_or_create(&path, &SystemEntropy).expect("read");
        assert_eq!(made, again);
        assert_eq!(KeyRing::load(&path).expect("read"), made);
        assert_eq!(files_in(path.parent().expect("a parent")), 1);
    }

    #[test]
    fn threads_that_race_end_with_one_key() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("master.key");
            let start = Barrier::new(8);
            let rings: Vec<KeyRing> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            KeyRing::load_or_create(&path, &SystemEntropy).expect("a ring")
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            assert!(rings.iter().all(|ring| *ring == rings[0]));
            assert_eq!(files_in(directory.path()), 1);
        }
    }

    #[test]
    fn an_invalid_file_is_neither_used_nor_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("master.key");
        for (content, reason) in [("", "there is no master key"), ("hush-hush", "entry 1 of")] {
            let _ = fs::remove_file(&path);
            create_private_file(&path, "").expect("new");
            fs::write(&path, content).expect("written");
            let error = KeyRing::load_or_create(&path, &SystemEntropy).expect_err("refused").to_string();
            assert!(error.contains(reason) && !error.contains("hush"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("still there"), content);
        }
        let error = KeyRing::load_or_create(directory.path(), &SystemEntropy);
        assert!(error.is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_or_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data/master.key");
        KeyRing::load_or_create(&path, &SystemEntropy).expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a parent")), 0o700);

        for exposed in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).expect("changed");
            let error = KeyRing::load_or_create(&path, &SystemEntropy).expect_err("refused");
            assert!(matches!(error, KeyFileError::Exposed(_)));
            let advice = format!("chmod 600 {}", path.display());
            assert!(error.to_string().contains(&advice), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("changed");
        KeyRing::load(&path).expect("read");
    }
}
