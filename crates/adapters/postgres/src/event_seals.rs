//! Seals of events, and the retention of events by whole seals.

use diesel::{QueryDsl, QueryableByName, dsl::max, insert_into, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use latchkey_domain::Timestamp;
use latchkey_ports::{EventSeal, StoreError};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::store_error,
    rows::NewEventSealRow,
    schema::event_seals,
};

use crate::{connection::FixedText, store::PostgresStore};

/// Deletes the oldest seals without an event at or after a time, but the last of them, and returns its last event; 0 if there is none.
const FORGET_SEALS: &str = "\
    WITH anchor AS (\
        SELECT coalesce(max(last_event), 0) AS last FROM event_seals WHERE last_event < coalesce(\
            (SELECT min(last_event) FROM event_seals WHERE newest_at >= $1), 9223372036854775807)), \
    gone AS (DELETE FROM event_seals USING anchor WHERE event_seals.last_event < anchor.last) \
    SELECT last FROM anchor";

/// Deletes a batch of the oldest events up to a number, and of the imported ones before a time, few enough for any statement timeout.
/// The newest one of this store, whose id is above 0, stays. Rows that another process is deleting are skipped.
const FORGET: &str = "\
    WITH old AS (\
        SELECT id FROM events WHERE (id BETWEEN 1 AND $2 OR id <= 0 AND at < $1) \
        AND id < greatest((SELECT max(id) FROM events), 0) \
        ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED) \
    DELETE FROM events USING old WHERE events.id = old.id";

/// The types that stand for the statements.
struct ForgetSeals;
struct Forget;

#[derive(QueryableByName)]
struct Anchor {
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// Adds a seal if it goes on from the newest one. Of two processes that do so at once, one finds the other's.
pub(crate) async fn add_seal(store: &PostgresStore, seal: &EventSeal) -> Result<bool, StoreError> {
    let mut connection = store.connection().await?;
    let newest: Option<i64> = event_seals::table
        .select(max(event_seals::last_event))
        .get_result(&mut connection)
        .await
        .map_err(store_error)?;
    if seal.previous.0 != newest.unwrap_or(0) {
        return Ok(false);
    }
    let added = insert_into(event_seals::table)
        .values(NewEventSealRow::from(seal))
        .on_conflict_do_nothing()
        .execute(&mut connection)
        .await
        .map_err(store_error)?;
    Ok(added > 0)
}

/// Deletes what a retention that ends at that moment does not keep, and returns the number of events.
pub(crate) async fn forget_events(store: &PostgresStore, before: Timestamp) -> Result<u64, StoreError> {
    let mut connection = store.connection().await?;
    let before = DbTime::from(before);
    let seals = FixedText::<ForgetSeals, _>::new(sql_query(FORGET_SEALS).bind::<UtcTime, _>(before));
    let Anchor { last } = seals.get_result(&mut connection).await.map_err(store_error)?;
    drop(connection);
    let events = || {
        let events = sql_query(FORGET).bind::<UtcTime, _>(before).bind::<BigInt, _>(last);
        FixedText::<Forget, _>::new(events)
    };
    store.forget(events).await
}
