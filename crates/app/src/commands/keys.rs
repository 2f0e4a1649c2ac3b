//! `latchkey keys`.

use latchkey_crypto::{MasterKey, SystemEntropy};
use secrecy::ExposeSecret as _;

use crate::output;

/// Prints a new master key: on request, and this once.
pub(super) fn generate() -> anyhow::Result<()> {
    output::result(MasterKey::generate(&SystemEntropy).to_hex().expose_secret())?;
    output::explain(
        "This is a new master key. Whoever has it and the database can read every secret in it; without it, nobody can.",
    );
    Ok(())
}
