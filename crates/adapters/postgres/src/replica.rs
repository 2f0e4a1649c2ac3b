//! Reading from a standby: how far it is behind, and which server may be read from.
//!
//! A standby shows a state of the past. Its lag is its own clock less the commit time of the last transaction that it has
//! replayed: whatever was acknowledged before that time is before it in the log, and so is visible. An idle primary commits
//! nothing, so processes that can write to it leave a sign of life: [`Replica::leave_sign_of_life`].
//!
//! Standbys of one cluster are behind by different amounts. A process therefore reads from one server at a time
//! (`Servers`). The server is part of the feed's origin, so a follower that finds itself on another one forgets
//! what it knew. Until it has, tokens are not looked up there: what the follower knows says nothing of that server.
//!
//! See `docs/design/decisions`, 32.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Nullable},
};
use diesel_async::RunQueryDsl;
use latchkey_ports::{FeedPosition, FeedReading, StoreError};
use latchkey_sql::errors::{store_error, unavailable};

use crate::connection::{Access, Connection, FixedText};

const LAG: &str = "\
    SELECT pg_is_in_recovery() AS is_standby, \
    (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint AS behind";

/// A transaction id leaves a commit record. It waits for no disk and no standby, because the statement turns that off for itself: a
/// read that repairs a page writes to the log too, and would make the commit wait for a synchronous standby, and with it all that
/// is read over the same connection. `CASE` assigns it only where no transaction has ended since
/// the highest one that is known, and where a standby or another receiver of the log is connected; not on a standby, which a
/// former primary can have become.
const SIGN_OF_LIFE: &str = "\
    SELECT pg_snapshot_xmax(now)::text::bigint AS ended, \
    CASE WHEN pg_snapshot_xmax(now)::text::bigint = $1 AND NOT pg_is_in_recovery() \
    AND EXISTS (SELECT FROM pg_stat_replication) \
    THEN pg_current_xact_id()::text::bigint END AS assigned \
    FROM pg_current_snapshot() AS now, set_config('synchronous_commit', 'off', true)";

/// The types that stand for the statements.
struct Lag;
struct SignOfLife;

#[derive(QueryableByName)]
struct LagRow {
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    /// Milliseconds; `None` before the first transaction that a standby replays, and on a primary. Negative if the clock of the
    /// primary is ahead.
    #[diesel(sql_type = Nullable<BigInt>)]
    behind: Option<i64>,
}

#[derive(QueryableByName)]
struct SignOfLifeRow {
    #[diesel(sql_type = BigInt)]
    ended: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    assigned: Option<i64>,
}

/// What a store remembers: to read from a standby, and for processes that do.
#[derive(Debug)]
pub(crate) struct Replica {
    access: Access,
    /// The server whose feed the follower knows, as [`Connection::server`]; [`NONE`] before the first page.
    followed: AtomicU64,
    /// One above the last transaction that had ended at the last sign of life; [`NONE`] before the first.
    ended: AtomicU64,
}

const NONE: u64 = u64::MAX;

/// Tokens are not looked up at a server whose changes are not followed yet.
#[derive(Debug, thiserror::Error)]
#[error("the changes of the database server are not followed yet")]
struct NotFollowed;

impl Replica {
    pub(crate) fn new(access: Access) -> Self {
        Self { access, followed: AtomicU64::new(NONE), ended: AtomicU64::new(NONE) }
    }

    /// Returns how far the server of a connection is behind. To be asked before its feed is read: afterwards it may have
    /// replayed transactions that the feed does not show.
    pub(crate) async fn lag(&self, mut connection: &Connection) -> Result<Duration, StoreError> {
        if self.access == Access::Full {
            return Ok(Duration::ZERO);
        }
        let statement = FixedText::<Lag, _>::new(sql_query(LAG));
        let LagRow { is_standby, behind } =
            statement.get_result(&mut connection).await.map_err(store_error)?;
        Ok(match behind {
            _ if !is_standby => Duration::ZERO,
            None => Duration::MAX,
            Some(behind) => Duration::from_millis(u64::try_from(behind).unwrap_or(0)),
        })
    }

    /// Completes a reading of the feed by the lag and the server, and allows lookups at that server if the follower's position is
    /// of its feed.
    pub(crate) fn completed(
        &self,
        reading: FeedReading,
        lag: Duration,
        connection: &Connection,
        position: &FeedPosition,
    ) -> FeedReading {
        let Some(server) = connection.server().filter(|_| self.access == Access::ReadOnly) else {
            return reading;
        };
        let origin = format!("{} at server {server}", reading.origin.unwrap_or_default());
        // Otherwise this page tells the follower, and the next one shows that it has been told.
        if position.continues(Some(&origin)) {
            self.followed.store(server, Ordering::SeqCst);
        }
        FeedReading { origin: Some(origin), lag, ..reading }
    }

    /// Checks that what is looked up over a connection is as fresh as the follower of the feed knows it to be.
    pub(crate) fn check_followed(&self, connection: &Connection) -> Result<(), StoreError> {
        let followed = AtomicU64::load(&self.followed, Ordering::SeqCst);
        if self.access == Access::Full || connection.server() == Some(followed) {
            Ok(())
        } else {
            Err(unavailable(NotFollowed))
        }
    }

    /// Leaves a commit record for standbys if nothing else did since the last call. Of many processes that do so, about one
    /// writes.
    pub(crate) async fn leave_sign_of_life(&self, mut connection: &Connection) -> Result<(), StoreError> {
        // No transaction is the one before the first.
        let last = i64::try_from(AtomicU64::load(&self.ended, Ordering::SeqCst)).unwrap_or(-1);
        let statement = FixedText::<SignOfLife, _>::new(sql_query(SIGN_OF_LIFE).bind::<BigInt, _>(last));
        let SignOfLifeRow { ended, assigned } =
            statement.get_result(&mut connection).await.map_err(store_error)?;
        // Its own transaction is no sign of others.
        let ended = assigned.map_or(ended, |own| ended.max(own + 1));
        self.ended.store(ended.unsigned_abs(), Ordering::SeqCst);
        Ok(())
    }
}
