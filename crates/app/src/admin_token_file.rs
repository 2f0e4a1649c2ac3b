//! The file in which the first admin token waits for its owner, where there is no terminal to show it on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use latchkey_domain::{TokenAccess, TokenSecret};
use latchkey_ports::{Entropy, EntropyExt as _};

/// The name of the file, beside the database.
pub(crate) const NAME: &str = "admin-token";

/// The secret in the file, which is made where there is none: for its owner alone, whole or not at all, and on disk
/// before this returns. It comes before the token is created, so a crash between the two loses nothing: the next start
/// finds the file and creates its token. Of several processes that start at once, all get the same secret.
///
/// # Errors
/// Where the file cannot be made, or is there and holds something else.
pub(crate) fn load_or_create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<TokenSecret> {
    let shown = path.display();
    if !path.try_exists().unwrap_or(false) {
        let secret = TokenSecret::mint(&TokenAccess::Admin, entropy.bytes());
        create(path, &secret, entropy)
            .with_context(|| format!("the first admin token cannot be put into {shown}"))?;
    }
    let text = fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
    let secret = TokenSecret::parse(text.trim()).ok().filter(TokenSecret::has_valid_checksum);
    let secret = secret.with_context(|| format!("{shown} is there, but holds no token: remove it"))?;
    ensure!(secret.reveal().starts_with("*:*."), "{shown} is there, but holds no admin token: remove it");
    Ok(secret)
}

/// Makes the file; succeeds, too, where another process has just made it.
fn create(path: &Path, secret: &TokenSecret, entropy: &dyn Entropy) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let draft = directory.join(format!(".{NAME}-{}.tmp", entropy.uuid().simple()));
    let written = write(&draft, secret).and_then(|()| match fs::hard_link(&draft, path) {
        // A link, unlike a rename, does not replace a file that appeared in the meantime.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    // First of all what went wrong in writing: where no draft could be made, none can be removed either.
    let removed = fs::remove_file(&draft);
    written.and(removed)?;
    File::open(directory)?.sync_all()
}

fn write(path: &Path, secret: &TokenSecret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", secret.reveal())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use latchkey_crypto::SystemEntropy;

    use super::*;

    /// Makes the same draft again and again.
    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn it_is_made_once_for_its_owner_alone_and_read_back() {
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
    fn what_kept_it_from_being_written_is_told() {
        let directory = tempfile::tempdir().expect("a directory");
        // In the draft's place stands what can be neither written nor removed.
        let draft = format!(".{NAME}-{}.tmp", Sevens.uuid().simple());
        fs::create_dir(directory.path().join(draft)).expect("made");
        let error = load_or_create(&directory.path().join(NAME), &Sevens).expect_err("no draft");
        let cause = error.root_cause().downcast_ref::<io::Error>().expect("of the file system");
        assert_eq!(cause.kind(), ErrorKind::AlreadyExists, "{error:#}");
    }

    #[test]
    fn another_content_is_refused_and_not_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(NAME);
        for text in ["", "hush", "default:development.hush"] {
            fs::write(&path, text).expect("written");
            let error = load_or_create(&path, &SystemEntropy).expect_err("no token").to_string();
            assert!(error.contains("remove it") && !error.contains("hush"), "{error}");
        }
    }
}
