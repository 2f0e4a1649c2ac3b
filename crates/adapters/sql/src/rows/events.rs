//! The audit trail.

use std::net::IpAddr;

use diesel::{Insertable, Queryable, Selectable};
use latchkey_domain::{
    Actor, EnvironmentName, Event, EventId, EventKind, NewEvent, Origin, ProjectId, ProjectScope, ProjectSet,
    Snapshot, Subject,
};
use latchkey_ports::Inconsistency;
use serde_json::Value;

use super::Row;
use crate::{
    columns::{DbJson, DbTime, NewJson, Parsed},
    schema::events,
};

/// The event concerns no project.
const NOTHING: &str = "nothing";
/// The event concerns all projects.
const ALL: &str = "all";
/// The event concerns the projects that `event_projects` lists for it.
const SOME: &str = "some";

/// A row of `events`, or of a view of it.
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
    before: Option<DbJson<Value>>,
    after: Option<DbJson<Value>>,
}

/// The columns of an [`EventRow`] in a table or view.
#[macro_export]
macro_rules! event_columns {
    ($table:ident) => {
        (
            $table::id,
            $table::kind,
            $table::actor_name,
            $table::actor_user_id,
            $table::address,
            $table::user_agent,
            $table::at,
            $table::concerns,
            $table::environment,
            $table::subject,
            $table::before,
            $table::after,
        )
    };
}

impl EventRow {
    /// The event's number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Converts the row with the projects that it names, in order.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_event(self, named: Vec<Parsed<ProjectId>>) -> Result<Event, Inconsistency> {
        let at = Row { table: "events", key: self.id };
        let record = NewEvent {
            kind: at.parsed("kind", self.kind)?,
            origin: Origin { address: at.optional("address", self.address)?, user_agent: self.user_agent },
            actor: Actor::from_record(self.actor_name, self.actor_user_id),
            at: at.time("at", self.at)?,
            projects: concerned(&at, &self.concerns, named)?,
            environment: at.optional("environment", self.environment)?,
            subject: at.optional("subject", self.subject)?,
            before: snapshot(&at, "before", self.before)?,
            after: snapshot(&at, "after", self.after)?,
        };
        Ok(Event { id: EventId(self.id), record })
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
    json: Option<DbJson<Value>>,
) -> Result<Option<Snapshot>, Inconsistency> {
    let Some(DbJson(value)) = json else { return Ok(None) };
    let snapshot = Snapshot::from_record(at.column(column, value)?);
    at.column(column, snapshot.ok_or("must be a JSON object")).map(Some)
}

/// A new row of `events`.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct NewEventRow<'a> {
    kind: &'static str,
    actor_name: &'a str,
    actor_user_id: i64,
    address: Option<String>,
    user_agent: Option<&'a str>,
    at: DbTime,
    concerns: &'static str,
    environment: Option<&'a str>,
    subject: Option<String>,
    before: Option<NewJson>,
    after: Option<NewJson>,
}

impl<'a> From<&'a NewEvent> for NewEventRow<'a> {
    fn from(event: &'a NewEvent) -> Self {
        let json = |snapshot: &Snapshot| NewJson(snapshot.to_json());
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
            before: event.before.as_ref().map(json),
            after: event.after.as_ref().map(json),
        }
    }
}
