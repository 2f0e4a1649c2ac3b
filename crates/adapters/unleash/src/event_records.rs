//! Rows of events, and how many there are. They may hold anything, so they have no `Debug`.

use latchkey_domain::EventKind;
use tokio_postgres::{Error, Row};

use crate::{
    layout::{Layout, millis},
    records::Record,
};

/// A row of `events` of a kind that there is here.
pub(crate) struct EventRecord {
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) created: Option<i64>,
    pub(crate) created_by: Option<String>,
    pub(crate) created_by_number: Option<i32>,
    /// Several are joined by commas; `*` for all.
    pub(crate) project: Option<String>,
    pub(crate) environment: Option<String>,
    /// JSON.
    pub(crate) data: Option<String>,
    /// JSON.
    pub(crate) pre_data: Option<String>,
}

impl Record for EventRecord {
    fn select(layout: &Layout) -> Option<String> {
        let text = |column: &str| layout.or(("events", column), &format!("{column}::text"), "NULL::text");
        let number = layout.or(("events", "created_by_user_id"), "created_by_user_id", "NULL::integer");
        let columns = ["project", "environment", "data", "pre_data"].map(text).join(", ");
        has_events(layout).then(|| {
            format!(
                "SELECT id::bigint, type::text, {}, created_by::text, {number}, {columns} FROM events WHERE type IN ({}) \
                 ORDER BY id",
                millis("created_at"),
                kinds()
            )
        })
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.try_get(0)?,
            kind: row.try_get(1)?,
            created: row.try_get(2)?,
            created_by: row.try_get(3)?,
            created_by_number: row.try_get(4)?,
            project: row.try_get(5)?,
            environment: row.try_get(6)?,
            data: row.try_get(7)?,
            pre_data: row.try_get(8)?,
        })
    }
}

/// The number of all [`EventRecord`]s.
pub(crate) struct EventCount(pub(crate) u64);

impl Record for EventCount {
    fn select(layout: &Layout) -> Option<String> {
        has_events(layout).then(|| format!("SELECT count(*) FROM events WHERE type IN ({})", kinds()))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.try_get::<_, i64>(0)?.unsigned_abs()))
    }
}

/// A kind of events that there is not here, and how many there are.
pub(crate) struct OtherEvents {
    pub(crate) kind: String,
    pub(crate) count: i64,
}

impl Record for OtherEvents {
    fn select(layout: &Layout) -> Option<String> {
        let select = "SELECT type::text, count(*) FROM events WHERE type NOT IN";
        has_events(layout).then(|| format!("{select} ({}) GROUP BY type ORDER BY type", kinds()))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self { kind: row.try_get(0)?, count: row.try_get(1)? })
    }
}

fn has_events(layout: &Layout) -> bool {
    ["id", "type", "created_at", "created_by"].iter().all(|column| layout.has("events", column))
}

/// The kinds that there are here, as a list of SQL.
fn kinds() -> String {
    EventKind::ALL.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ")
}
