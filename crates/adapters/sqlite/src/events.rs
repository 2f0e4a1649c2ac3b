//! The port of the audit trail, and the function with which the other ports write it.

use async_trait::async_trait;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, insert_into, select};
use latchkey_domain::{Event, EventId, NewEvent, Subject, Timestamp};
use latchkey_ports::{
    Entity, EventPage, EventQuery, EventRepository, EventSeal, FeedPage, FeedPosition, FeedReading,
    SettledEvents, Settlement, StoreError,
};
use latchkey_sql::{
    columns::DbId,
    errors::{DbError, not_found},
    queries,
    rows::{self, ChangeRow, EventRow, NewEventRow},
    schema::{api_tokens, event_projects, events},
};

use crate::{
    event_lists::{AccessPath, event_count, event_page, newest_event},
    event_seals,
    store::SqliteStore,
};

#[async_trait]
impl EventRepository for SqliteStore {
    async fn changes_since(&self, position: &FeedPosition, limit: u32) -> Result<FeedPage, StoreError> {
        let position = position.clone();
        self.read_snapshot(move |connection| {
            let newest = newest_event(connection)?;
            let rows: Vec<ChangeRow> =
                queries::changes_after(position.newest().0, i64::from(limit) + 1).load(connection)?;
            // One transaction writes at a time: no number is missing below a visible one.
            let changes = rows::all(rows)?;
            Ok(position.advance(FeedReading { newest, changes, ..FeedReading::default() }, limit))
        })
        .await
    }

    async fn events(&self, query: &EventQuery) -> Result<EventPage, StoreError> {
        let query = query.clone();
        self.read_snapshot(move |connection| {
            let path = AccessPath::to_page(connection, &query)?;
            let total = event_count(connection, &query, path)?;
            let rows: Vec<EventRow> = event_page(&query, path).load(connection)?;
            Ok(EventPage { events: rows::all(rows)?, total })
        })
        .await
    }

    async fn settled_events(
        &self,
        after: EventId,
        _: &Settlement,
        limit: u32,
    ) -> Result<SettledEvents, StoreError> {
        self.read_snapshot(move |connection| {
            let newest = newest_event(connection)?;
            let settled = queries::events_between(after.0.max(0), newest.0, limit.into());
            let rows: Vec<EventRow> = settled.load(connection)?;
            // One transaction writes at a time: what is visible is settled.
            Ok(SettledEvents { events: rows::all(rows)?, newest, settlement: Settlement::up_to(newest) })
        })
        .await
    }

    async fn newest_seal(&self) -> Result<Option<EventSeal>, StoreError> {
        self.read(event_seals::newest_seal).await
    }

    async fn seals_after(&self, last: EventId, limit: u32) -> Result<Vec<EventSeal>, StoreError> {
        self.read(move |connection| event_seals::seals_after(connection, last, limit)).await
    }

    async fn add_seal(&self, seal: &EventSeal) -> Result<bool, StoreError> {
        let seal = seal.clone();
        self.write(move |connection| event_seals::add_seal(connection, &seal)).await
    }

    async fn record(&self, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if let Some(Subject::Token(id)) = event.subject
                && !select(exists(api_tokens::table.find(DbId::from(id)))).get_result(connection)?
            {
                return Err(not_found(Entity::Token(id)));
            }
            record(connection, &event)
        })
        .await
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let anchor = self.write(move |connection| event_seals::forget_seals(connection, before)).await?;
        self.forget(move |connection| event_seals::forget_some(connection, anchor, before)).await
    }
}

/// Records an event in the transaction of the change that it describes.
pub(crate) fn record(connection: &mut SqliteConnection, event: &NewEvent) -> Result<EventId, DbError> {
    let id: i64 = insert_into(events::table)
        .values(NewEventRow::from(event))
        .returning(events::id)
        .get_result(connection)?;
    list_under_projects(connection, id, event)?;
    Ok(EventId(id))
}

/// Inserts an event of another system, unless its id is there. AUTOINCREMENT goes on from the highest id ever, so one below
/// zero changes no other.
pub(crate) fn insert_imported(connection: &mut SqliteConnection, event: &Event) -> Result<(), DbError> {
    let Event { id: EventId(id), record } = event;
    let inserted = insert_into(events::table)
        .values((events::id.eq(id), NewEventRow::from(record)))
        .on_conflict(events::id)
        .do_nothing()
        .execute(connection)?;
    if inserted > 0 { list_under_projects(connection, *id, record) } else { Ok(()) }
}

fn list_under_projects(connection: &mut SqliteConnection, id: i64, event: &NewEvent) -> Result<(), DbError> {
    for row in rows::event_projects(&[id], &[event]) {
        insert_into(event_projects::table).values(row).execute(connection)?;
    }
    Ok(())
}
