//! The replicas, as the page shows them.

use std::time::Duration;

use latchkey_domain::Timestamp;
use latchkey_ports::{Replica, ReplicaId};

use super::spans::seconds;

/// A replica.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReplicaRow {
    pub(super) host: String,
    pub(super) address: String,
    pub(super) version: String,
    /// Whether its version is not that of this process.
    pub(super) is_other_version: bool,
    pub(super) is_this: bool,
    pub(super) started_at: Timestamp,
    /// How long ago it reported itself.
    pub(super) seen: String,
    /// How far it was behind the changes then; `None` if it had read none yet.
    pub(super) feed_lag: Option<String>,
}

/// Returns the rows of these replicas, of which one may be this process, at this time.
pub(super) fn replica_rows(
    replicas: Vec<Replica>,
    this: Option<ReplicaId>,
    now: Timestamp,
) -> Vec<ReplicaRow> {
    let row = |replica: Replica| ReplicaRow {
        is_other_version: replica.version != env!("CARGO_PKG_VERSION"),
        is_this: this == Some(replica.id),
        // The clock of another process may be ahead.
        seen: seconds(Duration::from_millis(
            u64::try_from(now.millis() - replica.seen_at.millis()).unwrap_or(0),
        )),
        feed_lag: replica.feed_age.map(seconds),
        host: replica.host,
        address: replica.address,
        version: replica.version,
        started_at: replica.started_at,
    };
    replicas.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn moment(millis: i64) -> Timestamp {
        Timestamp::saturating_from_millis(millis)
    }

    #[test]
    fn this_replica_and_other_versions_are_marked_and_no_time_is_negative() {
        let replica = |number: u64, version: &str| Replica {
            id: ReplicaId(Uuid::from_u64_pair(0, number)),
            host: format!("node-{number}"),
            address: "0.0.0.0:4242".to_owned(),
            version: version.to_owned(),
            started_at: moment(1),
            seen_at: moment(10_000),
            feed_age: (number == 1).then(|| Duration::from_millis(300)),
        };
        let (one, two) = (replica(1, env!("CARGO_PKG_VERSION")), replica(2, "0.0.1"));
        let this = Some(one.id);
        let marks = |now| {
            let rows = replica_rows(vec![one.clone(), two.clone()], this, moment(now)).into_iter();
            rows.map(|row| (row.is_this, row.is_other_version, row.seen, row.feed_lag)).collect::<Vec<_>>()
        };
        let text = |text: &str| text.to_owned();
        let of_one = |seen| (true, false, text(seen), Some(text("0.3 s")));
        let of_two = |seen| (false, true, text(seen), None);
        assert_eq!(marks(13_200), [of_one("3.2 s"), of_two("3.2 s")]);
        assert_eq!(marks(9_000), [of_one("0.0 s"), of_two("0.0 s")]);
    }
}
