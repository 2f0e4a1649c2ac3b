//! The replicas: one, as no other process reaches the store.

use async_trait::async_trait;
use latchkey_domain::Timestamp;
use latchkey_ports::{Replica, ReplicaId, ReplicaRepository, StoreError};

use crate::MemoryStore;

/// Whether the report of a replica counts at this time.
fn counts(replica: &Replica, now: Timestamp) -> bool {
    let (first, last) = Replica::counted_around(now);
    (first..=last).contains(&replica.seen_at)
}

#[async_trait]
impl ReplicaRepository for MemoryStore {
    async fn report_replica(&self, replica: &Replica) -> Result<(), StoreError> {
        let replicas = &mut self.state().replicas;
        replicas.retain(|_, other| counts(other, replica.seen_at));
        replicas.insert(replica.id, replica.clone());
        Ok(())
    }

    async fn replicas(&self, now: Timestamp) -> Result<Vec<Replica>, StoreError> {
        let state = self.state();
        let mut counted: Vec<_> =
            state.replicas.values().filter(|replica| counts(replica, now)).cloned().collect();
        counted.sort_by_key(|replica| (replica.started_at, replica.id));
        Ok(counted)
    }

    async fn forget_replica(&self, id: ReplicaId) -> Result<(), StoreError> {
        self.state().replicas.remove(&id);
        Ok(())
    }
}
