//! Seals of events, and the retention of events by whole seals.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection,
    delete,
    dsl::{max, min},
    insert_into,
};
use latchkey_domain::{EventId, Timestamp};
use latchkey_ports::EventSeal;
use latchkey_sql::{
    columns::DbTime,
    errors::DbError,
    queries,
    rows::{self, EventSealRow, NewEventSealRow},
    schema::{event_seals, events},
};

use crate::{event_lists::newest_event, paging::MAX_BINDS};

/// How many events one transaction deletes: few enough not to block other writers for long.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

pub(crate) fn newest_seal(connection: &mut SqliteConnection) -> Result<Option<EventSeal>, DbError> {
    let row: Option<EventSealRow> = queries::newest_seal().get_result(connection).optional()?;
    Ok(rows::optional(row)?)
}

pub(crate) fn seals_after(
    connection: &mut SqliteConnection,
    last: EventId,
    limit: u32,
) -> Result<Vec<EventSeal>, DbError> {
    let rows: Vec<EventSealRow> = queries::seals_after(last.0, limit.into()).load(connection)?;
    Ok(rows::all(rows)?)
}

/// Adds a seal if it goes on from the newest one.
pub(crate) fn add_seal(connection: &mut SqliteConnection, seal: &EventSeal) -> Result<bool, DbError> {
    let newest: Option<i64> = event_seals::table.select(max(event_seals::last_event)).first(connection)?;
    let goes_on = seal.previous.0 == newest.unwrap_or(0);
    if goes_on {
        insert_into(event_seals::table).values(NewEventSealRow::from(seal)).execute(connection)?;
    }
    Ok(goes_on)
}

/// Deletes the oldest seals without an event at or after a time, but the last of them, and returns its last event; 0 if there is none.
pub(crate) fn forget_seals(connection: &mut SqliteConnection, before: Timestamp) -> Result<EventId, DbError> {
    let kept: Option<i64> = event_seals::table
        .filter(event_seals::newest_at.ge(DbTime::from(before)))
        .select(min(event_seals::last_event))
        .first(connection)?;
    let anchor: Option<i64> = event_seals::table
        .filter(event_seals::last_event.lt(kept.unwrap_or(i64::MAX)))
        .select(max(event_seals::last_event))
        .first(connection)?;
    let anchor = anchor.unwrap_or(0);
    delete(event_seals::table.filter(event_seals::last_event.lt(anchor))).execute(connection)?;
    Ok(EventId(anchor))
}

/// Deletes some of the oldest events up to a number, and of the imported ones before a time, and returns their number. The newest event
/// of this store always stays: its id is needed.
pub(crate) fn forget_some(
    connection: &mut SqliteConnection,
    EventId(anchor): EventId,
    before: Timestamp,
) -> Result<usize, DbError> {
    let newest = newest_event(connection)?;
    let sealed = events::id.gt(0).and(events::id.le(anchor));
    let imported = events::id.le(0).and(events::at.lt(DbTime::from(before)));
    let old: Vec<i64> = events::table
        .filter(sealed.or(imported))
        .filter(events::id.ne(newest.0))
        .order(events::id)
        .limit(FORGOTTEN_AT_ONCE)
        .select(events::id)
        .load(connection)?;
    for ids in old.chunks(MAX_BINDS) {
        delete(events::table.filter(events::id.eq_any(ids))).execute(connection)?;
    }
    Ok(old.len())
}
