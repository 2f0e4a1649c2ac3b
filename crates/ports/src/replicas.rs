//! The repository of replicas: the processes that serve one store.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use latchkey_domain::Timestamp;
use latchkey_port_macros::observed;
use uuid::Uuid;

use crate::StoreError;

/// The id of a replica, new with each start of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub Uuid);

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A process that serves the store, as it reports itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    pub id: ReplicaId,
    /// The name of its machine.
    pub host: String,
    /// Where it listens.
    pub address: String,
    /// The version of its program.
    pub version: String,
    pub started_at: Timestamp,
    /// When it reported itself last, by its own clock.
    pub seen_at: Timestamp,
    /// How long ago it knew all changes then; `None` if it never had.
    pub feed_age: Option<Duration>,
}

impl Replica {
    /// How long after its last report a replica counts as gone.
    pub const GONE_AFTER: Duration = Duration::from_secs(60);

    /// Returns the first and the last moment of a report that counts at this time. The clock of another process may be ahead, but
    /// a report from far ahead would stay for ever.
    #[must_use]
    pub fn counted_around(now: Timestamp) -> (Timestamp, Timestamp) {
        let (now, span) = (now.millis(), i64::try_from(Self::GONE_AFTER.as_millis()).unwrap_or(i64::MAX));
        let moment = Timestamp::saturating_from_millis;
        (moment(now.saturating_sub(span)), moment(now.saturating_add(span)))
    }
}

/// The replicas. What they report is of the moment: it is in no backup, and no event tells of it.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ReplicaRepository: Send + Sync {
    /// Keeps a report in place of the last one of this replica, and deletes those of other replicas that do not count at its time
    /// ([`Replica::counted_around`]).
    async fn report_replica(&self, replica: &Replica) -> Result<(), StoreError>;

    /// Returns the replicas whose reports count at this time, by their start.
    async fn replicas(&self, now: Timestamp) -> Result<Vec<Replica>, StoreError>;

    /// Deletes the report of a replica, if there is one.
    async fn forget_replica(&self, id: ReplicaId) -> Result<(), StoreError>;
}
