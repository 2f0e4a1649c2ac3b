//! `latchkey import`.

pub(crate) mod keys;

use clap::Subcommand;

use self::keys::{IMPORT_KEYS_HELP, ImportKeysArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Create API tokens for keys of any other system, hashed or plain, that clients go on using
    #[command(after_help = IMPORT_KEYS_HELP)]
    Keys(ImportKeysArgs),
}
