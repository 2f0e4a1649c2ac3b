//! The order of locks in transactions.
//!
//! No two transactions deadlock, because each takes the locks that it needs in the order of this list:
//!
//! 1. [`ADMINS`];
//! 2. rows of projects, by id;
//! 3. rows of environments, by name;
//! 4. rows of roles, by id;
//! 5. rows of groups, by id;
//! 6. rows of users, by id;
//! 7. [`ALL_PROJECTS`];
//! 8. the row of an answer that is kept (`answers`), at most one;
//! 9. rows of tokens, by id;
//! 10. [`WEBHOOK_LANES`], as a whole or shared, then rows of webhooks, by id, then rows of their deliveries;
//! 11. the event log: [`lock_event_log`], or [`share_event_log`].
//!
//! A transaction that holds the event-log lock must not wait for any other lock. What it writes is in rows that it has
//! locked (as are the rows that these refer to), is new, or is in a table that is written under the whole event-log lock
//! alone (links of changed tokens aside: memberships, also of groups, sessions, counts of members). Therefore all other locks are taken
//! *before*. Two transactions that insert one key at once do wait for each other, and no third for them.
//!
//! Most changes take the event-log lock as a whole ([`EventLogLock`]): no other change is committed between their last
//! check and their commit. A change of API tokens only shares it ([`EventLogShare`]), so any number of them are committed
//! side by side, and none beside a change of the first kind. For them, other things guard what that lock guarded:
//!
//! - the order of the events of one token: the lock of its row, which is taken before the event's number is drawn;
//! - projects and environments that are removed: the locks of their rows, which creations share (removals lock them
//!   for update), and the locks of the tokens in them;
//! - quotas: see [`Crowding`](crate::token_creation::Crowding);
//! - secrets that exist already: the unique indexes, as long as no alias is created, because an alias is in another
//!   column. A creation with an alias therefore takes the whole lock. A secret that a rotation retires was in the index of
//!   secrets before, and is in one of the two in every snapshot;
//! - numbers of tokens: parts of sums, of which each transaction adds to one that no other has locked (`migrations`);
//! - the first tokens: creations share the lock, so "there is no token yet" stays true under the whole lock;
//! - the change feed: numbers become visible out of order, and followers know which are missing
//!   (`docs/design/decisions`, 31). For that, a transaction has written or locked a row before it draws a number.
//!
//! A transaction that records no event does not take the event-log lock. Records of last use and of failed logins lock rows of
//! one table, in the order of its key; sweeps skip locked rows. Mail is filed under the row of its consumer, so by one transaction at a
//! time, and its digests are claimed without waiting. What is taken of the limits of a token (`budgets`) is a statement of its own,
//! which locks one row. Moving secrets to another master key (`master_keys`) locks
//! rows of tokens as above, and skips other locked rows; it checks new digests as far as it sees them, and the unique indexes
//! do the rest.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper, dsl::auto_type, select, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EnvironmentName, GroupId, ProjectId, RoleId, RoleKind, TokenId, UserId};
use latchkey_sql::{
    columns::DbId,
    errors::DbError,
    rows::RoleRow,
    schema::{api_tokens, environments, projects, roles, user_groups, users},
};

use crate::connection::Connection;

/// Held while a user may lose the role Admin: "latchadm" in ASCII.
pub(crate) const ADMINS: i64 = 0x6c61_7463_6861_646d;
/// Held while tokens of all projects are counted and created: "latchall" in ASCII.
pub(crate) const ALL_PROJECTS: i64 = 0x6c61_7463_6861_6c6c;
/// Held while tokens are counted for metrics, by a transaction that takes no other lock: "latchcnt" in ASCII.
pub(crate) const COUNTING: i64 = 0x6c61_7463_6863_6e74;
/// Held as a whole while deliveries are added to lanes or removed with their webhook, shared while attempts end: "latchlan" in ASCII.
pub(crate) const WEBHOOK_LANES: i64 = 0x6c61_7463_686c_616e;
/// Held from the first write to the end of the commit: "latchevt" in ASCII. The triggers that count members
/// (`migrations/postgres`) take it too, for other programs that write.
const EVENT_LOG: i64 = 0x6c61_7463_6865_7674;

/// Proof that the transaction holds the event-log lock as a whole, so that it may write and record events, and no other
/// transaction does until its commit has ended.
pub(crate) struct EventLogLock(());

/// Proof that the transaction shares the event-log lock, so that it may write to API tokens and record events, beside
/// others that do the same.
pub(crate) struct EventLogShare(());

/// The event-log lock, shared or as a whole: what a change of API tokens needs.
pub(crate) trait EventLogHeld: Sync {}

impl EventLogHeld for EventLogLock {}
impl EventLogHeld for EventLogShare {}

