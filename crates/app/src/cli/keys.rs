//! `latchkey keys`, as `--help` explains it.

use clap::Subcommand;

/// How a master key is changed, step by step; also what is said to somebody who has one key only.
pub(crate) const PROCEDURE: &str = "\
How to change the master key, while servers run:
  1. Make a new key:                 latchkey keys generate
  2. Give every process both keys, the present one first, and restart them one after the other:
                                     LATCHKEY_MASTER_KEY=<old>,<new>
  3. Then the new one first, and restart them again:
                                     LATCHKEY_MASTER_KEY=<new>,<old>
  4. Move what the old key made:     latchkey keys rotate
     What can be shown moves at once. Of all else only a digest is kept: it moves when it is next used.
     Run it again until it says that the old key can go; in the meantime nothing stands still.
  5. Then the new one alone, and restart:
                                     LATCHKEY_MASTER_KEY=<new>

The first key makes everything new; all of them recognise and show what they made. A process must know a key before
another one makes secrets with it, hence step 2: else it would refuse those secrets. In a key file (that of
secrets.master_key_file, or data/latchkey.key beside a SQLite database) each key has a line of its own, in the same order.";

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key, for the environment of servers or a key file
    #[command(after_help = "Example:\n  (umask 077 && latchkey keys generate > latchkey.key)\n\n\
        `latchkey keys rotate --help` says how a key in use is changed.")]
    Generate,
    /// Print the ids of the master keys, and how much is kept under each
    List,
    /// Put what older master keys made under the current one, and say what has to happen before they can go
    ///
    /// Exits with 0 when that was done, with 1 when something sealed could not be opened, with 2 when there is one key only. May
    /// be interrupted, run again, and run beside servers.
    #[command(after_help = PROCEDURE)]
    Rotate,
}
