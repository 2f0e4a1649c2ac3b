//! `latchkey token list`, and the commands that show and change one token.

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use latchkey_domain::{Enabled, ProjectId, TokenId, TokenKind};
use latchkey_ports::AttributeFilter;
use latchkey_service::{
    Caller, Existed, InstancePermit, InstanceTokenAction, Overlap, Patched, RevealedToken, ServiceError,
    TokenFilter, TokenPatch, TokenReference,
};

use super::attributes::AttributeArgs;
use crate::{
    commands::expiry::OptionalExpiry,
    output::{self, Usage},
    wiring::App,
};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only tokens that name this project
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<ProjectId>,
    /// Only tokens of this type: admin, client or frontend
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<TokenKind>,
    /// Only tokens of exactly this owner
    #[arg(long, value_name = "TEXT")]
    pub(crate) owner: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The id of the token, which `latchkey token list` shows
    #[arg(value_parser = id)]
    pub(crate) id: TokenId,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) token: IdArgs,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
    /// What to remove, may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) remove: Vec<Removable>,
    #[command(flatten)]
    pub(crate) expiry: OptionalExpiry,
}

/// What a token can be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Removable {
    Description,
    Owner,
    Metadata,
    Scopes,
    AllowedNetworks,
    RateLimit,
    Uses,
    RotateEvery,
    Expiry,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) token: IdArgs,
    /// How long the old secret stays valid: 0s, 24h, 7d
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = overlap)]
    pub(crate) overlap: Overlap,
    /// End the old secret a minute after the new one is first used, if that is before the end of the overlap
    #[arg(long)]
    pub(crate) end_on_first_use: bool,
}

fn id(text: &str) -> Result<TokenId, String> {
    TokenId::parse(text)
        .ok_or_else(|| "this is no id of a token: `latchkey token list` shows the ids".to_owned())
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let span = humantime::parse_duration(text).map_err(|error| format!("{error}; write 0s, 24h or 7d"))?;
    Overlap::new(span).map_err(|error| error.to_string())
}

/// Prints a line for each token, by creation.
pub(super) async fn list(app: &App, arguments: ListArgs) -> anyhow::Result<()> {
    let ListArgs { project, kind, owner } = arguments;
    let attributes = owner.map(AttributeFilter::owner).into_iter().collect();
    let filter = TokenFilter { project, kind, attributes, ..TokenFilter::default() };
    let mut page = app.use_cases.instance_tokens.search(&permit()?, filter).await?;
    output::result(format_args!(
        "{:36}  {:8}  {:11}  {:24}  {:16}  {:24}  name",
        "id", "type", "environment", "expires", "owner", "projects"
    ))?;
    loop {
        page.tokens.iter().try_for_each(print_line)?;
        match page.rest {
            Some(rest) => page = rest.read().await?,
            None => return Ok(()),
        }
    }
}

fn print_line(RevealedToken { token, .. }: &RevealedToken) -> anyhow::Result<()> {
    let disabled = if token.attributes.enabled.is_on() { "" } else { " (disabled)" };
    output::result(format_args!(
        "{:36}  {:8}  {:11}  {:24}  {:16}  {:24}  {}{disabled}",
        token.id.to_string(),
        token.access.kind().as_str(),
        token.access.environment().map_or("*", |name| name.as_str()),
        token.expires_at.map_or("never".to_owned(), |end| end.to_string()),
        token.attributes.owner.as_ref().map_or("-", |owner| owner.as_str()),
        token.access.projects().to_string(),
        token.name,
    ))
}

/// Prints what is known about a token, but its secret.
pub(super) async fn show(app: &App, IdArgs { id }: IdArgs) -> anyhow::Result<()> {
    let found = app.use_cases.instance_tokens.named(&permit()?, &id.to_string()).await?;
    let found = found.tokens.into_iter().find(|found| found.token.id == id);
    let RevealedToken { token, uses_left, .. } = found.ok_or_else(|| no_token(id))?;
    let shown = |text: Option<String>, otherwise: &str| text.unwrap_or_else(|| otherwise.to_owned());
    let lines = [
        ("id", token.id.to_string()),
        ("name", token.name.to_string()),
        ("type", token.access.kind().to_string()),
        ("projects", token.access.projects().to_string()),
        ("environment", shown(token.access.environment().map(ToString::to_string), "*")),
        ("created", token.created_at.to_string()),
        ("expires", shown(token.expires_at.map(|end| end.to_string()), "never")),
        ("last used", shown(token.last_used_at.map(|at| at.to_string()), "never")),
    ];
    for (name, value) in lines {
        output::result(format_args!("{name:16}  {value}"))?;
    }
    if let Some(due) = token.rotation_due_at() {
        output::result(format_args!("{:16}  {due}", "rotation due"))?;
    }
    for (name, value) in token.attributes.shown() {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        output::result(format_args!("{name:16}  {value}"))?;
    }
    if let Some(left) = uses_left {
        output::result(format_args!("{:16}  {left}", "uses left"))?;
    }
    Ok(())
}

