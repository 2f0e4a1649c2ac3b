//! The port of failed logins.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    replace_into,
};
use latchkey_domain::{LoginFailures, Timestamp};
use latchkey_ports::{LoginFailureRepository, LoginKey, StoreError};
use latchkey_sql::{
    columns::DbTime,
    errors::DbError,
    rows::{LoginFailuresRow, login_key},
    schema::login_failures,
};

use crate::store::SqliteStore;

#[async_trait]
impl LoginFailureRepository for SqliteStore {
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError> {
        let keys = keys.to_vec();
        self.read_snapshot(move |connection| keys.iter().map(|key| find(connection, key)).collect()).await
    }

    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.write(move |connection| {
            for key in &keys {
                let failures = LoginFailures::and_another(find(connection, key)?, now);
                let (kind, key) = login_key(key);
                replace_into(login_failures::table)
                    .values((
                        login_failures::kind.eq(kind),
                        login_failures::key.eq(key),
                        login_failures::count.eq(i64::from(failures.count)),
                        login_failures::last_at.eq(DbTime::from(failures.last_at)),
                    ))
                    .execute(connection)?;
            }
            Ok(())
        })
        .await
    }

    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.write(move |connection| {
            for key in &keys {
                delete(login_failures::table.find(login_key(key))).execute(connection)?;
            }
            Ok(())
        })
        .await
    }
}

fn find(connection: &mut SqliteConnection, key: &LoginKey) -> Result<Option<LoginFailures>, DbError> {
    let (kind, key) = login_key(key);
    let row: Option<LoginFailuresRow> = login_failures::table
        .find((kind, key))
        .select(LoginFailuresRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(|row| row.into_failures(kind)).transpose()?)
}
