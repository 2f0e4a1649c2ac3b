//! The port of health.

use async_trait::async_trait;
use diesel::{QueryDsl, RunQueryDsl, dsl::exists, select};
use latchkey_ports::{Health, StoreError};
use tracing::instrument;

use crate::{SqliteStore, schema::environments};

#[async_trait]
impl Health for SqliteStore {
    /// Reads a row of the smallest table: an answer that a constant would give tells nothing of the file.
    #[instrument(level = "debug", skip_all)]
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let _: bool =
                select(exists(environments::table.select(environments::name))).get_result(connection)?;
            Ok(())
        })
        .await
    }
}
