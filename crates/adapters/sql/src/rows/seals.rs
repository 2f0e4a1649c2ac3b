//! Seals of events.

use diesel::{Insertable, Queryable, Selectable};
use latchkey_domain::{ChainHash, EventId};
use latchkey_ports::{EventSeal, Inconsistency, KeyId};

use super::Row;
use crate::{
    columns::{Bytes, DbTime},
    schema::event_seals,
};

/// A row of `event_seals`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = event_seals)]
pub struct EventSealRow {
    last_event: i64,
    previous: i64,
    events: i64,
    newest_at: DbTime,
    hash: Bytes<32>,
    mac_key: Bytes<4>,
    mac: Bytes<32>,
}

impl TryFrom<EventSealRow> for EventSeal {
    type Error = Inconsistency;

    fn try_from(row: EventSealRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "event_seals", key: row.last_event };
        Ok(Self {
            last: EventId(row.last_event),
            previous: EventId(row.previous),
            events: at.count("events", row.events)?,
            newest_at: at.time("newest_at", row.newest_at)?,
            hash: ChainHash(at.bytes("hash", row.hash)?),
            key: KeyId(at.bytes("mac_key", row.mac_key)?),
            mac: at.bytes("mac", row.mac)?,
        })
    }
}

/// A new row of `event_seals`.
#[derive(Insertable)]
#[diesel(table_name = event_seals)]
pub struct NewEventSealRow<'a> {
    last_event: i64,
    previous: i64,
    events: i64,
    newest_at: DbTime,
    hash: &'a [u8],
    mac_key: &'a [u8],
    mac: &'a [u8],
}

impl<'a> From<&'a EventSeal> for NewEventSealRow<'a> {
    fn from(seal: &'a EventSeal) -> Self {
        Self {
            last_event: seal.last.0,
            previous: seal.previous.0,
            events: i64::try_from(seal.events).unwrap_or(i64::MAX),
            newest_at: seal.newest_at.into(),
            hash: &seal.hash.0,
            mac_key: &seal.key.0,
            mac: &seal.mac,
        }
    }
}
