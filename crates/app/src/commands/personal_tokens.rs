//! `latchkey pat`.

use anyhow::Context as _;
use latchkey_service::PersonalTokenDraft;

use crate::{cli::PatArgs, commands::users, output, wiring::App};

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
