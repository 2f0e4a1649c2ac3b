//! The port of counts.

use async_trait::async_trait;
use diesel::{RunQueryDsl, sql_query};
use latchkey_ports::{Statistics, StatisticsRepository, StoreError};
use latchkey_sql::statistics::{COUNT_ALL, COUNT_KINDS, KindCountRow, StatisticsRow, statistics};

use crate::SqliteStore;

#[async_trait]
impl StatisticsRepository for SqliteStore {
    async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.read_snapshot(|connection| {
            let row: StatisticsRow = sql_query(COUNT_ALL).get_result(connection)?;
            let kinds: Vec<KindCountRow> = sql_query(COUNT_KINDS).load(connection)?;
            Ok(statistics(&row, kinds)?)
        })
        .await
    }
}
