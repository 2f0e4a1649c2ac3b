//! The port of the audit trail, and the functions with which the other ports write it.

use async_trait::async_trait;
use diesel::{QueryDsl, dsl::max, insert_into, sql_query};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Event, EventId, NewEvent, Timestamp};
use latchkey_ports::{EventPage, EventQuery, EventRepository, StoreError};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, store_error},
    queries,
    rows::{self, EventRow, NewEventRow},
    schema::{event_projects, events},
};
use tracing::instrument;

use crate::{
    connection::Connection,
    event_lists::{event_count, event_page, matching_events},
    locks::EventLogLock,
    store::PostgresStore,
};

/// Deletes a batch of the oldest events, few enough for any statement timeout. Rows that another process is deleting are
/// skipped.
const FORGET: &str = "\
    WITH old AS (\
        SELECT id FROM events WHERE at < $1 AND id < (SELECT max(id) FROM events) \
        ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED) \
    DELETE FROM events USING old WHERE events.id = old.id";

/// A statement has at most 65 535 binds: 12 for an event, 3 for a project that it names.
const EVENTS_AT_ONCE: usize = 1_000;
const LINKS_AT_ONCE: usize = 10_000;

#[async_trait]
impl EventRepository for PostgresStore {
    #[instrument(level = "debug", skip_all)]
    async fn latest_event(&self) -> Result<EventId, StoreError> {
        // A shared connection, so that it does not wait behind writers: cache entries are trusted until this is known.
        let reader = self.reader().await?;
        let mut connection = &**reader;
        let newest: Option<i64> =
            events::table.select(max(events::id)).first(&mut connection).await.map_err(store_error)?;
        Ok(EventId(newest.unwrap_or(0)))
    }

    async fn event_announced(&self) {
        self.event_listener.next().await;
    }

    fn announces_events(&self) -> bool {
        self.event_listener.is_listening()
    }

    #[instrument(level = "debug", skip_all, fields(after = after.0, limit))]
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.load_all::<EventRow, _>(queries::events_after(after.0, limit.into())).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError> {
        let mut connection = self.connection().await?;
        let total: i64 =
            event_count(matching_events(query)).get_result(&mut connection).await.map_err(store_error)?;
        let rows: Vec<EventRow> = event_page(matching_events(query), query.page)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(EventPage { events: rows::all(rows)?, total: u64::try_from(total).unwrap_or(0) })
    }

    #[instrument(level = "debug", skip_all)]
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let mut forgotten = 0;
        loop {
            let statement = sql_query(FORGET).bind::<UtcTime, _>(DbTime::from(before));
            let deleted = statement.execute(&mut connection).await.map_err(store_error)?;
            if deleted == 0 {
                return Ok(forgotten);
            }
            forgotten += u64::try_from(deleted).unwrap_or(0);
        }
    }
}

/// Records an event, as the last step in the transaction of the change that it describes.
pub(crate) async fn record(
    connection: &mut Connection,
    _writing: &EventLogLock,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let id: i64 = insert_into(events::table)
        .values(NewEventRow::from(event))
        .returning(events::id)
        .get_result(connection)
        .await?;
    link(connection, &[id], &[event]).await?;
    Ok(EventId(id))
}

/// Records many events, numbered in their order.
pub(crate) async fn record_all(
    connection: &mut Connection,
    _writing: &EventLogLock,
    all: &[&NewEvent],
) -> Result<(), DbError> {
    for some in all.chunks(EVENTS_AT_ONCE) {
        let rows: Vec<_> = some.iter().map(|event| NewEventRow::from(*event)).collect();
        let ids: Vec<i64> =
            insert_into(events::table).values(rows).returning(events::id).get_results(connection).await?;
        link(connection, &ids, some).await?;
    }
    Ok(())
}

/// Records the projects that events name. Each id belongs to the event in the same place.
async fn link(connection: &mut Connection, ids: &[i64], all: &[&NewEvent]) -> Result<(), DbError> {
    for some in rows::event_projects(ids, all).chunks(LINKS_AT_ONCE) {
        insert_into(event_projects::table).values(some).execute(connection).await?;
    }
    Ok(())
}
