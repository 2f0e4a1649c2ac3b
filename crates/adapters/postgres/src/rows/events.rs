//! The audit trail.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    Actor, EnvironmentName, Event, EventId, NewEvent, Origin, ProjectId, ProjectScope, ProjectSet, Snapshot,
};
use latchkey_ports::Inconsistency;

use serde_json::Value;

use super::Row;
use crate::schema::{event_rows, events};

const NOTHING: &str = "nothing";
const ALL: &str = "all";
/// The event concerns the projects that `event_projects` has for it.
const SOME: &str = "some";

/// An event as the view `event_rows` shows it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = event_rows, check_for_backend(Pg))]
pub(crate) struct EventRow {
    id: i64,
    kind: String,
    actor_name: String,
    actor_user_id: i64,
    address: Option<String>,
    user_agent: Option<String>,
    at: DateTime<Utc>,
    concerns: String,
    environment: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    project_ids: Vec<String>,
}

impl TryFrom<EventRow> for Event {
    type Error = Inconsistency;

    fn try_from(row: EventRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "events", key: row.id };
        let address = row.address.as_deref().map(str::parse).transpose();
        let environment = row.environment.as_deref().map(EnvironmentName::new).transpose();
        let record = NewEvent {
            kind: at.column("kind", row.kind.parse())?,
            origin: Origin { address: at.column("address", address)?, user_agent: row.user_agent },
            actor: Actor::from_record(row.actor_name, row.actor_user_id),
            at: at.moment("at", row.at)?,
            projects: concerned(&at, &row.concerns, &row.project_ids)?,
            environment: at.column("environment", environment)?,
            before: snapshot(&at, "before", row.before)?,
            after: snapshot(&at, "after", row.after)?,
        };
        Ok(Self { id: EventId(row.id), record })
    }
}

fn concerned(at: &Row<i64>, concerns: &str, named: &[String]) -> Result<Option<ProjectScope>, Inconsistency> {
    match (concerns, named) {
        (NOTHING, []) => Ok(None),
        (ALL, []) => Ok(Some(ProjectScope::All)),
        (SOME, named) => {
            let ids = named.iter().map(|id| ProjectId::new(id)).collect::<Result<Vec<_>, _>>();
            let set = ProjectSet::new(at.column("concerns", ids)?);
            Ok(Some(ProjectScope::Only(at.column("concerns", set)?)))
        }
        _ => Err(at.inconsistency("concerns", "says something else than event_projects")),
    }
}

fn snapshot(
    at: &Row<i64>,
    column: &'static str,
    value: Option<Value>,
) -> Result<Option<Snapshot>, Inconsistency> {
    let Some(value) = value else { return Ok(None) };
    Snapshot::from_record(value).map(Some).ok_or_else(|| at.inconsistency(column, "must be a JSON object"))
}

/// How a row says which projects an event concerns.
fn concerns_of(projects: Option<&ProjectScope>) -> &'static str {
    match projects {
        None => NOTHING,
        Some(ProjectScope::All) => ALL,
        Some(ProjectScope::Only(_)) => SOME,
    }
}

/// A new row of `events`.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct NewEventRow<'a> {
    kind: &'static str,
    actor_name: &'a str,
    actor_user_id: i64,
    address: Option<String>,
    user_agent: Option<&'a str>,
    at: DateTime<Utc>,
    concerns: &'static str,
    environment: Option<&'a str>,
    before: Option<Value>,
    after: Option<Value>,
}

impl<'a> From<&'a NewEvent> for NewEventRow<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            kind: event.kind.as_str(),
            actor_name: event.actor.name(),
            actor_user_id: event.actor.user_id(),
            address: event.origin.address.map(|address| address.to_string()),
            user_agent: event.origin.user_agent.as_deref(),
            at: event.at.to_datetime(),
            concerns: concerns_of(event.projects.as_ref()),
            environment: event.environment.as_ref().map(EnvironmentName::as_str),
            before: event.before.as_ref().map(Snapshot::to_json),
            after: event.after.as_ref().map(Snapshot::to_json),
        }
    }
}
