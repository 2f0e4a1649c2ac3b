//! The port of counts.

use async_trait::async_trait;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use latchkey_ports::{Statistics, StatisticsRepository, StoreError};
use latchkey_sql::{
    errors::store_error,
    statistics::{COUNT_ALL, COUNT_KINDS, KindCountRow, StatisticsRow, statistics},
};

use crate::PostgresStore;

#[async_trait]
impl StatisticsRepository for PostgresStore {
    async fn statistics(&self) -> Result<Statistics, StoreError> {
        let mut connection = self.connection().await?;
        let row: StatisticsRow =
            sql_query(COUNT_ALL).get_result(&mut connection).await.map_err(store_error)?;
        let kinds: Vec<KindCountRow> =
            sql_query(COUNT_KINDS).load(&mut connection).await.map_err(store_error)?;
        Ok(statistics(&row, kinds)?)
    }
}
