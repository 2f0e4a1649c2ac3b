//! A secret that was found, and where.

use latchkey_domain::{SecretForm, TokenSecret};
use sha2::{Digest as _, Sha256};

use crate::backup_file::hex;

/// The path that stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// A secret, and where it is.
pub(super) struct Finding {
    /// The file, as a path from where the command or git runs; `None` for the message of a commit.
    pub(super) path: Option<String>,
    /// The id of the commit, in the output of `git log -p`.
    pub(super) commit: Option<String>,
    /// The line in the file, or in what git prints of the commit; the first is 1.
    pub(super) line: u64,
    pub(super) form: SecretForm,
    pub(super) secret: TokenSecret,
    /// The SHA-256 of the secret in hexadecimal, by which the same secret is known again.
    pub(super) sha256: String,
}

impl Finding {
    /// Returns the finding of this secret at this place.
    pub(super) fn new(
        path: Option<String>,
        commit: Option<String>,
        line: u64,
        form: SecretForm,
        secret: TokenSecret,
    ) -> Self {
        let sha256 = hex(Sha256::new_with_prefix(secret.reveal()));
        Self { path, commit, line, form, secret, sha256 }
    }
}
