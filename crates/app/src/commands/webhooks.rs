//! `latchkey webhook`.

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use latchkey_domain::{
    EventKind, EventSelection, ProjectId, ProjectScope, ProjectSet, Webhook, WebhookId, WebhookTarget,
    WebhookTemplate, WebhookUrl,
};
use latchkey_service::{Caller, InstancePermit, ManageWebhooks, ServiceError, counted};

use crate::{output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Create a webhook, to which servers send events from then on, and print the secret of its signatures, once
    #[command(
        after_help = "Examples:\n  latchkey webhook create --url https://hooks.example.com/latchkey\n  \
        latchkey webhook create --url https://hooks.slack.com/services/T0/B0/x --template slack --event api-token-leaked"
    )]
    Create(CreateArgs),
    /// List the webhooks, by creation
    List,
    /// Delete a webhook; what waits is not sent any more
    #[command(after_help = "Example:\n  latchkey webhook delete 5f0c2a51-7f7c-4d36-9a35-0123456789ab")]
    Delete(IdArgs),
    /// Send a test to a webhook, from this machine; exits with 1 if it is not received
    #[command(after_help = "Example:\n  latchkey webhook ping 5f0c2a51-7f7c-4d36-9a35-0123456789ab")]
    Ping(IdArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Where events are sent: https, or http to an allowed network
    #[arg(long)]
    pub(crate) url: WebhookUrl,
    /// A type of events that are sent, may be repeated; without it, all
    #[arg(long = "event", value_name = "TYPE")]
    pub(crate) events: Vec<EventKind>,
    /// A project whose events are sent, may be repeated; without it, all events
    #[arg(long = "project", value_name = "ID")]
    pub(crate) projects: Vec<ProjectId>,
    /// standard, or slack for receivers that take messages of Slack's incoming webhooks
    #[arg(long, default_value = "standard")]
    pub(crate) template: WebhookTemplate,
    /// Send nothing yet
    #[arg(long)]
    pub(crate) disabled: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The id, as `latchkey webhook list` shows it
    #[arg(value_name = "ID", value_parser = parse_id)]
    pub(crate) id: WebhookId,
}

fn parse_id(text: &str) -> Result<WebhookId, String> {
    WebhookId::parse(text).ok_or_else(|| "the id of a webhook is a UUID".to_owned())
}

pub(crate) async fn run(app: &App, command: WebhookCommand) -> anyhow::Result<()> {
    match command {
        WebhookCommand::Create(arguments) => create(app, arguments).await,
        WebhookCommand::List => list(app).await,
        WebhookCommand::Delete(IdArgs { id }) => delete(app, id).await,
        WebhookCommand::Ping(IdArgs { id }) => ping(app, id).await,
    }
}

async fn create(app: &App, arguments: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { url, events, projects, template, disabled } = arguments;
    let target = WebhookTarget {
        url,
        events: EventSelection::only(events).unwrap_or_default(),
        projects: ProjectSet::new(projects).map_or(ProjectScope::All, ProjectScope::Only),
        enabled: !disabled,
        template,
    };
    let created = app.use_cases.webhooks.create(&management()?, target).await;
    let created = created.context("no webhook was created")?;
    output::result(created.secret.reveal())?;
    output::explain(format_args!("Webhook {} {}.", created.webhook.id, described(&created.webhook)));
    output::explain("The line above is the secret of its signatures; it cannot be shown again.");
    Ok(())
}

async fn list(app: &App) -> anyhow::Result<()> {
    for webhook in app.use_cases.webhooks.list(&management()?).await? {
        output::result(format_args!("{} {}", webhook.id, described(&webhook)))?;
    }
    Ok(())
}

/// Says what is sent where, without the part of the URL that may be a secret.
fn described(Webhook { target, .. }: &Webhook) -> String {
    let events = match target.events.named() {
        [] => "all events".to_owned(),
        kinds => kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "),
    };
    let projects = match target.projects.named() {
        [] => String::new(),
        some => format!(" of {}", some.iter().map(ProjectId::as_str).collect::<Vec<_>>().join(", ")),
    };
    let disabled = if target.enabled { "" } else { " (disabled)" };
    format!("sends {events}{projects} to {} as {}{disabled}", target.url.shown(), target.template)
}

async fn delete(app: &App, id: WebhookId) -> anyhow::Result<()> {
    app.use_cases.webhooks.delete(&management()?, id).await.map_err(missing(id))?;
    output::explain(format_args!("There is no webhook {id} any more."));
    Ok(())
}

async fn ping(app: &App, id: WebhookId) -> anyhow::Result<()> {
    let sent = app.use_cases.webhooks.ping(&management()?, id).await.map_err(missing(id))?;
    let took = counted(u64::try_from(sent.duration.as_millis())?, "millisecond");
    if let Some(error) = sent.error {
        bail!("the test was not received, after {took}: {error}");
    }
    output::explain(format_args!("The test was received, within {took}."));
    Ok(())
}

fn missing(id: WebhookId) -> impl FnOnce(ServiceError) -> anyhow::Error {
    move |error| match error {
        ServiceError::NotFound(_) => {
            anyhow!("there is no webhook {id}: `latchkey webhook list` shows the webhooks")
        }
        other => other.into(),
    }
}

/// Returns the permit to manage webhooks, which every operator with access to the database has.
fn management() -> Result<InstancePermit<ManageWebhooks>, ServiceError> {
    InstancePermit::request(&Caller::system())
}
