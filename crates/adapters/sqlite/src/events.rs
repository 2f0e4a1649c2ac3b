//! The port of the audit trail, and how the other ports write it.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete, dsl::max,
    insert_into,
};
use latchkey_domain::{Event, EventId, NewEvent, ProjectId, ProjectScope, Timestamp};
use latchkey_ports::{EventPage, EventQuery, EventRepository, Inconsistency, StoreError};
use latchkey_sql::{
    columns::{DbInt, DbTime, Parsed},
    errors::DbError,
    rows::{EventRow, NewEventRow},
    schema::{event_projects, events},
};
use tracing::instrument;

use crate::{
    event_lists::{Way, event_count, event_page},
    paging::{MAX_BINDS, row_count},
    store::SqliteStore,
};

/// So few events that whoever else wants to write does not wait long.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

#[async_trait]
impl EventRepository for SqliteStore {
    #[instrument(level = "debug", skip_all)]
    async fn latest_event(&self) -> Result<EventId, StoreError> {
        self.read(|connection| {
            let newest: Option<i64> = events::table.select(max(events::id)).first(connection)?;
            Ok(EventId(newest.unwrap_or(0)))
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(after = after.0, limit))]
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read_snapshot(move |connection| {
            let rows: Vec<EventRow> = events::table
                .filter(events::id.gt(after.0))
                .order(events::id)
                .limit(limit.into())
                .select(EventRow::as_select())
                .load(connection)?;
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
                return Ok(Vec::new());
            };
            let projects = event_projects::table
                .filter(event_projects::event_id.between(first.id(), last.id()))
                .order((event_projects::event_id, event_projects::position))
                .select((event_projects::event_id, event_projects::project_id))
                .load(connection)?;
            Ok(with_projects(rows, projects)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError> {
        let query = query.clone();
        self.read_snapshot(move |connection| {
            let way = Way::to_page(connection, &query)?;
            let total = event_count(connection, &query, way)?;
            let rows: Vec<EventRow> = event_page(&query, way).load(connection)?;
            let projects = projects_of(connection, &rows)?;
            Ok(EventPage { events: with_projects(rows, projects)?, total })
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%before))]
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            // The oldest first, and others that write in between: there is one writer, and a long trail is long to forget.
            let portion = self.write(move |connection| forget(connection, before)).await?;
            forgotten += portion;
            if portion < FORGOTTEN_AT_ONCE.unsigned_abs() {
                return Ok(forgotten);
            }
        }
    }
}

/// Forgets the oldest events of before that moment, but never the newest of all, whose number goes on; says how many.
fn forget(connection: &mut SqliteConnection, before: Timestamp) -> Result<u64, DbError> {
    let newest: Option<i64> = events::table.select(max(events::id)).first(connection)?;
    let old: Vec<i64> = events::table
        .filter(events::at.lt(DbTime::from(before)))
        .filter(events::id.ne(newest.unwrap_or(0)))
        .order(events::at)
        .limit(FORGOTTEN_AT_ONCE)
        .select(events::id)
        .load(connection)?;
    for ids in old.chunks(MAX_BINDS) {
        delete(events::table.filter(events::id.eq_any(ids))).execute(connection)?;
    }
    Ok(row_count(old.len()))
}

/// A row of `event_projects`: event and project.
type EventProjectRow = (i64, Parsed<ProjectId>);

/// Converts events with the projects that they name. Both lists are in the same order of events, the second then by
/// position.
fn with_projects(rows: Vec<EventRow>, projects: Vec<EventProjectRow>) -> Result<Vec<Event>, Inconsistency> {
    let mut projects = projects.into_iter().peekable();
    rows.into_iter()
        .map(|row| {
            let mut named = Vec::new();
            while let Some((_, project)) = projects.next_if(|(event, _)| *event == row.id()) {
                named.push(project);
            }
            row.into_event(named)
        })
        .collect()
}

/// The projects that events name, in the order of the events, which is newest first.
fn projects_of(
    connection: &mut SqliteConnection,
    events: &[EventRow],
) -> Result<Vec<EventProjectRow>, DbError> {
    let mut projects = Vec::new();
    for events in events.chunks(MAX_BINDS) {
        let some: Vec<EventProjectRow> = event_projects::table
            .filter(event_projects::event_id.eq_any(events.iter().map(EventRow::id)))
            .order((event_projects::event_id.desc(), event_projects::position))
            .select((event_projects::event_id, event_projects::project_id))
            .load(connection)?;
        projects.extend(some);
    }
    Ok(projects)
}

/// Records an event, in the transaction of the change that it speaks of.
pub(crate) fn record(connection: &mut SqliteConnection, event: &NewEvent) -> Result<EventId, DbError> {
    let id: i64 = insert_into(events::table)
        .values(NewEventRow::from(event))
        .returning(events::id)
        .get_result(connection)?;
    let named = event.projects.as_ref().map_or(&[][..], ProjectScope::named);
    for (position, project) in (0..).zip(named) {
        insert_into(event_projects::table)
            .values((
                event_projects::project_id.eq(project.as_str()),
                event_projects::event_id.eq(id),
                event_projects::position.eq(DbInt(position)),
            ))
            .execute(connection)?;
    }
    Ok(EventId(id))
}
