//! The port of consumers of events.

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryDsl, sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventConsumer, EventId};
use latchkey_ports::{ConsumerMove, EventConsumerRepository, StoreError};
use latchkey_sql::{
    errors::{DbError, store_error},
    event_consumers::MOVE_CONSUMER,
    schema::event_consumers,
};

use crate::{PostgresStore, connection::Connection};

#[async_trait]
impl EventConsumerRepository for PostgresStore {
    async fn consumed(&self, consumer: EventConsumer) -> Result<EventId, StoreError> {
        let mut connection = self.connection().await?;
        let position: Option<i64> = event_consumers::table
            .find(consumer.as_str())
            .select(event_consumers::last_event)
            .first(&mut connection)
            .await
            .optional()
            .map_err(store_error)?;
        Ok(EventId(position.unwrap_or(0)))
    }
}

/// Moves the position of a consumer, if it is where the caller thinks.
pub(crate) async fn move_consumer(connection: &mut Connection, step: ConsumerMove) -> Result<bool, DbError> {
    let moved = sql_query(MOVE_CONSUMER)
        .bind::<Text, _>(step.consumer.as_str())
        .bind::<BigInt, _>(step.to.0)
        .bind::<BigInt, _>(step.from.0)
        .execute(connection)
        .await?;
    Ok(moved > 0)
}
