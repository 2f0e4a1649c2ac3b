//! The port of failures to sign in.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, QueryDsl, sql_query,
    sql_types::{Array, Bytea, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginFailureRepository, LoginKey, StoreError};
use tracing::instrument;

use crate::{PostgresStore, errors::unavailable, rows, schema::login_failures};

/// `LoginFailures::and_another` for each of the keys, in order, so that two processes cannot wait for each other.
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

/// A key as its two columns.
type Columns = (&'static str, Vec<u8>);

fn columns(key: &LoginKey) -> Columns {
    match key {
        LoginKey::Account(name) => ("account", name.clone().into_bytes()),
        LoginKey::Address(address) => ("address", address.to_string().into_bytes()),
        // No address has a blank, so what is after the first one is the name.
        LoginKey::AccountFrom(name, address) => ("account-from", format!("{address} {name}").into_bytes()),
    }
}

/// Keys as an array for each column.
fn arrays(keys: &[LoginKey]) -> (Vec<&'static str>, Vec<Vec<u8>>) {
    keys.iter().map(columns).unzip()
}

#[async_trait]
impl LoginFailureRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(keys = keys.len()))]
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError> {
        let (kinds, texts) = arrays(keys);
        let mut connection = self.connection().await?;
        // Every kind with every text is more than was asked for, and not much more.
        let rows: Vec<(String, Vec<u8>, i64, DateTime<Utc>)> = login_failures::table
            .filter(login_failures::kind.eq_any(kinds))
            .filter(login_failures::key.eq_any(texts))
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        let mut kept = BTreeMap::new();
        for (kind, text, count, last_at) in rows {
            let failures = rows::login_failures(&kind, count, last_at)?;
            kept.insert((kind, text), failures);
        }
        let failures_of = |key| {
            let (kind, text) = columns(key);
            kept.get(&(kind.to_owned(), text)).copied()
        };
        Ok(keys.iter().map(failures_of).collect())
    }

    #[instrument(level = "debug", skip_all, fields(keys = keys.len()))]
    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError> {
        let (kinds, texts) = arrays(keys);
        let mut connection = self.connection().await?;
        sql_query(COUNT)
            .bind::<Array<Text>, _>(kinds)
            .bind::<Array<Bytea>, _>(texts)
            .bind::<Timestamptz, _>(now.to_datetime())
            .bind::<Timestamptz, _>(now.to_datetime() - LoginFailures::FORGOTTEN_AFTER)
            .bind::<Timestamptz, _>(now.to_datetime() + LoginFailures::MAX_WAIT)
            .execute(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    #[instrument(level = "debug", skip_all, fields(keys = keys.len()))]
    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError> {
        let (kinds, texts) = arrays(keys);
        let mut connection = self.connection().await?;
        sql_query(FORGET)
            .bind::<Array<Text>, _>(kinds)
            .bind::<Array<Bytea>, _>(texts)
            .execute(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
