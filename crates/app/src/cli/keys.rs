//! `latchkey keys`, as `--help` explains it.

use clap::Subcommand;

/// The procedure of a key rotation; also printed if only one key is configured.
pub(crate) const PROCEDURE: &str = "\
How to change the master key, while servers run:
  1. Create a new key:                latchkey keys generate
  2. Configure both keys in every process, the current one first, and restart one process after the other:
                                     LATCHKEY_MASTER_KEY=<old>,<new>
  3. Put the new key first, and restart again:
                                     LATCHKEY_MASTER_KEY=<new>,<old>
  4. Move secrets to the new key:    latchkey keys rotate
     Secrets that can be revealed move at once. Of all others only a digest is stored: they move when they are next used.
     Repeat the command until it says that the old key can be removed. Service is not interrupted.
  5. Remove the old key, and restart:
                                     LATCHKEY_MASTER_KEY=<new>

New secrets are stored under the first key; existing secrets are recognized under all of them. Step 2 comes first because
a process refuses secrets under a key that it does not have. A key file (secrets.master_key_file, or data/latchkey.key
beside a SQLite database) has one key per line, in the same order.";

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key
    #[command(after_help = "Example:\n  (umask 077 && latchkey keys generate > latchkey.key)\n\n\
        `latchkey keys rotate --help` describes how to change a key in use.")]
    Generate,
    /// Print the ids of the master keys, and the number of secrets under each
    List,
    /// Move secrets from older master keys to the current one, and print what is left to do before those can be removed
    ///
    /// Exits with 0 on success, with 1 if a secret could not be opened, with 2 if only one key is configured. Can be
    /// interrupted, repeated, and run beside servers.
    #[command(after_help = PROCEDURE)]
    Rotate,
}
