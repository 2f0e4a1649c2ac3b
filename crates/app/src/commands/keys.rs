//! `latchkey keys`.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use latchkey_crypto::{MasterKey, SystemEntropy};
use latchkey_ports::SecretOf;
use latchkey_service::{MasterKeys, ResealingStep, SealedSecret, SkippedSecret, counted};
use secrecy::ExposeSecret as _;

use crate::{
    commands::{key_usage::KeyUsage, progress::Progress},
    output::{self, Usage},
    wiring::App,
};

/// The procedure of a key rotation; also printed if only one key is configured.
const PROCEDURE: &str = "\
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

/// The number of secrets that are listed if they cannot be moved; more of them have one cause.
const MAX_NAMED: u64 = 100;

/// Prints a new master key.
pub(super) fn generate() -> anyhow::Result<()> {
    output::result(MasterKey::generate(&SystemEntropy).to_hex().expose_secret())?;
    output::explain(
        "This is a new master key. Together with the database it reveals every secret; without it, no secret can be read.",
    );
    Ok(())
}

/// Prints the number of secrets under each key.
pub(super) async fn list(app: &App) -> anyhow::Result<()> {
    show_usage(&app.use_cases.master_keys).await
}

/// Moves the secrets that can be opened from older keys to the current one.
pub(super) async fn rotate(app: &App) -> anyhow::Result<()> {
    let keys = &app.use_cases.master_keys;
    let configured = keys.configured();
    let [current, _, ..] = configured.as_slice() else {
        bail!(Usage(format!(
            "only one master key is configured, so there is nothing to move.\n\n{PROCEDURE}"
        )));
    };
    if configured.iter().collect::<BTreeSet<_>>().len() < configured.len() {
        // One pair in 2^32. Their secrets could not be told apart.
        bail!("two of the master keys have the same id: generate another new key");
    }
    let (mut progress, mut named) = (Progress::default(), 0);
    let resealed = keys.reseal(|step| match step {
        ResealingStep::Done { done, of } => progress.show("moved", done, of),
        ResealingStep::Skipped(left) => {
            named += 1;
            if named <= MAX_NAMED {
                progress.interrupt();
                name(&left);
            }
        }
    });
    let resealed = resealed
        .await
        .context("not all secrets were moved; those that were stay moved, so run the command again")?;
    progress.interrupt();
    if named > MAX_NAMED {
        output::explain(format_args!("… and {} more", named - MAX_NAMED));
    }
    output::explain(match resealed.moved {
        1 => format!("1 secret was moved to {current}."),
        count => format!("{count} secrets were moved to {current}."),
    });
    show_usage(keys).await?;
    if resealed.skipped > 0 {
        bail!("{} could not be moved, for the reasons above", counted(resealed.skipped, "secret"));
    }
    Ok(())
}

async fn show_usage(keys: &MasterKeys) -> anyhow::Result<()> {
    let counted = keys.usage().await.context("the secrets under each master key could not be counted")?;
    let usage = KeyUsage::new(&keys.configured(), &counted);
    output::result(usage.table())?;
    usage.advice().into_iter().for_each(output::explain);
    Ok(())
}

fn name(SkippedSecret { of, key, reason }: &SkippedSecret) {
    let what = match of {
        SealedSecret::OfToken(SecretOf::Alias(token)) => format!("alias of token {token}"),
        SealedSecret::OfToken(SecretOf::Token(token)) => format!("secret of token {token}"),
        SealedSecret::OfToken(SecretOf::Retired(_) | SecretOf::PersonalToken(_) | SecretOf::Session(_)) => {
            "secret".to_owned()
        }
        SealedSecret::OfWebhook(webhook) => format!("secret of webhook {webhook}"),
    };
    output::explain(format_args!("The {what} stays under {key}: {reason}"));
}
