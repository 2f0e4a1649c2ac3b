//! `latchkey pat`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use latchkey_domain::Description;
use latchkey_service::PersonalTokenDraft;

use crate::{
    commands::{expiry::RequiredExpiry, users},
    output,
    wiring::App,
};

#[derive(Debug, Subcommand)]
pub(crate) enum PatCommand {
    /// Create a personal access token and print its secret, once
    #[command(
        after_help = "Example:\n  latchkey pat create --user ed@example.com --description ci --expires-in 90d"
    )]
    Create(PatArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PatArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: String,
    /// The description, unique among the user's tokens
    #[arg(long)]
    pub(crate) description: Description,
    #[command(flatten)]
    pub(crate) expiry: RequiredExpiry,
}

/// Creates a personal access token and prints its secret.
pub(super) async fn create(app: &App, arguments: PatArgs) -> anyhow::Result<()> {
    let PatArgs { user: login, description, expiry } = arguments;
    let expiry = expiry.expires_in.or(expiry.expires_at).context("no expiry was given")?;
    let draft = PersonalTokenDraft { description, expires_at: expiry.time(app.clock.now())? };
    let failure = || format!("no personal access token was created for {login:?}");
    let user = users::find(app, &login).await.with_context(failure)?;
    let created = app.use_cases.personal_tokens.create_for(&users::user_management()?, user.id, draft).await;
    let issued = created.with_context(failure)?;
    output::secret(issued.secret.reveal())?;
    output::explain(format_args!(
        "This is a personal access token of {login}, valid until {}. It is shown only now.",
        issued.token.expires_at
    ));
    Ok(())
}
