//! Which server this process uses. Connections to former ones are not used any more.
//!
//! After a failover, a former primary may still run for a moment: it was frozen while another one was promoted, or what
//! would stop it cannot reach it. Its answers are outdated, and its commits are lost. PostgreSQL numbers the timelines of a
//! cluster, and a promotion begins a higher one, so a process that has seen a timeline does not trust a lower one. It does so
//! only when the newer primary has been away for [`DISTRUST`]: then a former one would have been ended, and what writes is a
//! primary that was restored, or one to which the cluster went back.
//!
//! A process that only reads may use any server of a cluster, but one at a time: standbys are behind by different amounts, and
//! what one showed another may not show yet. The server that was connected to last is the one.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use diesel::ConnectionResult;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::{access::Access, errors::bad_connection};

/// How long a lower timeline is refused without an answer from the newer primary: three leases of Patroni (`deploy/ha`), in one of
/// which it ends a former primary.
const DISTRUST: Duration = Duration::from_secs(60);

/// Reads a primary's lineage. A standby has no timeline of its own: it may belong to any region, and it accepts no writes.
const LINEAGE: &str = "SELECT (SELECT system_identifier FROM pg_control_system()), \
    CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

/// Tells a server from all others, and from itself before a restart: a standby that crashed can show an earlier state for a
/// moment.
const START: &str = "SELECT extract(epoch FROM pg_postmaster_start_time())";

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
        Ok(column(&messages, 0).zip(column(&messages, 1)).and_then(|(system, timeline)| {
            Some(Self { system: system.to_owned(), timeline: u32::from_str_radix(timeline, 16).ok()? })
        }))
    }
}

/// Returns a column of the first row.
fn column(messages: &[SimpleQueryMessage], index: usize) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(index),
        _ => None,
    })
}

/// Whether an engine does not have what a statement needs: SQLSTATE classes 42 (unknown function, missing privilege) and 0A.
fn is_unsupported(state: &str) -> bool {
    state.starts_with("42") || state.starts_with("0A")
}

/// The servers that this process has used.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// The newest primary, for a process that writes.
    newest: Mutex<Option<Newest>>,
    /// Whether the server to use has answered since a former primary was last refused.
    has_answered: AtomicBool,
    /// When the server started that was connected to last, for a process that only reads.
    last: Mutex<Option<String>>,
    /// How often the server was replaced by another one.
    changes: AtomicU64,
    replaced: Notify,
}

#[derive(Debug)]
struct Newest {
    lineage: Lineage,
    /// Since when a lower timeline is refused and this primary does not answer.
    away_since: Option<Instant>,
}

/// The server is a former primary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server writes timeline {timeline} and is a former primary, because timeline {newest} was seen: stop it; if it was \
     restored on purpose, it is used when the other one has not answered for a minute"
)]
struct FormerPrimary {
    timeline: u32,
    newest: u32,
}

/// Whether the server of a connection is still the one to use.
#[derive(Debug)]
pub(super) struct Standing {
    servers: Arc<Servers>,
    /// The number of changes when it was seen; `None` where that is not known.
    seen: Option<u64>,
}

impl Standing {
    pub(super) fn is_former(&self) -> bool {
        self.seen.is_some_and(|seen| seen != self.servers.changes.load(Ordering::Relaxed))
    }

