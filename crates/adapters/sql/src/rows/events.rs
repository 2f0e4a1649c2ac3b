//! The audit trail.

use std::net::IpAddr;

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, dsl::auto_type};
use latchkey_domain::{
    Actor, EnvironmentName, Event, EventId, EventKind, NewEvent, Origin, ProjectId, ProjectScope, ProjectSet,
    Snapshot, Subject,
};
use latchkey_ports::{Change, Inconsistency};

use serde_json::{Map, Value};

use super::Row;
use crate::{
    columns::{DbInt, DbJson, DbTime, NewJson, Parsed, ParsedList},
    expressions::ListOf,
    schema::{event_projects, events},
};

/// The event concerns no project.
const NOTHING: &str = "nothing";
/// The event concerns all projects.
const ALL: &str = "all";
/// The event concerns the projects that `event_projects` lists for it.
const SOME: &str = "some";

/// A row of `events`, with the projects that the event names.
#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRow {
    id: i64,
    kind: Parsed<EventKind>,
    actor_name: String,
    actor_user_id: i64,
    address: Option<Parsed<IpAddr>>,
    user_agent: Option<String>,
    at: DbTime,
    concerns: String,
    environment: Option<Parsed<EnvironmentName>>,
    subject: Option<Parsed<Subject>>,
    before: Option<DbJson>,
    after: Option<DbJson>,
    #[diesel(
        select_expression = ListOf(projects_of_event()),
        select_expression_type = ListOf<projects_of_event>
    )]
    projects: ParsedList<ProjectId>,
}

/// The projects that an event names, in order.
#[auto_type]
fn projects_of_event() -> _ {
    event_projects::table
        .filter(event_projects::event_id.eq(events::id))
        .order(event_projects::position)
        .select(event_projects::project_id)
}

impl TryFrom<EventRow> for Event {
    type Error = Inconsistency;

    fn try_from(row: EventRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "events", key: row.id };
        let record = NewEvent {
            kind: at.parsed("kind", row.kind)?,
            origin: Origin { address: at.optional("address", row.address)?, user_agent: row.user_agent },
            actor: Actor::from_record(row.actor_name, row.actor_user_id),
            at: at.time("at", row.at)?,
            projects: concerned(&at, &row.concerns, row.projects.0)?,
            environment: at.optional("environment", row.environment)?,
            subject: at.optional("subject", row.subject)?,
            before: snapshot(&at, "before", row.before)?,
            after: snapshot(&at, "after", row.after)?,
        };
        Ok(Self { id: EventId(row.id), record })
    }
}

/// The columns of `events` that followers of the feed read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct ChangeRow {
    pub id: i64,
    pub kind: Parsed<EventKind>,
    pub subject: Option<Parsed<Subject>>,
}

impl TryFrom<ChangeRow> for Change {
    type Error = Inconsistency;

    fn try_from(row: ChangeRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "events", key: row.id };
        let (kind, subject) = (at.parsed("kind", row.kind)?, at.optional("subject", row.subject)?);
        Ok(Self { id: EventId(row.id), kind, subject })
    }
}

fn concerned(
    at: &Row<i64>,
    concerns: &str,
    named: Vec<Parsed<ProjectId>>,
) -> Result<Option<ProjectScope>, Inconsistency> {
    match (concerns, named.is_empty()) {
        (NOTHING, true) => Ok(None),
        (ALL, true) => Ok(Some(ProjectScope::All)),
        (SOME, _) => {
            let set = ProjectSet::new(at.list("concerns", named)?);
            Ok(Some(ProjectScope::Only(at.column("concerns", set)?)))
        }
        _ => Err(at.inconsistency("concerns", "does not agree with event_projects")),
    }
}

fn snapshot(
    at: &Row<i64>,
    column: &'static str,
    json: Option<DbJson>,
) -> Result<Option<Snapshot>, Inconsistency> {
    let Some(DbJson(value)) = json else { return Ok(None) };
    let snapshot = Snapshot::from_record(at.column(column, value)?);
    at.column(column, snapshot.ok_or("must be a JSON object")).map(Some)
}

/// What is written of a snapshot, without a copy.
pub type NewSnapshot<'a> = NewJson<&'a Map<String, Value>>;

/// A new row of `events`.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct NewEventRow<'a> {
    pub kind: &'static str,
    pub actor_name: &'a str,
    pub actor_user_id: i64,
    pub address: Option<String>,
    pub user_agent: Option<&'a str>,
    pub at: DbTime,
    pub concerns: &'static str,
    pub environment: Option<&'a str>,
    pub subject: Option<String>,
    pub before: Option<NewSnapshot<'a>>,
    pub after: Option<NewSnapshot<'a>>,
}

impl<'a> From<&'a NewEvent> for NewEventRow<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            kind: event.kind.as_str(),
            actor_name: event.actor.name(),
            actor_user_id: event.actor.user_id(),
            address: event.origin.address.map(|address| address.to_string()),
            user_agent: event.origin.user_agent.as_deref(),
            at: event.at.into(),
            concerns: match event.projects {
                None => NOTHING,
                Some(ProjectScope::All) => ALL,
                Some(ProjectScope::Only(_)) => SOME,
            },
            environment: event.environment.as_ref().map(EnvironmentName::as_str),
            subject: event.subject.map(|subject| subject.to_string()),
            before: event.before.as_ref().map(|snapshot| NewJson(snapshot.members())),
            after: event.after.as_ref().map(|snapshot| NewJson(snapshot.members())),
        }
    }
}

/// A new row of `event_projects`.
#[derive(Insertable)]
#[diesel(table_name = event_projects)]
pub struct NewEventProjectRow<'a> {
    pub event_id: i64,
    pub project_id: &'a str,
    pub position: DbInt,
}

/// Returns the rows of the projects that events name. Each id belongs to the event in the same place.
#[must_use]
pub fn event_projects<'a>(ids: &[i64], events: &[&'a NewEvent]) -> Vec<NewEventProjectRow<'a>> {
    let rows_of = |(id, event): (&i64, &&'a NewEvent)| {
        let (event_id, named) = (*id, event.projects.as_ref().map_or(&[][..], ProjectScope::named));
        let row = move |(position, project): (i64, &'a ProjectId)| NewEventProjectRow {
            event_id,
            project_id: project.as_str(),
            position: DbInt(position),
        };
        (0..).zip(named).map(row)
    };
    ids.iter().zip(events).flat_map(rows_of).collect()
}
