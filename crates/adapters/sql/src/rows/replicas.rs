//! Replicas, as they report themselves.

use std::time::Duration;

use diesel::{Insertable, Queryable, Selectable};
use latchkey_ports::{Inconsistency, Replica, ReplicaId};

use super::Row;
use crate::{
    columns::{DbId, DbTime},
    schema::replicas,
};

/// A row of `replicas`, read or new.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = replicas, treat_none_as_default_value = false)]
pub struct ReplicaRow {
    pub id: DbId,
    pub host: String,
    pub address: String,
    pub version: String,
    pub started_at: DbTime,
    pub seen_at: DbTime,
    pub feed_age_ms: Option<i64>,
}

impl From<&Replica> for ReplicaRow {
    fn from(replica: &Replica) -> Self {
        let millis = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Self {
            id: DbId(replica.id.0),
            host: replica.host.clone(),
            address: replica.address.clone(),
            version: replica.version.clone(),
            started_at: replica.started_at.into(),
            seen_at: replica.seen_at.into(),
            feed_age_ms: replica.feed_age.map(millis),
        }
    }
}

impl TryFrom<ReplicaRow> for Replica {
    type Error = Inconsistency;

    fn try_from(row: ReplicaRow) -> Result<Self, Inconsistency> {
        let id = ReplicaId(row.id.0);
        let at = Row { table: "replicas", key: id };
        let feed_age = row.feed_age_ms.map(|millis| at.count("feed_age_ms", millis)).transpose()?;
        Ok(Self {
            id,
            host: row.host,
            address: row.address,
            version: row.version,
            started_at: at.time("started_at", row.started_at)?,
            seen_at: at.time("seen_at", row.seen_at)?,
            feed_age: feed_age.map(Duration::from_millis),
        })
    }
}
