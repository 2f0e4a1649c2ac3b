//! What a transaction holds, and in which order.
//!
//! No two transactions ever wait for each other, because each takes what it needs of this list from the top to the bottom:
//!
//! 1. [`ADMINS`];
//! 2. rows of projects, by id;
//! 3. rows of environments, by name;
//! 4. rows of roles, by id;
//! 5. rows of users, by id;
//! 6. [`ALL_PROJECTS`];
//! 7. rows of tokens, by id;
//! 8. the [`EventLogLock`].
//!
//! Whoever has the numbering writes, and waits for nothing any more: what is written belongs to rows that are held (what
//! they refer to included), or is new, or is of a table that is written under the numbering alone (links, memberships,
//! sessions, retired secrets, counts). Therefore all that can be in somebody's way is held *before*.
//!
//! What leaves no event takes no numbering: notes of use and failures to sign in hold rows of one table, in the order of
//! its key; what sweeps passes over the rows that somebody holds.
//! Secrets that get under another master key (`rekeying`) hold rows of tokens as above, and pass over others that are held.

use diesel::{ExpressionMethods, select, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use latchkey_sql::errors::DbError;

use crate::connection::Connection;

/// Held while somebody may cease to be an Admin: "latchadm" in ASCII.
pub(crate) const ADMINS: i64 = 0x6c61_7463_6861_646d;
/// Held while tokens of all projects are counted and created: "latchall" in ASCII.
pub(crate) const ALL_PROJECTS: i64 = 0x6c61_7463_6861_6c6c;
/// Held from the first thing written to the end of the commit: "latchevt" in ASCII. The triggers that count tokens
/// (`migrations/postgres`) take it too, for whoever writes by other ways.
const EVENT_LOG: i64 = 0x6c61_7463_6865_7674;

/// Says that the transaction may write, and record events: their numbers become visible in rising order (decision 3),
/// because one transaction at a time has this, and to the end of its commit.
pub(crate) struct EventLogLock(());

diesel::define_sql_function! {
    /// Waits for a lock that ends with the transaction.
    fn pg_advisory_xact_lock(key: BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Waits for a lock that is held until the transaction ends. `IS NULL` makes an answer of a function that has none.
pub(crate) async fn lock(connection: &mut Connection, key: i64) -> Result<(), DbError> {
    let _: bool = select(pg_advisory_xact_lock(key).is_null()).get_result(connection).await?;
    Ok(())
}

/// Waits until nobody else writes. Nothing may be waited for after this.
pub(crate) async fn lock_event_log(connection: &mut Connection) -> Result<EventLogLock, DbError> {
    lock(connection, EVENT_LOG).await?;
    Ok(EventLogLock(()))
}