/// Changes a token.
pub(super) async fn update(app: &App, arguments: UpdateArgs) -> anyhow::Result<()> {
    let UpdateArgs { token: IdArgs { id }, attributes, remove, expiry } = arguments;
    let mut patch = attributes.into_patch()?;
    let end =
        expiry.expires_in.or(expiry.expires_at).map(|expiry| expiry.time(app.clock.now())).transpose()?;
    patch.expires_at = end.map_or(Patched::Kept, Patched::Set);
    for removed in remove {
        match removed {
            Removable::Description => patch.description = Patched::Removed,
            Removable::Owner => patch.owner = Patched::Removed,
            Removable::Metadata => patch.metadata = Patched::Removed,
            Removable::Scopes => patch.scopes = Patched::Removed,
            Removable::AllowedNetworks => patch.allowed_networks = Patched::Removed,
            Removable::RateLimit => patch.rate_limit = Patched::Removed,
            Removable::Uses => patch.uses = Patched::Removed,
            Removable::RotateEvery => patch.rotate_every = Patched::Removed,
            Removable::Expiry => patch.expires_at = Patched::Removed,
        }
    }
    if patch == TokenPatch::default() {
        bail!(Usage("say what to change: `latchkey token update --help` lists it".to_owned()));
    }
    change(app, id, &patch).await?;
    output::explain("The token was changed.");
    Ok(())
}

/// Lets a token in, or refuses it from now on.
pub(super) async fn enable(app: &App, IdArgs { id }: IdArgs, enabled: Enabled) -> anyhow::Result<()> {
    change(app, id, &TokenPatch { enabled: Patched::Set(enabled), ..TokenPatch::default() }).await?;
    output::explain(if enabled.is_on() {
        "The token is accepted."
    } else {
        "The token is refused until it is enabled again."
    });
    Ok(())
}

async fn change(app: &App, id: TokenId, patch: &TokenPatch) -> anyhow::Result<()> {
    let changed = app.use_cases.instance_tokens.update(&permit()?, &TokenReference::Id(id), patch).await;
    changed.map(drop).with_context(|| format!("the token {id} was not changed"))
}

/// Gives a token a new secret, and prints it.
pub(super) async fn rotate(app: &App, arguments: RotateArgs) -> anyhow::Result<()> {
    let RotateArgs { token: IdArgs { id }, overlap, end_on_first_use } = arguments;
    let overlap = overlap.ending_on_first_use(end_on_first_use);
    let rotated = app.use_cases.instance_tokens.rotate(&permit()?, &TokenReference::Id(id), overlap).await;
    let rotated = rotated.with_context(|| format!("the token {id} was not changed"))?;
    output::secret(rotated.secret.context("the token has no secret")?.reveal())?;
    output::explain(match rotated.previous_secret_until {
        Some(until) if end_on_first_use => format!(
            "This is the new secret. The old one stays valid until a minute after the first use of this one, at the latest \
             until {until}."
        ),
        Some(until) => format!("This is the new secret. The old one stays valid until {until}."),
        None => "This is the new secret. The old one is refused.".to_owned(),
    });
    Ok(())
}

/// Revokes a token.
pub(super) async fn delete(app: &App, IdArgs { id }: IdArgs) -> anyhow::Result<()> {
    let existed = app.use_cases.instance_tokens.delete(&permit()?, &TokenReference::Id(id)).await?;
    // Over HTTP it is no error, as in Unleash. An operator has mistyped the id.
    if existed == Existed::No {
        return Err(no_token(id));
    }
    output::explain("The token was revoked.");
    Ok(())
}

pub(super) fn no_token(id: TokenId) -> anyhow::Error {
    anyhow!("there is no token {id}: `latchkey token list` shows the tokens")
}

/// Returns a permit, which every operator with access to the database has.
pub(super) fn permit<A: InstanceTokenAction>() -> Result<InstancePermit<A>, ServiceError> {
    InstancePermit::request(&Caller::system())
}
