//! The file with the first admin token, written if there is no terminal to show it on.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use latchkey_crypto::create_private_file;
use latchkey_domain::{TokenAccess, TokenSecret};
use latchkey_ports::{Entropy, EntropyExt as _};

/// The name of the file, beside the database.
pub(crate) const NAME: &str = "admin-token";

/// Returns the secret in the file. A missing file is created atomically with mode 0600 and synced to disk. The file is
/// written before the token is created, so that a crash in between loses nothing: the next start finds the file and
/// creates its token. Several processes that start at once get the same secret.
///
/// # Errors
/// If the file cannot be created, or exists with other content.
pub(crate) fn load_or_create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<TokenSecret> {
    let shown = path.display();
    if !path.try_exists().unwrap_or(false) {
        let secret = TokenSecret::mint(&TokenAccess::Admin, entropy.bytes());
        create_private_file(path, secret.reveal())
            .with_context(|| format!("the first admin token cannot be written to {shown}"))?;
    }
    let text = fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
    let secret = TokenSecret::parse(text.trim()).ok().filter(TokenSecret::has_valid_checksum);
    let secret =
        secret.with_context(|| format!("{shown} exists, but does not contain a token: remove it"))?;
    ensure!(
        secret.reveal().starts_with("*:*."),
        "{shown} exists, but does not contain an admin token: remove it"
    );
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};

    use latchkey_crypto::SystemEntropy;

    use super::*;

    #[test]
    fn the_file_is_created_once_for_its_owner_alone_and_read_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(NAME);
        let secret = load_or_create(&path, &SystemEntropy).expect("made");
        assert_eq!(load_or_create(&path, &SystemEntropy).expect("read").reveal(), secret.reveal());
        let names: Vec<_> = fs::read_dir(directory.path()).expect("listed").flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn the_cause_of_a_failed_write_is_reported() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("missing").join(NAME);
        let error = load_or_create(&path, &SystemEntropy).expect_err("no directory");
        let cause = error.root_cause().downcast_ref::<io::Error>().expect("of the file system");
        assert_eq!(cause.kind(), ErrorKind::NotFound, "{error:#}");
    }

    #[test]
    fn other_content_is_refused_and_not_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(NAME);
        for text in ["", "hush", "default:development.hush"] {
            fs::write(&path, text).expect("written");
            let error = load_or_create(&path, &SystemEntropy).expect_err("no token").to_string();
            assert!(error.contains("remove it") && !error.contains("hush"), "{error}");
        }
    }
}
