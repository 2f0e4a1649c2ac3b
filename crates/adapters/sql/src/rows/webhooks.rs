//! Webhooks and their deliveries.

use std::{collections::BTreeSet, time::Duration};

use diesel::{AsChangeset, Insertable, Queryable, QueryableByName, Selectable};
use latchkey_domain::{
    DeliveryId, DeliveryState, EventId, EventKind, EventSelection, ProjectId, ProjectScope, ProjectSet,
    Subject, Timestamp, Webhook, WebhookId, WebhookTarget, WebhookTemplate, WebhookUrl,
};
use latchkey_ports::{Attempt, Delivery, Inconsistency, KeyId, NewDelivery, SealedBytes, StoredWebhook};

use super::Row;
use crate::{
    columns::{Bytes, DbId, DbInt, DbJson, DbTime, NewJson, Parsed},
    schema::{webhook_deliveries, webhooks},
};

/// A row of `webhooks`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub struct WebhookRow {
    id: DbId,
    url: Parsed<WebhookUrl>,
    events: Option<DbJson>,
    projects: Option<DbJson>,
    enabled: bool,
    template: Parsed<WebhookTemplate>,
    secret_key: Bytes<4>,
    secret_sealed: Vec<u8>,
    since_event: i64,
    created_at: DbTime,
}

impl TryFrom<WebhookRow> for StoredWebhook {
    type Error = Inconsistency;

    fn try_from(row: WebhookRow) -> Result<Self, Inconsistency> {
        let id = WebhookId(row.id.0);
        let at = Row { table: "webhooks", key: id };
        let events = match names(&at, "events", row.events)? {
            None => EventSelection::All,
            Some(kinds) => {
                let kinds: Result<Vec<EventKind>, _> = kinds.iter().map(|kind| kind.parse()).collect();
                let selection = EventSelection::only(at.column("events", kinds)?);
                at.column("events", selection.ok_or("must have a type of events"))?
            }
        };
        let projects = match names(&at, "projects", row.projects)? {
            None => ProjectScope::All,
            Some(ids) => {
                let ids: Result<Vec<ProjectId>, _> = ids.iter().map(|id| ProjectId::new(id)).collect();
                ProjectScope::Only(at.column("projects", ProjectSet::new(at.column("projects", ids)?))?)
            }
        };
        let target = WebhookTarget {
            url: at.parsed("url", row.url)?,
            events,
            projects,
            enabled: row.enabled,
            template: at.parsed("template", row.template)?,
        };
        let key = KeyId(at.bytes("secret_key", row.secret_key)?);
        let created_at = at.time("created_at", row.created_at)?;
        Ok(Self {
            webhook: Webhook { id, target, created_at },
            secret: SealedBytes { key, sealed: row.secret_sealed.into_boxed_slice() },
            since: EventId(row.since_event),
        })
    }
}

/// Reads a list of names; `None` for all.
fn names(
    at: &Row<WebhookId>,
    column: &'static str,
    json: Option<DbJson>,
) -> Result<Option<Vec<String>>, Inconsistency> {
    let Some(DbJson(value)) = json else { return Ok(None) };
    at.column(column, serde_json::from_value(at.column(column, value)?)).map(Some)
}

/// The columns of `webhooks` that a change sets.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ChangedWebhookRow<'a> {
    url: &'a str,
    events: Option<NewJson<Vec<&'static str>>>,
    projects: Option<NewJson<Vec<&'a str>>>,
    enabled: bool,
    template: &'static str,
}

impl<'a> From<&'a WebhookTarget> for ChangedWebhookRow<'a> {
    fn from(target: &'a WebhookTarget) -> Self {
        let kinds: Vec<_> = target.events.named().iter().map(|kind| kind.as_str()).collect();
        let projects: Vec<_> = target.projects.named().iter().map(ProjectId::as_str).collect();
        Self {
            url: target.url.as_str(),
            events: (!kinds.is_empty()).then_some(NewJson(kinds)),
            projects: (!projects.is_empty()).then_some(NewJson(projects)),
            enabled: target.enabled,
            template: target.template.as_str(),
        }
    }
}

/// A new row of `webhooks`.
#[derive(Insertable)]
#[diesel(table_name = webhooks)]
pub struct NewWebhookRow<'a> {
    id: DbId,
    #[diesel(embed)]
    target: ChangedWebhookRow<'a>,
    secret_key: &'a [u8],
    secret_sealed: &'a [u8],
    since_event: i64,
    created_at: DbTime,
}

impl<'a> NewWebhookRow<'a> {
    /// Returns the row of a webhook that begins after an event.
    #[must_use]
    pub fn new(webhook: &'a Webhook, secret: &'a SealedBytes, since: EventId) -> Self {
        Self {
            id: DbId(webhook.id.0),
            target: ChangedWebhookRow::from(&webhook.target),
            secret_key: &secret.key.0,
            secret_sealed: &secret.sealed,
            since_event: since.0,
            created_at: webhook.created_at.into(),
        }
    }
}

