//! The replicas: the processes that serve one store. Each reports itself there, so that each can list all.
//!
//! A server calls [`Replicas::join`] when it starts, [`Replicas::report`] at intervals, and [`Replicas::leave`] when it stops. A process
//! that ends otherwise is left out [`Replica::GONE_AFTER`] its last report.

use std::sync::{Arc, OnceLock};

use latchkey_ports::{Clock, Entropy, EntropyExt as _, Replica, ReplicaId, ReplicaRepository, StoreError};

use crate::{Dependencies, InstancePermit, PrincipalIndex, ReadInstance, ServiceError};

/// What a server says of itself when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplica {
    /// The name of its machine.
    pub host: String,
    /// Where it listens.
    pub address: String,
    /// The version of its program.
    pub version: String,
}

/// The use cases of this module.
pub struct Replicas {
    store: Arc<dyn ReplicaRepository>,
    /// Where this process reports itself; `None` if it can write nowhere.
    writable: Option<Arc<dyn ReplicaRepository>>,
    index: Arc<PrincipalIndex>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// This process as it was at its start; empty for one that does not serve.
    own: OnceLock<Replica>,
}

impl Replicas {
    /// Returns the use cases over these dependencies.
    pub(crate) fn over(dependencies: &Dependencies, index: Arc<PrincipalIndex>) -> Self {
        let Dependencies { store, writable, clock, entropy, .. } = dependencies;
        Self {
            store: store.clone(),
            writable: writable.clone().map(|store| -> Arc<dyn ReplicaRepository> { store }),
            index,
            clock: clock.clone(),
            entropy: entropy.clone(),
            own: OnceLock::new(),
        }
    }

    /// Makes this process a replica, under a new id. It is listed from its first report on. Further calls change nothing.
    pub fn join(&self, NewReplica { host, address, version }: NewReplica) {
        self.own.get_or_init(|| {
            let (id, now) = (ReplicaId(self.entropy.uuid()), self.clock.now());
            Replica { id, host, address, version, started_at: now, seen_at: now, feed_age: None }
        });
    }

    /// Returns the id of this process, if it is a replica.
    pub fn this(&self) -> Option<ReplicaId> {
        self.own.get().map(|own| own.id)
    }

    /// Reports that this process is there, and how far it has read the feed. One that is no replica, or can write to no store, reports
    /// nothing.
    pub async fn report(&self) -> Result<(), StoreError> {
        let (Some(own), Some(store)) = (self.own.get(), &self.writable) else { return Ok(()) };
        let (seen_at, feed_age) = (self.clock.now(), self.index.feed_age());
        store.report_replica(&Replica { seen_at, feed_age, ..own.clone() }).await
    }

    /// Reports that this process goes; to be called after the last report.
    pub async fn leave(&self) -> Result<(), StoreError> {
        match (self.own.get(), &self.writable) {
            (Some(own), Some(store)) => store.forget_replica(own.id).await,
            _ => Ok(()),
        }
    }

    /// Returns the replicas that have reported themselves lately, by their start.
    pub async fn list(&self, _: &InstancePermit<ReadInstance>) -> Result<Vec<Replica>, ServiceError> {
        Ok(self.store.replicas(self.clock.now()).await?)
    }
}
