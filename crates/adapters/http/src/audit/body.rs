//! The bodies that show events.

use latchkey_domain::{EnvironmentName, Event, NewEvent, ProjectScope, Snapshot};
use latchkey_ports::EventPage;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::words::{label, summary};
use crate::{tokens::ProjectNames, wire_time::WireTime};

/// About how large one event is in JSON, in bytes.
pub(crate) const EVENT_BYTES: usize = 1024;

/// An event of the audit trail.
#[derive(Serialize, ToSchema)]
#[schema(as = eventSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody<'e> {
    /// The number of the event. Later events have higher numbers.
    #[schema(example = 899)]
    pub(super) id: i64,
    /// What happened.
    #[schema(value_type = String, example = "api-token-created")]
    pub(super) r#type: &'static str,
    /// The e-mail address or user name of the user, or the name of the token, that caused the event, as it was then.
    #[schema(value_type = String, example = "johndoe@example.com")]
    pub(super) created_by: &'e str,
    /// The id of the user; -42 for an admin token, -1337 for the system.
    #[schema(example = 1337)]
    pub(super) created_by_user_id: i64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// The data after the event; null if it was deleted. Never contains a secret.
    #[schema(value_type = Option<Object>, required = true)]
    pub(super) data: Option<Value>,
    /// The data before the event; null if there was none.
    #[schema(value_type = Option<Object>, required = true)]
    pub(super) pre_data: Option<Value>,
    /// The projects of the event, joined by commas; `*` for all, null for none.
    #[schema(value_type = Option<String>, required = true, example = "default")]
    pub(super) project: Option<ProjectNames<'e>>,
    /// The environment of the event.
    #[schema(required = true, example = "development")]
    pub(super) environment: Option<&'e str>,
    /// Always null: feature flags are not supported.
    #[schema(required = true, nullable, value_type = Option<String>)]
    feature_name: Option<&'static str>,
    /// Always empty.
    #[schema(example = json!([]))]
    tags: Vec<String>,
    /// The IP address of the client; null for events of the command line and of the start.
    #[schema(required = true, example = "192.0.2.7")]
    pub(super) ip: Option<String>,
    /// The user agent of the client.
    #[schema(required = true, example = "curl/8.5.0")]
    pub(super) user_agent: Option<&'e str>,
    /// The title of the event.
    #[schema(value_type = String, example = "API token created")]
    pub(super) label: &'static str,
    /// A sentence in Markdown that describes the event.
    #[schema(example = "**admin** created API token **ci**")]
    pub(super) summary: String,
}

impl<'e> EventBody<'e> {
    pub(super) fn of(event: &'e Event) -> Self {
        let record = &event.record;
        let data = record.after.as_ref().map(Snapshot::to_json);
        let pre_data = record.before.as_ref().map(Snapshot::to_json);
        Self {
            id: event.id.0,
            r#type: record.kind.as_str(),
            created_by: record.actor.name(),
            created_by_user_id: record.actor.user_id(),
            created_at: WireTime(record.at),
            summary: summary(record, data.as_ref().or(pre_data.as_ref())),
            data,
            pre_data,
            project: record.projects.as_ref().map(ProjectNames),
            environment: environment(record),
            feature_name: None,
            tags: Vec::new(),
            ip: record.origin.address.map(|address| address.to_string()),
            user_agent: record.origin.user_agent.as_deref(),
            label: label(record.kind),
        }
    }
}

/// A list of events.
#[derive(Serialize, ToSchema)]
#[schema(as = eventsSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventsBody<'e> {
    /// The version of this format.
    #[schema(example = 1)]
    version: u32,
    /// The events, newest first.
    events: Vec<EventBody<'e>>,
    /// The number of events on all pages; 10,000 means at least that many.
    #[schema(example = 2)]
    total_events: u64,
}

impl<'e> EventsBody<'e> {
    pub(crate) fn of(page: &'e EventPage) -> Self {
        Self { version: 1, events: page.events.iter().map(EventBody::of).collect(), total_events: page.total }
    }
}

/// The events that a search found.
#[derive(Serialize, ToSchema)]
#[schema(as = eventSearchResponseSchema)]
pub(crate) struct FoundEventsBody<'e> {
    /// The events, newest first.
    events: Vec<EventBody<'e>>,
    /// The number of events on all pages; 10,000 means at least that many.
    #[schema(example = 2)]
    total: u64,
}

impl<'e> FoundEventsBody<'e> {
    pub(crate) fn of(page: &'e EventPage) -> Self {
        Self { events: page.events.iter().map(EventBody::of).collect(), total: page.total }
    }
}

/// Returns the environment of an event; `*` for a token of all projects and environments.
fn environment(record: &NewEvent) -> Option<&str> {
    let named = record.environment.as_ref().map(EnvironmentName::as_str);
    named.or_else(|| matches!(record.projects, Some(ProjectScope::All)).then_some("*"))
}
