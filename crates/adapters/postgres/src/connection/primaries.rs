//! Which primary is the newest that this process has seen. Connections to older ones are not used any more.
//!
//! After a failover, a former primary may still run for a moment: it was frozen while another one was promoted, or what
//! would stop it cannot reach it. Its answers are outdated, and its commits are lost. PostgreSQL numbers the timelines of a
//! cluster, and a promotion begins a higher one, so a process that has seen a timeline never trusts a lower one.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use diesel::ConnectionResult;
use tokio::sync::{Notify, futures::Notified};
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::errors::bad_connection;

/// Reads a primary's lineage. A standby has no timeline of its own: it may belong to any region, and it accepts no writes.
const LINEAGE: &str = "SELECT (SELECT system_identifier FROM pg_control_system()), \
    CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

/// Which history a primary writes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lineage {
    /// The identifier of the cluster.
    system: String,
    timeline: u32,
}

impl Lineage {
    /// Returns `None` for a standby, and for an engine that does not tell.
    async fn read(client: &Client) -> Result<Option<Self>, Error> {
        let messages = match client.simple_query(LINEAGE).await {
            Ok(messages) => messages,
            // A missing function or privilege.
            Err(error) if error.as_db_error().is_some_and(|error| is_unsupported(error.code().code())) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let column = |index| row.and_then(|row| row.get(index));
        Ok(column(0).zip(column(1)).and_then(|(system, timeline)| {
            Some(Self { system: system.to_owned(), timeline: u32::from_str_radix(timeline, 16).ok()? })
        }))
    }
}

/// Whether an engine does not have what a statement needs: SQLSTATE classes 42 (unknown function, missing privilege) and 0A.
fn is_unsupported(state: &str) -> bool {
    state.starts_with("42") || state.starts_with("0A")
}

/// The newest primary that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct Primaries {
    newest: Mutex<Option<Lineage>>,
    /// How often the newest primary was replaced by another one.
    changes: AtomicU64,
    replaced: Notify,
}

/// The server is a former primary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server writes timeline {timeline} and is a former primary, because timeline {newest} was seen: stop it; if it was \
     restored on purpose, restart Latchkey"
)]
struct FormerPrimary {
    timeline: u32,
    newest: u32,
}

/// Whether the server of a connection is still the newest primary.
#[derive(Debug)]
pub(super) struct Standing {
    primaries: Arc<Primaries>,
    /// The number of changes when it was seen; `None` where that is not known.
    seen: Option<u64>,
}

impl Standing {
    pub(super) fn is_former(&self) -> bool {
        self.seen.is_some_and(|seen| seen != self.primaries.changes.load(Ordering::Relaxed))
    }
}

impl Primaries {
    /// Finds out which primary the connection leads to.
    ///
    /// # Errors
    /// The driver's, and [`FormerPrimary`].
    pub(super) async fn ask(self: &Arc<Self>, client: &Client) -> ConnectionResult<Standing> {
        let lineage = Lineage::read(client).await.map_err(|error| bad_connection(&error))?;
        let seen = lineage.map(|lineage| self.admit(lineage)).transpose();
        let seen = seen.map_err(|error| bad_connection(&error))?;
        Ok(Standing { primaries: Arc::clone(self), seen })
    }

    fn admit(&self, lineage: Lineage) -> Result<u64, FormerPrimary> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            Some(known) if *known == lineage => {}
            Some(known) if known.system == lineage.system && known.timeline > lineage.timeline => {
                return Err(FormerPrimary { timeline: lineage.timeline, newest: known.timeline });
            }
            Some(known) => {
                tracing::warn!(before = ?known, now = ?lineage, "the database has another primary");
                self.changes.fetch_add(1, Ordering::Relaxed);
                self.replaced.notify_waiters();
                *newest = Some(lineage);
            }
            None => *newest = Some(lineage),
        }
        Ok(self.changes.load(Ordering::Relaxed))
    }

    /// Waits until another primary is seen than at the time of this call.
    pub(crate) fn replaced(&self) -> Notified<'_> {
        self.replaced.notified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(system: &str, timeline: u32) -> Lineage {
        Lineage { system: system.to_owned(), timeline }
    }

    #[test]
    fn a_promotion_makes_connections_to_the_former_primary_useless() {
        let primaries = Arc::new(Primaries::default());
        let standing = |lineage| {
            primaries
                .admit(lineage)
                .map(|seen| Standing { primaries: Arc::clone(&primaries), seen: Some(seen) })
        };
        let before = standing(lineage("a", 1)).expect("the first");
        let other = standing(lineage("a", 1)).expect("the same");
        assert!(!before.is_former() && !other.is_former());
        let after = standing(lineage("a", 2)).expect("a later timeline");
        assert!(before.is_former() && other.is_former() && !after.is_former());
        assert_eq!(standing(lineage("a", 1)).err(), Some(FormerPrimary { timeline: 1, newest: 2 }));
        assert!(!after.is_former());
        // A cluster that was set up anew begins with the first timeline.
        let restored = standing(lineage("b", 1)).expect("another cluster");
        assert!(after.is_former() && !restored.is_former());
    }

    #[test]
    fn a_server_that_does_not_tell_is_trusted() {
        let primaries = Arc::new(Primaries::default());
        let unknown = Standing { primaries: Arc::clone(&primaries), seen: None };
        for timeline in [1, 2] {
            primaries.admit(lineage("a", timeline)).expect("later");
        }
        assert!(!unknown.is_former());
    }
}
