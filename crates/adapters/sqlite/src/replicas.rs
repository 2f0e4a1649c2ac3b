//! The port of replicas.

use async_trait::async_trait;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, delete, replace_into};
use latchkey_domain::Timestamp;
use latchkey_ports::{Replica, ReplicaId, ReplicaRepository, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime},
    replicas::replicas_seen,
    rows::{self, ReplicaRow},
    schema::replicas,
};

use crate::SqliteStore;

#[async_trait]
impl ReplicaRepository for SqliteStore {
    async fn report_replica(&self, replica: &Replica) -> Result<(), StoreError> {
        let (first, last) = Replica::counted_around(replica.seen_at);
        let row = ReplicaRow::from(replica);
        self.write(move |connection| {
            let is_gone =
                replicas::seen_at.lt(DbTime::from(first)).or(replicas::seen_at.gt(DbTime::from(last)));
            delete(replicas::table.filter(is_gone)).execute(connection)?;
            replace_into(replicas::table).values(row).execute(connection)?;
            Ok(())
        })
        .await
    }

    async fn replicas(&self, now: Timestamp) -> Result<Vec<Replica>, StoreError> {
        let (first, last) = Replica::counted_around(now);
        self.read(move |connection| {
            let found: Vec<ReplicaRow> = replicas_seen(first.into(), last.into()).load(connection)?;
            Ok(rows::all(found)?)
        })
        .await
    }

    async fn forget_replica(&self, id: ReplicaId) -> Result<(), StoreError> {
        self.write(move |connection| {
            delete(replicas::table.find(DbId(id.0))).execute(connection)?;
            Ok(())
        })
        .await
    }
}
