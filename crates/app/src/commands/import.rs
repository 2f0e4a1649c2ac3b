//! `latchkey import`.

mod advice;
mod events;
pub(crate) mod keys;
pub(crate) mod unleash;
mod verify;

use clap::Subcommand;

use self::{
    keys::{IMPORT_KEYS_HELP, ImportKeysArgs},
    unleash::{IMPORT_UNLEASH_HELP, ImportUnleashArgs},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Create API tokens for keys of any other system, hashed or plain, that clients go on using
    #[command(after_help = IMPORT_KEYS_HELP)]
    Keys(ImportKeysArgs),
    /// Take over the projects, people, tokens and events of an Unleash server, which can go on running
    #[command(after_help = IMPORT_UNLEASH_HELP)]
    Unleash(Box<ImportUnleashArgs>),
}
