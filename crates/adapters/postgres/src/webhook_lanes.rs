//! Adding deliveries to lanes, and ending them: of each lane the first one that waits is due, and all others are not.
//!
//! Both hold [`WEBHOOK_LANES`]: additions as a whole, so that there is one at a time and none while an attempt ends; ends share it. An
//! addition therefore sees each delivery before in its lanes either as waiting or as ended, and an end sees each that follows.

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName, insert_into, sql_query,
    sql_types::{Array, Text},
    update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::Timestamp;
use latchkey_ports::{Attempt, ConsumerMove, NewDelivery};
use latchkey_sql::{
    columns::{DbId, DbInt, DbTime, Id, UtcTime},
    errors::DbError,
    rows::{self, EndedAttemptRow},
    schema::{webhook_deliveries, webhooks},
    webhooks::{FREE_LANE, attempted},
};

use crate::{
    connection::Connection,
    event_consumers::move_consumer,
    insertion::portions,
    locks::{WEBHOOK_LANES, lock, share},
};

/// Selects those of these lanes in which deliveries wait.
const OCCUPIED: &str = "\
    SELECT asked.webhook_id, asked.lane FROM unnest($1, $2) AS asked (webhook_id, lane) WHERE EXISTS (\
        SELECT 1 FROM webhook_deliveries AS kept WHERE kept.webhook_id = asked.webhook_id \
        AND kept.lane = asked.lane AND kept.state = 'waiting')";

/// A row of [`OCCUPIED`].
#[derive(QueryableByName)]
struct LaneRow {
    #[diesel(sql_type = Id)]
    webhook_id: DbId,
    #[diesel(sql_type = Text)]
    lane: String,
}

/// Moves the position of the consumer, and adds deliveries.
pub(crate) async fn enqueue(
    connection: &mut Connection,
    step: ConsumerMove,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<bool, DbError> {
    if !move_consumer(connection, step).await? {
        return Ok(false);
    }
    if deliveries.is_empty() {
        return Ok(true);
    }
    lock(connection, WEBHOOK_LANES).await?;
    let ids: BTreeSet<DbId> = deliveries.iter().map(|new| DbId(new.id.webhook.0)).collect();
    let there: Vec<DbId> = webhooks::table
        .filter(webhooks::id.eq_any(ids))
        .order(webhooks::id)
        .select(webhooks::id)
        .for_key_share()
        .load(connection)
        .await?;
    let (owners, names): (Vec<DbId>, Vec<String>) = rows::lanes(deliveries).into_iter().unzip();
    let occupied: Vec<LaneRow> = sql_query(OCCUPIED)
        .bind::<Array<Id>, _>(owners)
        .bind::<Array<Text>, _>(names)
        .load(connection)
        .await?;
    let occupied = occupied.into_iter().map(|row| (row.webhook_id, row.lane)).collect();
    let wanted = deliveries.iter().filter(|new| there.contains(&DbId(new.id.webhook.0)));
    for some in portions(rows::new_deliveries(wanted, occupied, now)) {
        insert_into(webhook_deliveries::table)
            .values(some)
            .on_conflict_do_nothing()
            .execute(connection)
            .await?;
    }
    Ok(true)
}

/// Records what became of an attempt, and makes the next of its lane due.
pub(crate) async fn end_attempt(connection: &mut Connection, attempt: &Attempt) -> Result<bool, DbError> {
    share(connection, WEBHOOK_LANES).await?;
    let (webhook, event) = (DbId(attempt.delivery.webhook.0), attempt.delivery.event.0);
    let lane: Option<Option<String>> = update(attempted(webhook, event, DbInt(attempt.number.into())))
        .set(EndedAttemptRow::from(attempt))
        .returning(webhook_deliveries::lane)
        .get_result(connection)
        .await
        .optional()?;
    let Some(lane) = lane else { return Ok(false) };
    if let Some(lane) = lane
        && attempt.outcome.next_at().is_none()
    {
        sql_query(FREE_LANE)
            .bind::<UtcTime, _>(DbTime::from(attempt.ended_at))
            .bind::<Id, _>(webhook)
            .bind::<Text, _>(lane)
            .execute(connection)
            .await?;
    }
    Ok(true)
}