diesel::define_sql_function! {
    /// Waits for a lock that ends with the transaction.
    fn pg_advisory_xact_lock(key: BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

diesel::define_sql_function! {
    /// Waits for a lock that others may share, and that ends with the transaction.
    fn pg_advisory_xact_lock_shared(key: BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

diesel::define_sql_function! {
    /// Takes a lock that ends with the transaction, if it is free; returns whether it did.
    fn pg_try_advisory_xact_lock(key: BigInt) -> diesel::sql_types::Bool;
}

/// Takes a lock that is held until the transaction ends, if it is free; returns whether it did.
pub(crate) async fn try_lock(connection: &mut Connection, key: i64) -> Result<bool, DbError> {
    Ok(select(pg_try_advisory_xact_lock(key)).get_result(connection).await?)
}

/// Takes a lock that is held until the transaction ends. `IS NULL` gives the statement a value: the function has none.
pub(crate) async fn lock(connection: &mut Connection, key: i64) -> Result<(), DbError> {
    let _: bool = select(pg_advisory_xact_lock(key).is_null()).get_result(connection).await?;
    Ok(())
}

/// Takes a lock that others share, until the transaction ends.
pub(crate) async fn share(connection: &mut Connection, key: i64) -> Result<(), DbError> {
    let _: bool = select(pg_advisory_xact_lock_shared(key).is_null()).get_result(connection).await?;
    Ok(())
}

/// Shares the event-log lock, the last lock of a transaction.
pub(crate) async fn share_event_log(connection: &mut Connection) -> Result<EventLogShare, DbError> {
    share(connection, EVENT_LOG).await?;
    Ok(EventLogShare(()))
}

/// Takes the event-log lock as a whole, the last lock of a transaction.
pub(crate) async fn lock_event_log(connection: &mut Connection) -> Result<EventLogLock, DbError> {
    lock(connection, EVENT_LOG).await?;
    Ok(EventLogLock(()))
}

/// Returns whether the project exists, and keeps it until the transaction ends.
pub(crate) async fn lock_project(connection: &mut Connection, id: &ProjectId) -> Result<bool, DbError> {
    let project = projects::table.filter(projects::id.eq(id.as_str())).select(projects::id);
    let found: Vec<String> = project.for_key_share().load(connection).await?;
    Ok(!found.is_empty())
}

/// Returns those of these projects that exist, and keeps them until the transaction ends. Others may share these locks, to
/// create tokens at the same time.
pub(crate) async fn share_projects(
    connection: &mut Connection,
    ids: &[&str],
) -> Result<Vec<String>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ordered_projects(ids).for_share().load(connection).await?)
}

/// As [`share_projects`], but no other transaction creates tokens in these projects until this one ends.
pub(crate) async fn lock_projects(connection: &mut Connection, ids: &[&str]) -> Result<Vec<String>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ordered_projects(ids).for_no_key_update().load(connection).await?)
}

#[auto_type]
fn ordered_projects<'a>(ids: &'a [&'a str]) -> _ {
    projects::table.filter(projects::id.eq_any(ids)).order(projects::id).select(projects::id)
}

/// Returns those of these environments that exist, and keeps them until the transaction ends.
pub(crate) async fn lock_environments(
    connection: &mut Connection,
    names: &[&EnvironmentName],
) -> Result<Vec<String>, DbError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    Ok(environments::table
        .filter(environments::name.eq_any(names))
        .order(environments::name)
        .select(environments::name)
        .for_key_share()
        .load(connection)
        .await?)
}

/// Returns those of these roles that exist, and keeps them until the transaction ends.
pub(crate) async fn lock_roles(
    connection: &mut Connection,
    ids: &[RoleId],
) -> Result<Vec<(RoleId, RoleKind)>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<RoleRow> = roles::table
        .filter(roles::id.eq_any(ids.iter().map(|id| id.0)))
        .order(roles::id)
        .select(RoleRow::as_select())
        .for_key_share()
        .load(connection)
        .await?;
    let kinds: Result<_, _> = rows.into_iter().map(RoleRow::id_and_kind).collect();
    Ok(kinds?)
}

/// Returns those of these groups that exist, and keeps them until the transaction ends.
pub(crate) async fn lock_groups(
    connection: &mut Connection,
    ids: &[GroupId],
) -> Result<Vec<GroupId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<i64> = user_groups::table
        .filter(user_groups::id.eq_any(ids.iter().map(|id| id.0)))
        .order(user_groups::id)
        .select(user_groups::id)
        .for_key_share()
        .load(connection)
        .await?;
    Ok(found.into_iter().map(GroupId).collect())
}

/// Returns those of these users that exist, by id, and keeps them until the transaction ends.
pub(crate) async fn lock_users(connection: &mut Connection, ids: &[UserId]) -> Result<Vec<UserId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<i64> = users::table
        .filter(users::id.eq_any(ids.iter().map(|id| id.0)))
        .order(users::id)
        .select(users::id)
        .for_key_share()
        .load(connection)
        .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// Returns whether the token exists, and keeps it until the transaction ends.
pub(crate) async fn lock_token(connection: &mut Connection, id: TokenId) -> Result<bool, DbError> {
    let token = api_tokens::table.find(DbId::from(id)).select(api_tokens::id);
    let found: Vec<DbId> = token.for_key_share().load(connection).await?;
    Ok(!found.is_empty())
}

/// Returns those of these tokens that exist, and keeps them as they are until the transaction ends.
pub(crate) async fn lock_tokens(
    connection: &mut Connection,
    ids: impl Iterator<Item = TokenId>,
) -> Result<BTreeSet<DbId>, DbError> {
    let ids: Vec<DbId> = ids.map(DbId::from).collect();
    let found: Vec<DbId> = api_tokens::table
        .filter(api_tokens::id.eq_any(ids))
        .order(api_tokens::id)
        .select(api_tokens::id)
        .for_no_key_update()
        .load(connection)
        .await?;
    Ok(found.into_iter().collect())
}

/// Returns the first item with a key that was not found.
pub(crate) fn first_missing<'w, W, K: PartialEq + ?Sized>(
    wanted: &'w [W],
    key: impl Fn(&W) -> &K,
    found: &[impl std::borrow::Borrow<K>],
) -> Option<&'w W> {
    wanted.iter().find(|one| !found.iter().any(|key_found| key_found.borrow() == key(one)))
}
