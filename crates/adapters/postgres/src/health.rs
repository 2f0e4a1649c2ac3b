//! The port of health.

use async_trait::async_trait;
use diesel::{QueryDsl, dsl::exists, select};
use diesel_async::RunQueryDsl;
use latchkey_ports::{Health, StoreError};
use tracing::instrument;

use crate::{PostgresStore, errors::unavailable, schema::environments};

#[async_trait]
impl Health for PostgresStore {
    /// Reads a row of the smallest table, so that a server without our tables is not called ready.
    #[instrument(level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), StoreError> {
        let reader = self.reader().await?;
        let mut connection = &**reader;
        let _: bool = select(exists(environments::table.select(environments::name)))
            .get_result(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
