//! The port of replicas. One statement each, outside a transaction.

use async_trait::async_trait;
use diesel::{
    QueryDsl, delete, sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use latchkey_domain::Timestamp;
use latchkey_ports::{Replica, ReplicaId, ReplicaRepository, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime, Id, UtcTime},
    replicas::replicas_seen,
    rows::ReplicaRow,
    schema::replicas,
};

use crate::PostgresStore;

/// A row that another process deletes or writes at this moment is skipped, so that no two wait for each other.
const REPORT: &str = "\
    WITH gone AS (SELECT id FROM replicas WHERE id <> $1 AND (seen_at < $8 OR seen_at > $9) FOR UPDATE SKIP LOCKED), \
    deleted AS (DELETE FROM replicas USING gone WHERE replicas.id = gone.id) \
    INSERT INTO replicas (id, host, address, version, started_at, seen_at, feed_age_ms) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (id) DO UPDATE SET host = excluded.host, address = excluded.address, version = excluded.version, \
    started_at = excluded.started_at, seen_at = excluded.seen_at, feed_age_ms = excluded.feed_age_ms";

#[async_trait]
impl ReplicaRepository for PostgresStore {
    async fn report_replica(&self, replica: &Replica) -> Result<(), StoreError> {
        let (first, last) = Replica::counted_around(replica.seen_at);
        let row = ReplicaRow::from(replica);
        let statement = sql_query(REPORT)
            .bind::<Id, _>(row.id)
            .bind::<Text, _>(row.host)
            .bind::<Text, _>(row.address)
            .bind::<Text, _>(row.version)
            .bind::<UtcTime, _>(row.started_at)
            .bind::<UtcTime, _>(row.seen_at)
            .bind::<Nullable<BigInt>, _>(row.feed_age_ms)
            .bind::<UtcTime, _>(DbTime::from(first))
            .bind::<UtcTime, _>(DbTime::from(last));
        self.execute(statement).await.map(drop)
    }

    async fn replicas(&self, now: Timestamp) -> Result<Vec<Replica>, StoreError> {
        let (first, last) = Replica::counted_around(now);
        self.load_all::<ReplicaRow, _>(replicas_seen(first.into(), last.into())).await
    }

    async fn forget_replica(&self, id: ReplicaId) -> Result<(), StoreError> {
        self.execute(delete(replicas::table.find(DbId(id.0)))).await.map(drop)
    }
}
