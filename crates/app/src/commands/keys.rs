//! `latchkey keys`.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use latchkey_crypto::{MasterKey, SystemEntropy};
use latchkey_ports::SecretOf;
use latchkey_service::{LeftSecret, MasterKeys, ResealingStep};
use secrecy::ExposeSecret as _;

use crate::{
    cli::PROCEDURE,
    commands::{key_usage::KeyUsage, progress::Progress},
    output::{self, Usage},
    wiring::App,
};

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
        ResealingStep::Left(left) => {
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
    if resealed.left > 0 {
        bail!("{} secrets could not be moved, for the reasons above", resealed.left);
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

fn name(LeftSecret { of, key, reason }: &LeftSecret) {
    let (what, token) = match of {
        SecretOf::Alias(token) => ("alias", Some(token)),
        SecretOf::Token(token) => ("secret", Some(token)),
        SecretOf::Retired(_) | SecretOf::PersonalToken(_) | SecretOf::Session(_) => ("secret", None),
    };
    let token = token.map(|id| format!(" of token {id}")).unwrap_or_default();
    output::explain(format_args!("The {what}{token} stays under {key}: {reason}"));
}
