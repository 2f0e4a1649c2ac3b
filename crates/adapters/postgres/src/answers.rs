//! Keeping answers within a transaction.

use diesel::{sql_query, sql_types::Binary};
use diesel_async::RunQueryDsl;
use latchkey_ports::{Entity, KeptAnswer};
use latchkey_sql::{
    columns::{DbTime, UtcTime},
    errors::{DbError, conflict},
    queries::KEEP_ANSWER,
    rows,
};

use crate::connection::Connection;

/// Keeps an answer, if none is kept under its key. Waits for another transaction that keeps one under it.
pub(crate) async fn keep_answer(connection: &mut Connection, answer: &KeptAnswer) -> Result<(), DbError> {
    let kept = sql_query(KEEP_ANSWER)
        .bind::<Binary, _>(answer.key.0.as_slice())
        .bind::<Binary, _>(answer.fingerprint.as_slice())
        .bind::<UtcTime, _>(DbTime::from(answer.at))
        .bind::<Binary, _>(answer.body.key.0.as_slice())
        .bind::<Binary, _>(&*answer.body.sealed)
        .bind::<UtcTime, _>(rows::answers_kept_since(answer.at))
        .execute(connection)
        .await?;
    if kept == 0 { Err(conflict(Entity::Answer)) } else { Ok(()) }
}
