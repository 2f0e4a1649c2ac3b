//! The bodies of webhooks.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{
    EventKind, EventSelection, ProjectScope, Webhook, WebhookSecret, WebhookTarget, WebhookTemplate,
    WebhookUrl,
};
use latchkey_service::{CreatedWebhook, Fault as _, Message, Rule};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    extract::{
        List, Problems,
        problems::name,
        text::{FromText, text_members},
    },
    tokens::{ProjectArray, ProjectList},
    wire_time::WireTime,
};

/// All that a webhook is, for one that is created or replaced.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createWebhookSchema, rename_all = "camelCase")]
pub struct WebhookDraftBody {
    /// Where events are sent: an https URL, or an http URL of a network in `webhooks.allowed_networks`.
    #[schema(value_type = String, example = "https://hooks.example.com/latchkey", max_length = 2048)]
    url: WebhookUrl,
    /// The types of events that are sent; `*`, null or absent: all.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["*"]))]
    events: Option<EventNames>,
    /// The projects whose events are sent, those that concern all projects among them; `*`, null or absent: all events, also those of no
    /// project.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["*"]))]
    projects: Option<WebhookProjects>,
    /// Whether events are sent; what happens while it is false is not sent later. Absent or null: true.
    #[deserr(default)]
    #[schema(example = true)]
    enabled: Option<bool>,
    /// `standard`: events as the API has them, in the envelope of Standard Webhooks. `slack`: a sentence, for receivers that take messages
    /// of Slack's incoming webhooks. Absent or null: `standard`.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "standard", pattern = "^(standard|slack)$")]
    template: Option<WebhookTemplate>,
}

impl From<WebhookDraftBody> for WebhookTarget {
    fn from(WebhookDraftBody { url, events, projects, enabled, template }: WebhookDraftBody) -> Self {
        Self {
            url,
            events: events.map_or(EventSelection::All, |EventNames(events)| events),
            projects: projects.map_or(ProjectScope::All, |WebhookProjects(projects)| projects),
            enabled: enabled.unwrap_or(true),
            template: template.unwrap_or_default(),
        }
    }
}

impl FromText for WebhookUrl {
    fn from_text(text: &str, _: &str) -> Result<Self, Message> {
        Self::new(text).map_err(|error| error.sentence())
    }
}

impl FromText for WebhookTemplate {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse().map_err(|_| {
            let text = format!("{name} must be standard or slack.");
            Rule::named("one-of").with("values", "standard, slack").says(text)
        })
    }
}

/// A type of events; `None` for all.
#[derive(Debug)]
struct EventName(Option<EventKind>);

impl FromText for EventName {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        if text == "*" {
            Ok(Self(None))
        } else {
            EventKind::from_text(text, name).map(|kind| Self(Some(kind)))
        }
    }
}

text_members!(EventName, WebhookTemplate, WebhookUrl);

/// A list of types of events.
#[derive(Debug)]
struct EventNames(EventSelection);

impl Deserr<Problems> for EventNames {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let List(names) = List::<EventName>::deserialize_from_value(value, place)?;
        if names.iter().any(|EventName(kind)| kind.is_none()) {
            return Ok(Self(EventSelection::All));
        }
        let selection = EventSelection::only(names.into_iter().filter_map(|EventName(kind)| kind));
        let none = || Problems::at(place, format!("{} must have a type of events, or *.", name(place)));
        selection.map(Self).ok_or_else(none)
    }
}

/// A list of projects.
#[derive(Debug)]
struct WebhookProjects(ProjectScope);

impl Deserr<Problems> for WebhookProjects {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let ProjectList(projects) = ProjectList::deserialize_from_value(value, place)?;
        let none = || Problems::at(place, format!("{} must have a project, or *.", name(place)));
        projects.map(Self).ok_or_else(none)
    }
}

/// A webhook, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = webhookSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookBody<'w> {
    /// The id.
    #[schema(value_type = String, example = "5f0c2a51-7f7c-4d36-9a35-0123456789ab")]
    id: String,
    /// Where events are sent.
    #[schema(value_type = String, example = "https://hooks.example.com/latchkey")]
    url: &'w str,
    /// The types of events that are sent; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["*"]))]
    events: Vec<&'static str>,
    /// The projects whose events are sent; `["*"]` for all events.
    #[schema(value_type = Vec<String>, example = json!(["*"]))]
    projects: ProjectArray<'w>,
    /// Whether events are sent.
    #[schema(example = true)]
    enabled: bool,
    /// `standard` or `slack`.
    #[schema(value_type = String, example = "standard")]
    template: &'static str,
    /// When the webhook was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
}

impl<'w> WebhookBody<'w> {
    pub(super) fn of(Webhook { id, target, created_at }: &'w Webhook) -> Self {
        Self {
            id: id.to_string(),
            url: target.url.as_str(),
            events: target.events.shown(),
            projects: ProjectArray(&target.projects),
            enabled: target.enabled,
            template: target.template.as_str(),
            created_at: WireTime(*created_at),
        }
    }
}

/// A webhook with its secret, which is shown only when it is created.
#[derive(Serialize, ToSchema)]
#[schema(as = createdWebhookSchema)]
pub(super) struct CreatedWebhookBody<'w> {
    #[serde(flatten)]
    webhook: WebhookBody<'w>,
    /// The secret of the signatures, which cannot be shown again.
    #[schema(value_type = String, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: &'w str,
}

impl<'w> CreatedWebhookBody<'w> {
    /// Shows the webhook to the caller that created it.
    pub(super) fn of(CreatedWebhook { webhook, secret }: &'w CreatedWebhook) -> Self {
        Self { webhook: WebhookBody::of(webhook), secret: WebhookSecret::reveal(secret) }
    }
}

/// A list of webhooks.
#[derive(Serialize, ToSchema)]
#[schema(as = webhooksSchema)]
pub(super) struct WebhooksBody<'w> {
    /// The webhooks, by creation.
    webhooks: Vec<WebhookBody<'w>>,
}

impl<'w> WebhooksBody<'w> {
    pub(super) fn of(webhooks: &'w [Webhook]) -> Self {
        Self { webhooks: webhooks.iter().map(WebhookBody::of).collect() }
    }
}
