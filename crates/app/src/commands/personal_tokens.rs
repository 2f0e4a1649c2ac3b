//! `latchkey pat`.

use anyhow::Context as _;
use latchkey_service::PersonalTokenDraft;

use crate::{cli::PatArgs, commands::users, output, wiring::App};

/// Makes a personal access token; prints its secret, this once.
pub(super) async fn create(app: &App, arguments: PatArgs) -> anyhow::Result<()> {
    let PatArgs { user: login, description, expiry } = arguments;
    let expiry = expiry.expires_in.or(expiry.expires_at).context("no expiry was given")?;
    let draft = PersonalTokenDraft { description, expires_at: expiry.moment(app.clock.now())? };
    let nothing = || format!("no personal access token was made for {login:?}");
    let user = users::find(app, &login).await.with_context(nothing)?;
    let made = app.use_cases.personal_tokens.create_for(&users::managing()?, user.id, draft).await;
    let issued = made.with_context(nothing)?;
    output::result(issued.secret.reveal()).context(super::UNSHOWN)?;
    output::explain(format_args!(
        "This is a personal access token of {login}, valid until {}. It is shown this once.",
        issued.token.expires_at
    ));
    Ok(())
}
