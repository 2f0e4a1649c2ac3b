//! The port of the audit trail, and the functions with which the other ports write it.

use async_trait::async_trait;
use diesel::{
    QueryableByName, insert_into,
    pg::Pg,
    query_builder::QueryFragment,
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, EventKind, NewEvent, ProjectScope, Subject, Timestamp};
use latchkey_ports::{
    Entity, EventPage, EventQuery, EventRepository, EventSeal, FeedPage, FeedPosition, FeedReading,
    SettledEvents, Settlement, Stamp, StoreError,
};
use latchkey_sql::{
    columns::Parsed,
    errors::{DbError, not_found, store_error},
    queries,
    rows::{self, ChangeRow, EventRow, EventSealRow, NewEventRow},
    schema::events,
};

use crate::{
    connection::{Connection, FixedText},
    event_lists::{event_count, event_page, matching_events},
    event_seals,
    insertion::{Insertion, ROWS_AT_ONCE},
    locks::{EventLogHeld, lock_event_log, lock_token, share_event_log},
    settled_events::{settled_events, transactions},
    store::PostgresStore,
};

/// Reads the feed in one snapshot: the state of the transactions, and the events that are asked for; one row without an
/// event if there is none.
///
/// The state is that of [`transactions!`].
///
/// The state is materialized, because the origin costs more than an event and would be read for each.
const FEED: &str = concat!(
    "WITH state AS MATERIALIZED (SELECT ",
    transactions!(),
    ", database_origin() AS origin FROM pg_current_snapshot() AS now) \
    SELECT state.*, change.id, change.kind, change.subject FROM state LEFT JOIN (\
        (SELECT id, kind, subject FROM events WHERE id > $1 ORDER BY id LIMIT $2) \
        UNION ALL \
        SELECT id, kind, subject FROM events WHERE id = ANY ($3)) AS change ON true"
);

/// The type that stands for [`FEED`].
struct Feed;

/// A row of [`FEED`].
#[derive(QueryableByName)]
struct FeedRow {
    #[diesel(sql_type = BigInt)]
    ended: i64,
    #[diesel(sql_type = BigInt)]
    next: i64,
    #[diesel(sql_type = Nullable<Text>)]
    origin: Option<String>,
    #[diesel(sql_type = BigInt)]
    newest: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<Parsed<EventKind>>,
    #[diesel(sql_type = Nullable<Text>)]
    subject: Option<Parsed<Subject>>,
}

fn feed_reading(rows: Vec<FeedRow>) -> Result<FeedReading, StoreError> {
    let stamp = |number: i64| Stamp(number.unsigned_abs());
    let mut reading = FeedReading::default();
    for row in rows {
        reading.newest = EventId(row.newest);
        (reading.ended, reading.next, reading.origin) = (stamp(row.ended), stamp(row.next), row.origin);
        if let (Some(id), Some(kind)) = (row.id, row.kind) {
            reading.changes.push(ChangeRow { id, kind, subject: row.subject }.try_into()?);
        }
    }
    Ok(reading)
}

#[async_trait]
impl EventRepository for PostgresStore {
    async fn changes_since(&self, position: &FeedPosition, limit: u32) -> Result<FeedPage, StoreError> {
        let missing: Vec<i64> = position.missing().map(|id| id.0).collect();
        let statement = FixedText::<Feed, _>::new(
            sql_query(FEED)
                .bind::<BigInt, _>(position.newest().0)
                .bind::<BigInt, _>(i64::from(limit) + 1)
                .bind::<Array<BigInt>, _>(missing),
        );
        // A shared connection, so that it does not wait behind writers: cache entries are trusted until this is known.
        let reader = self.reader().await?;
        let lag = self.replica.lag(&reader).await?;
        let rows: Vec<FeedRow> = statement.load(&mut &**reader).await.map_err(store_error)?;
        let reading = self.replica.completed(feed_reading(rows)?, lag, &reader, position);
        Ok(position.advance(reading, limit))
    }

    async fn heartbeat(&self) -> Result<(), StoreError> {
        self.replica.leave_sign_of_life(&*self.reader().await?).await
    }

    async fn event_announced(&self) {
        self.event_listener.next().await;
    }

    fn announces_events(&self) -> bool {
        self.event_listener.is_listening()
    }

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

    async fn settled_events(
        &self,
        after: EventId,
        settlement: &Settlement,
        limit: u32,
    ) -> Result<SettledEvents, StoreError> {
        settled_events(self, after, settlement, limit).await
    }

    async fn newest_seal(&self) -> Result<Option<EventSeal>, StoreError> {
        self.load_optional::<EventSealRow, _>(queries::newest_seal()).await
    }

    async fn seals_after(&self, last: EventId, limit: u32) -> Result<Vec<EventSeal>, StoreError> {
        self.load_all::<EventSealRow, _>(queries::seals_after(last.0, limit.into())).await
    }

    async fn add_seal(&self, seal: &EventSeal) -> Result<bool, StoreError> {
        event_seals::add_seal(self, seal).await
    }

    async fn record(&self, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| match event.subject {
            Some(Subject::Token(id)) => {
                if !lock_token(connection, id).await? {
                    return Err(not_found(Entity::Token(id)));
                }
                let writing = share_event_log(connection).await?;
                record(connection, &writing, &event).await
            }
            None => {
                let writing = lock_event_log(connection).await?;
                record(connection, &writing, &event).await
            }
        })
        .await
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        event_seals::forget_events(self, before).await
    }
}

/// Records an event, as the last step in the transaction of the change that it describes.
pub(crate) async fn record(
    connection: &mut Connection,
    writing: &impl EventLogHeld,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let number = record_all(connection, writing, &[event]).await?.pop();
    Ok(number.ok_or_else(|| StoreError::Fault("the event has no number".into()))?)
}

/// As [`record`], for many events, which are numbered in their order. Returns their numbers.
pub(crate) async fn record_all(
    connection: &mut Connection,
    _writing: &impl EventLogHeld,
    all: &[&NewEvent],
) -> Result<Vec<EventId>, DbError> {
    let mut numbers = Vec::with_capacity(all.len());
    for some in all.chunks(ROWS_AT_ONCE) {
        let ids: Vec<i64> = recording(some).load(connection).await?;
        numbers.extend(ids.into_iter().map(EventId));
    }
    Ok(numbers)
}

/// Inserts events and the projects that they name, and returns their numbers in their order.
fn recording<'a>(events: &'a [&NewEvent]) -> Insertion<'a, impl QueryFragment<Pg> + Send + 'a, i64, BigInt> {
    let rows: Vec<_> = events.iter().map(|event| NewEventRow::from(*event)).collect();
    let named = |event: &&'a NewEvent| event.projects.as_ref().map_or(&[][..], ProjectScope::named);
    Insertion::new(
        insert_into(events::table).values(rows).returning(events::id),
        "), numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM inserted), \
         listed AS (INSERT INTO event_projects (event_id, project_id, position) \
         SELECT numbered.id, named.project, named.position FROM numbered INNER JOIN ",
        (1..).zip(events.iter().map(named)),
        " ON named.owner = numbered.place) SELECT id FROM inserted ORDER BY id",
    )
}