    /// Records that the server has answered.
    pub(super) fn answered(&self) {
        // In the usual case nothing is written.
        if !self.servers.has_answered.load(Ordering::Relaxed) {
            self.servers.has_answered.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the number of the server among those that were used.
    pub(super) fn server(&self) -> Option<u64> {
        self.seen
    }
}

impl Servers {
    /// Finds out which server the connection leads to.
    ///
    /// # Errors
    /// The driver's, and [`FormerPrimary`].
    pub(super) async fn ask(self: &Arc<Self>, client: &Client, access: Access) -> ConnectionResult<Standing> {
        let seen = match access {
            Access::Full => {
                let lineage = Lineage::read(client).await.map_err(|error| bad_connection(&error))?;
                let seen = lineage.map(|lineage| self.admit(lineage, Instant::now())).transpose();
                seen.map_err(|error| bad_connection(&error))?
            }
            Access::ReadOnly => {
                let start = client.simple_query(START).await.map_err(|error| bad_connection(&error))?;
                Some(self.admit_any(column(&start, 0).unwrap_or_default()))
            }
        };
        Ok(Standing { servers: Arc::clone(self), seen })
    }

    /// Makes the server that started then the one to use.
    fn admit_any(&self, start: &str) -> u64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_deref().is_some_and(|last| last != start) {
            tracing::warn!("another server of the database is used, or the same one after a restart");
            self.replace();
        }
        *last = Some(start.to_owned());
        self.changes.load(Ordering::Relaxed)
    }

    /// Makes all connections so far useless.
    fn replace(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.replaced.notify_waiters();
    }

    fn admit(&self, lineage: Lineage, now: Instant) -> Result<u64, FormerPrimary> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *newest {
            Some(known) if known.lineage == lineage => known.away_since = None,
            Some(known) => {
                let is_former =
                    known.lineage.system == lineage.system && known.lineage.timeline > lineage.timeline;
                if is_former && !self.is_away(known, now) {
                    return Err(FormerPrimary { timeline: lineage.timeline, newest: known.lineage.timeline });
                }
                tracing::warn!(before = ?known.lineage, now = ?lineage, "the database has another primary");
                self.replace();
                *known = Newest { lineage, away_since: None };
            }
            None => *newest = Some(Newest { lineage, away_since: None }),
        }
        Ok(self.changes.load(Ordering::Relaxed))
    }

    /// Whether the newest primary has not answered for so long that a lower timeline is trusted.
    fn is_away(&self, newest: &mut Newest, now: Instant) -> bool {
        if self.has_answered.swap(false, Ordering::Relaxed) {
            newest.away_since = None;
        }
        let since = *newest.away_since.get_or_insert(now);
        now.saturating_duration_since(since) >= DISTRUST
    }

    /// Waits until another server is used than at the time of this call.
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
        let servers = Arc::new(Servers::default());
        let standing = |lineage| {
            servers
                .admit(lineage, Instant::now())
                .map(|seen| Standing { servers: Arc::clone(&servers), seen: Some(seen) })
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
        let servers = Arc::new(Servers::default());
        let unknown = Standing { servers: Arc::clone(&servers), seen: None };
        for timeline in [1, 2] {
            servers.admit(lineage("a", timeline), Instant::now()).expect("later");
        }
        assert!(!unknown.is_former());
    }

    #[test]
    fn a_lower_timeline_is_trusted_when_the_newer_primary_has_been_away() {
        let servers = Arc::new(Servers::default());
        let begin = Instant::now();
        let admit = |timeline, seconds| {
            let seen = servers.admit(lineage("a", timeline), begin + Duration::from_secs(seconds));
            seen.map(|seen| Standing { servers: Arc::clone(&servers), seen: Some(seen) })
        };
        let newer = admit(10, 0).expect("the first");
        assert!(admit(9, 1).is_err() && admit(9, 60).is_err());
        // It answers, so the time begins anew; also when it is connected to once more.
        newer.answered();
        assert!(admit(9, 61).is_err() && admit(9, 120).is_err());
        admit(10, 121).expect("the same");
        assert!(admit(9, 122).is_err() && admit(9, 181).is_err() && !newer.is_former());
        let older = admit(9, 182).expect("the only one for a minute");
        assert!(newer.is_former() && !older.is_former());
        assert!(admit(10, 183).is_ok(), "it is the newest again");
    }

    #[test]
    fn a_process_that_reads_uses_one_server_at_a_time() {
        let servers = Arc::new(Servers::default());
        let standing =
            |start| Standing { servers: Arc::clone(&servers), seen: Some(servers.admit_any(start)) };
        let (one, again) = (standing("10.1"), standing("10.1"));
        assert!(!one.is_former() && !again.is_former());
        assert_eq!(one.server(), again.server());
        let other = standing("20.2");
        assert!(one.is_former() && again.is_former() && !other.is_former());
        let back = standing("10.1");
        assert!(one.is_former() && other.is_former() && !back.is_former());
        assert_ne!(one.server(), back.server(), "it may have been restored meanwhile");
    }
}
