//! The port of consumers of events.

use async_trait::async_trait;
use diesel::{
    OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use latchkey_domain::{EventConsumer, EventId};
use latchkey_ports::{ConsumerMove, EventConsumerRepository, StoreError};
use latchkey_sql::{errors::DbError, event_consumers::MOVE_CONSUMER, schema::event_consumers};

use crate::SqliteStore;

#[async_trait]
impl EventConsumerRepository for SqliteStore {
    async fn consumed(&self, consumer: EventConsumer) -> Result<EventId, StoreError> {
        self.read(move |connection| {
            let position = event_consumers::table.find(consumer.as_str()).select(event_consumers::last_event);
            let position: Option<i64> = position.first(connection).optional()?;
            Ok(EventId(position.unwrap_or(0)))
        })
        .await
    }
}

/// Moves the position of a consumer, if it is where the caller thinks.
pub(crate) fn move_consumer(connection: &mut SqliteConnection, step: ConsumerMove) -> Result<bool, DbError> {
    let moved = sql_query(MOVE_CONSUMER)
        .bind::<Text, _>(step.consumer.as_str())
        .bind::<BigInt, _>(step.to.0)
        .bind::<BigInt, _>(step.from.0)
        .execute(connection)?;
    Ok(moved > 0)
}
