//! The port of failed logins.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper, sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginFailureRepository, LoginKey, StoreError};
use latchkey_sql::{
    columns::{DbRawText, DbTime, RawText, UtcTime},
    errors::store_error,
    rows::{LoginFailuresRow, login_failures_forgotten, login_key},
    schema::login_failures,
};

use crate::store::PostgresStore;

/// `LoginFailures::and_another` for each key, in order, so that two processes do not deadlock.
const COUNT: &str = "\
    INSERT INTO login_failures AS kept (kind, key, count, last_at) \
    SELECT kind, key, count(*), $3 FROM unnest($1, $2) AS one (kind, key) \
    GROUP BY kind, key ORDER BY kind COLLATE \"C\", key \
    ON CONFLICT (kind, key) DO UPDATE SET \
        count = least(4294967295, excluded.count + \
            CASE WHEN kept.last_at <= $4 OR kept.last_at > $5 THEN 0 ELSE kept.count END), \
        last_at = excluded.last_at";
/// In order, as above.
const FORGET: &str = "\
    WITH held AS (\
        SELECT kept.kind, kept.key FROM login_failures AS kept \
        INNER JOIN unnest($1, $2) AS one (kind, key) USING (kind, key) \
        ORDER BY kept.kind, kept.key FOR UPDATE OF kept) \
    DELETE FROM login_failures AS kept USING held WHERE kept.kind = held.kind AND kept.key = held.key";

/// Keys as an array for each column.
fn arrays(keys: &[LoginKey]) -> (Vec<&'static str>, Vec<DbRawText>) {
    keys.iter().map(login_key).unzip()
}

/// Returns the latest time at which a failure can have been recorded that delays a login now.
fn longest_wait_from(now: Timestamp) -> DbTime {
    let wait = i64::try_from(LoginFailures::MAX_WAIT.as_millis()).unwrap_or(i64::MAX);
    DbTime(now.millis().saturating_add(wait))
}

#[async_trait]
impl LoginFailureRepository for PostgresStore {
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError> {
        let (kinds, texts) = arrays(keys);
        let mut connection = self.connection().await?;
        // Also matches the kind of one key with the text of another: few rows, which are ignored below.
        let rows: Vec<(String, DbRawText, LoginFailuresRow)> = login_failures::table
            .filter(login_failures::kind.eq_any(kinds))
            .filter(login_failures::key.eq_any(texts))
            .select((login_failures::kind, login_failures::key, LoginFailuresRow::as_select()))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let mut kept = BTreeMap::new();
        for (kind, text, row) in rows {
            let failures = row.into_failures(&kind)?;
            kept.insert((kind, text), failures);
        }
        let failures_of = |key| {
            let (kind, text) = login_key(key);
            kept.get(&(kind.to_owned(), text)).copied()
        };
        Ok(keys.iter().map(failures_of).collect())
    }

    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError> {
        let (kinds, texts) = arrays(keys);
        let statement = sql_query(COUNT)
            .bind::<Array<Text>, _>(kinds)
            .bind::<Array<RawText>, _>(texts)
            .bind::<UtcTime, _>(DbTime::from(now))
            .bind::<UtcTime, _>(login_failures_forgotten(now))
            .bind::<UtcTime, _>(longest_wait_from(now));
        self.execute(statement).await.map(drop)
    }

    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError> {
        let (kinds, texts) = arrays(keys);
        let statement = sql_query(FORGET).bind::<Array<Text>, _>(kinds).bind::<Array<RawText>, _>(texts);
        self.execute(statement).await.map(drop)
    }
}
