//! Reading settled events: first how far they are, in the state of one statement, then the events, which all are visible by then.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::EventId;
use latchkey_ports::{SettledEvents, SettledReading, Settlement, Stamp, StoreError};
use latchkey_sql::{errors::store_error, queries};

use crate::{connection::FixedText, store::PostgresStore};

/// The columns that say, of the snapshot `now`, which transactions have ended, and the highest number of an event.
///
/// `ended` is the snapshot's xmin: all transactions with lower ids have ended. `next` cannot be its xmax, which is one above
/// the highest id of those that have *ended*: a transaction that runs can have that id or a higher one. It is the next id
/// that will be given out, which `age` counts from.
macro_rules! transactions {
    () => {
        "pg_snapshot_xmin(now)::text::bigint AS ended, \
         pg_snapshot_xmax(now)::text::bigint + greatest(age(pg_snapshot_xmax(now)::xid), 0) AS next, \
         greatest((SELECT max(id) FROM events), 0) AS newest"
    };
}
pub(crate) use transactions;

const SETTLEMENT: &str = concat!(
    "SELECT ",
    transactions!(),
    ", ARRAY(SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT $2) AS visible FROM pg_current_snapshot() AS now"
);

/// The type that stands for [`SETTLEMENT`].
struct SettlementOfEvents;

#[derive(QueryableByName)]
struct SettlementRow {
    #[diesel(sql_type = BigInt)]
    ended: i64,
    #[diesel(sql_type = BigInt)]
    next: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
    #[diesel(sql_type = Array<BigInt>)]
    visible: Vec<i64>,
}

/// Reads the settled events above a number.
pub(crate) async fn settled_events(
    store: &PostgresStore,
    after: EventId,
    settlement: &Settlement,
    limit: u32,
) -> Result<SettledEvents, StoreError> {
    let after = after.max(EventId(0));
    let statement = FixedText::<SettlementOfEvents, _>::new(
        sql_query(SETTLEMENT)
            .bind::<BigInt, _>(settlement.start(after).0)
            .bind::<BigInt, _>(i64::from(limit)),
    );
    let reader = store.reader().await?;
    let row: SettlementRow = statement.get_result(&mut &**reader).await.map_err(store_error)?;
    let stamp = |number: i64| Stamp(number.unsigned_abs());
    let reading = SettledReading {
        newest: EventId(row.newest),
        visible: row.visible.into_iter().map(EventId).collect(),
        ended: stamp(row.ended),
        next: stamp(row.next),
    };
    let newest = reading.newest;
    let settlement = settlement.advance(after, &reading);
    let last = settlement.settled();
    let events = if last > after {
        store.load_all(queries::events_between(after.0, last.0, limit.into())).await?
    } else {
        Vec::new()
    };
    Ok(SettledEvents { events, newest, settlement })
}
