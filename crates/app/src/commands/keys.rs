//! `latchkey keys`.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use latchkey_crypto::{MasterKey, SystemEntropy};
use latchkey_ports::SecretOf;
use latchkey_service::{MasterKeys, ResealingStep, SkippedSecret};
use secrecy::ExposeSecret as _;

use crate::{
    cli::PROCEDURE,
    commands::{key_usage::KeyUsage, progress::Progress},
    output::{self, Usage},
    wiring::House,
};

/// So many secrets that stay behind are named one by one; more of them have one cause.
const MAX_NAMED: u64 = 100;

/// Prints a new master key: on request, and this once.
pub(super) fn generate() -> anyhow::Result<()> {
    output::result(MasterKey::generate(&SystemEntropy).to_hex().expose_secret())?;
    output::explain(
        "This is a new master key. Whoever has it and the database can read every secret in it; without it, nobody can.",
    );
    Ok(())
}

/// Prints how much is kept under which key.
pub(super) async fn list(house: &House) -> anyhow::Result<()> {
    show_usage(&house.use_cases.master_keys).await
}

/// Puts what older keys made under the current one, as far as it can be opened.
pub(super) async fn rotate(house: &House) -> anyhow::Result<()> {
    let keys = &house.use_cases.master_keys;
    let configured = keys.configured();
    let [current, _, ..] = configured.as_slice() else {
        bail!(Usage(format!("there is one master key only, so there is nothing to move.\n\n{PROCEDURE}")));
    };
    if configured.iter().collect::<BTreeSet<_>>().len() < configured.len() {
        // One pair in four thousand million has it; what is under which of them could not be told.
        bail!("two of the master keys have one id: generate another in the place of the new one");
    }
    let (mut progress, mut named) = (Progress::default(), 0);
    let resealed = keys.reseal(|step| match step {
        ResealingStep::Done { done, of } => progress.show("sealed anew", done, of),
        ResealingStep::Skipped(left) => {
            named += 1;
            if named <= MAX_NAMED {
                progress.interrupt();
                name(&left);
            }
        }
    });
    let resealed =
        resealed.await.context("not everything was sealed anew; what was is kept, so run it again")?;
    progress.interrupt();
    if named > MAX_NAMED {
        output::explain(format_args!("… and {} more", named - MAX_NAMED));
    }
    output::explain(match resealed.moved {
        1 => format!("1 secret was put under {current}."),
        count => format!("{count} secrets were put under {current}."),
    });
    show_usage(keys).await?;
    if resealed.skipped > 0 {
        bail!("of the sealed secrets, {} stay behind, as said above", resealed.skipped);
    }
    Ok(())
}

async fn show_usage(keys: &MasterKeys) -> anyhow::Result<()> {
    let counted = keys.usage().await.context("it could not be counted what is under which master key")?;
    let usage = KeyUsage::new(&keys.configured(), &counted);
    output::result(usage.table())?;
    usage.advice().into_iter().for_each(output::explain);
    Ok(())
}

fn name(SkippedSecret { of, key, reason }: &SkippedSecret) {
    let (what, token) = match of {
        SecretOf::Alias(token) => ("alias", Some(token)),
        SecretOf::Token(token) => ("secret", Some(token)),
        SecretOf::Retired(_) | SecretOf::PersonalToken(_) | SecretOf::Session(_) => ("secret", None),
    };
    let token = token.map(|id| format!(" of token {id}")).unwrap_or_default();
    output::explain(format_args!("The {what}{token} stays under {key}: {reason}"));
}