/// A row of `webhook_deliveries`.
#[derive(Queryable, Selectable, QueryableByName)]
#[diesel(table_name = webhook_deliveries)]
pub struct DeliveryRow {
    webhook_id: DbId,
    event_id: i64,
    kind: Parsed<EventKind>,
    at: DbTime,
    lane: Option<Parsed<Subject>>,
    body: String,
    state: Parsed<DeliveryState>,
    attempts: DbInt,
    next_at: Option<DbTime>,
    began_at: DbTime,
    ended_at: Option<DbTime>,
    status: Option<DbInt>,
    duration_ms: Option<i64>,
    error: Option<String>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Inconsistency;

    fn try_from(row: DeliveryRow) -> Result<Self, Inconsistency> {
        let id = DeliveryId { webhook: WebhookId(row.webhook_id.0), event: EventId(row.event_id) };
        let at = Row { table: "webhook_deliveries", key: format!("{}, {}", id.webhook, id.event.0) };
        let status =
            row.status.map(|DbInt(status)| at.column("status", u16::try_from(status))).transpose()?;
        let duration = row.duration_ms.map(|millis| at.count("duration_ms", millis)).transpose()?;
        Ok(Self {
            id,
            kind: at.parsed("kind", row.kind)?,
            at: at.time("at", row.at)?,
            lane: at.optional("lane", row.lane)?,
            body: row.body,
            state: at.parsed("state", row.state)?,
            attempts: at.column("attempts", u32::try_from(row.attempts.0))?,
            next_at: at.optional_time("next_at", row.next_at)?,
            began_at: at.time("began_at", row.began_at)?,
            ended_at: at.optional_time("ended_at", row.ended_at)?,
            status,
            duration: duration.map(Duration::from_millis),
            error: row.error,
        })
    }
}

/// A new row of `webhook_deliveries`.
#[derive(Insertable)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false)]
pub struct NewDeliveryRow<'a> {
    webhook_id: DbId,
    event_id: i64,
    kind: &'static str,
    at: DbTime,
    lane: Option<String>,
    body: &'a str,
    state: &'static str,
    attempts: DbInt,
    next_at: Option<DbTime>,
    began_at: DbTime,
}

/// Returns the rows of new deliveries, which are in the order of events. `occupied` are the lanes in which others wait.
#[must_use]
pub fn new_deliveries<'a>(
    deliveries: impl Iterator<Item = &'a NewDelivery>,
    mut occupied: BTreeSet<(DbId, String)>,
    now: Timestamp,
) -> Vec<NewDeliveryRow<'a>> {
    let row = |new: &'a NewDelivery| {
        let webhook_id = DbId(new.id.webhook.0);
        let lane = new.lane.map(|lane| lane.to_string());
        let is_first = lane.as_ref().is_none_or(|lane| occupied.insert((webhook_id, lane.clone())));
        NewDeliveryRow {
            webhook_id,
            event_id: new.id.event.0,
            kind: new.kind.as_str(),
            at: new.at.into(),
            lane,
            body: &new.body,
            state: DeliveryState::Waiting.as_str(),
            attempts: DbInt(0),
            next_at: is_first.then_some(now.into()),
            began_at: now.into(),
        }
    };
    deliveries.map(row).collect()
}

/// Returns the lanes of deliveries, each once.
#[must_use]
pub fn lanes(deliveries: &[NewDelivery]) -> BTreeSet<(DbId, String)> {
    let lane = |new: &NewDelivery| Some((DbId(new.id.webhook.0), new.lane?.to_string()));
    deliveries.iter().filter_map(lane).collect()
}

/// The columns of `webhook_deliveries` that the end of an attempt sets.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub struct EndedAttemptRow<'a> {
    state: &'static str,
    next_at: Option<DbTime>,
    ended_at: Option<DbTime>,
    status: Option<DbInt>,
    duration_ms: Option<i64>,
    error: Option<&'a str>,
}

impl<'a> From<&'a Attempt> for EndedAttemptRow<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        let next_at = attempt.outcome.next_at();
        Self {
            state: attempt.outcome.state().as_str(),
            next_at: next_at.map(DbTime::from),
            ended_at: next_at.is_none().then_some(attempt.ended_at.into()),
            status: attempt.status.map(|status| DbInt(status.into())),
            duration_ms: Some(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX)),
            error: attempt.error.as_deref(),
        }
    }
}

/// The columns of `webhook_deliveries` that a redelivery sets.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub struct RedeliveredRow {
    lane: Option<String>,
    state: &'static str,
    attempts: DbInt,
    next_at: Option<DbTime>,
    began_at: DbTime,
    ended_at: Option<DbTime>,
}

impl RedeliveredRow {
    /// Returns what a redelivery from that moment on sets.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            lane: None,
            state: DeliveryState::Waiting.as_str(),
            attempts: DbInt(0),
            next_at: Some(now.into()),
            began_at: now.into(),
            ended_at: None,
        }
    }
}
