//! The port of webhooks.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    dsl::exists,
    insert_into, select, sql_query,
    sql_types::{BigInt, Text},
    update,
};
use latchkey_domain::{DeliveryId, DeliveryState, EventId, NewEvent, Timestamp, Webhook, WebhookId};
use latchkey_ports::{
    Attempt, Claim, ConsumerMove, Delivery, DeliveryQuery, Entity, NewDelivery, SealedBytes, StoreError,
    StoredWebhook, WebhookRepository,
};
use latchkey_sql::{
    columns::{DbId, DbInt, DbTime, Id, UtcTime},
    errors::{DbError, conflict_of, not_found},
    matching_deliveries,
    rows::{
        self, ChangedWebhookRow, DeliveryRow, EndedAttemptRow, NewWebhookRow, RedeliveredRow, WebhookRow,
    },
    schema::{webhook_deliveries, webhooks},
    webhooks::{FORGOTTEN_AT_ONCE, FREE_LANE, all_webhooks, attempted, delivery, webhook},
};
use serde_json::Value;

use crate::{SqliteStore, event_consumers::move_consumer, events::record};

/// The binds are when the claim ends, the present, the ids of webhooks to leave out (`["<id in hex>", …]`), and the number.
const CLAIM: &str = "\
    UPDATE webhook_deliveries SET next_at = ?, attempts = attempts + 1 \
    WHERE (webhook_id, event_id) IN (\
        SELECT delivery.webhook_id, delivery.event_id FROM webhook_deliveries AS delivery \
        INNER JOIN webhooks AS webhook ON webhook.id = delivery.webhook_id \
        WHERE delivery.state = 'waiting' AND delivery.next_at <= ? AND webhook.enabled \
        AND webhook.id NOT IN (SELECT unhex(value) FROM json_each(?)) \
        ORDER BY delivery.next_at, delivery.event_id LIMIT ?) \
    RETURNING *";
/// The binds are two moments and a number.
const FORGET: &str = "\
    DELETE FROM webhook_deliveries WHERE (webhook_id, event_id) IN (\
        SELECT webhook_id, event_id FROM webhook_deliveries WHERE state <> 'waiting' \
        AND ended_at < CASE state WHEN 'failed' THEN ? ELSE ? END LIMIT ?)";

#[async_trait]
impl WebhookRepository for SqliteStore {
    async fn webhooks(&self) -> Result<Vec<StoredWebhook>, StoreError> {
        self.read(|connection| {
            let rows: Vec<WebhookRow> = all_webhooks().load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn find_webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError> {
        self.read(move |connection| find(connection, id)).await
    }

    async fn create_webhook(
        &self,
        webhook: &Webhook,
        secret: &SealedBytes,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (webhook, secret, event) = (webhook.clone(), secret.clone(), event.clone());
        self.write(move |connection| {
            let since = record(connection, &event)?;
            insert_into(webhooks::table)
                .values(NewWebhookRow::new(&webhook, &secret, since))
                .execute(connection)
                .map_err(conflict_of(|_| Some(Entity::Webhook(webhook.id))))?;
            Ok(since)
        })
        .await
    }

    async fn update_webhook(
        &self,
        before: &Webhook,
        after: &Webhook,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            let kept = find(connection, before.id)?.map(|stored| stored.webhook);
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Webhook(before.id))?;
            update(webhooks::table.find(DbId(before.id.0)))
                .set(ChangedWebhookRow::from(&after.target))
                .execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    async fn delete_webhook(&self, id: WebhookId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if delete(webhooks::table.find(DbId(id.0))).execute(connection)? == 0 {
                return Err(not_found(Entity::Webhook(id)));
            }
            record(connection, &event)
        })
        .await
    }

    async fn rekey_webhook(
        &self,
        id: WebhookId,
        from: &SealedBytes,
        to: &SealedBytes,
    ) -> Result<bool, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |connection| {
            let kept = webhooks::table
                .find(DbId(id.0))
                .filter(webhooks::secret_key.eq(from.key.0.as_slice()))
                .filter(webhooks::secret_sealed.eq(&*from.sealed));
            let new = (webhooks::secret_key.eq(to.key.0.as_slice()), webhooks::secret_sealed.eq(&*to.sealed));
            Ok(update(kept).set(new).execute(connection)? > 0)
        })
        .await
    }

    async fn enqueue_deliveries(
        &self,
        step: ConsumerMove,
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let deliveries = deliveries.to_vec();
        self.write(move |connection| enqueue(connection, step, &deliveries, now)).await
    }

    async fn claim_deliveries(&self, claim: &Claim) -> Result<Vec<Delivery>, StoreError> {
        let Claim { now, until, limit, ref except } = *claim;
        let except: Vec<_> = except.iter().map(|id| Value::from(id.0.simple().to_string())).collect();
        let except = Value::from(except).to_string();
        self.write(move |connection| {
            let rows: Vec<DeliveryRow> = sql_query(CLAIM)
                .bind::<UtcTime, _>(DbTime::from(until))
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<Text, _>(except)
                .bind::<BigInt, _>(i64::from(limit))
                .load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn end_attempt(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let attempt = attempt.clone();
        self.write(move |connection| end_attempt(connection, &attempt)).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let query = *query;
        self.read(move |connection| {
            let rows: Vec<DeliveryRow> = matching_deliveries!(query).load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn redeliver(&self, id: DeliveryId, now: Timestamp) -> Result<Delivery, StoreError> {
        self.write(move |connection| {
            let (webhook, event) = (DbId(id.webhook.0), id.event.0);
            let ended = webhook_deliveries::table
                .find((webhook, event))
                .filter(webhook_deliveries::state.ne(DeliveryState::Waiting.as_str()));
            update(ended).set(RedeliveredRow::at(now)).execute(connection)?;
            let row: Option<DeliveryRow> = delivery(webhook, event).first(connection).optional()?;
            rows::optional(row)?.ok_or_else(|| not_found(Entity::Delivery(id)))
        })
        .await
    }

    async fn forget_deliveries(
        &self,
        delivered_before: Timestamp,
        failed_before: Timestamp,
    ) -> Result<u64, StoreError> {
        self.forget(move |connection| {
            let portion = sql_query(FORGET)
                .bind::<UtcTime, _>(DbTime::from(failed_before))
                .bind::<UtcTime, _>(DbTime::from(delivered_before))
                .bind::<BigInt, _>(FORGOTTEN_AT_ONCE);
            Ok(portion.execute(connection)?)
        })
        .await
    }

    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let waiting = webhook_deliveries::state.eq(DeliveryState::Waiting.as_str());
            let count: i64 = webhook_deliveries::table.filter(waiting).count().get_result(connection)?;
            Ok(count.unsigned_abs())
        })
        .await
    }
}

fn find(connection: &mut SqliteConnection, id: WebhookId) -> Result<Option<StoredWebhook>, DbError> {
    let row: Option<WebhookRow> = webhook(DbId(id.0)).first(connection).optional()?;
    Ok(rows::optional(row)?)
}

fn enqueue(
    connection: &mut SqliteConnection,
    step: ConsumerMove,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<bool, DbError> {
    if !move_consumer(connection, step)? {
        return Ok(false);
    }
    let there: Vec<DbId> = webhooks::table.select(webhooks::id).load(connection)?;
    let there: BTreeSet<DbId> = there.into_iter().collect();
    let mut occupied = BTreeSet::new();
    for (webhook, lane) in rows::lanes(deliveries) {
        let waiting = webhook_deliveries::table
            .filter(webhook_deliveries::webhook_id.eq(webhook))
            .filter(webhook_deliveries::lane.eq(&lane))
            .filter(webhook_deliveries::state.eq(DeliveryState::Waiting.as_str()));
        if select(exists(waiting)).get_result(connection)? {
            occupied.insert((webhook, lane));
        }
    }
    let wanted = deliveries.iter().filter(|new| there.contains(&DbId(new.id.webhook.0)));
    for row in rows::new_deliveries(wanted, occupied, now) {
        insert_into(webhook_deliveries::table).values(row).on_conflict_do_nothing().execute(connection)?;
    }
    Ok(true)
}

fn end_attempt(connection: &mut SqliteConnection, attempt: &Attempt) -> Result<bool, DbError> {
    let (webhook, event) = (DbId(attempt.delivery.webhook.0), attempt.delivery.event.0);
    let lane: Option<Option<String>> = update(attempted(webhook, event, DbInt(attempt.number.into())))
        .set(EndedAttemptRow::from(attempt))
        .returning(webhook_deliveries::lane)
        .get_result(connection)
        .optional()?;
    let Some(lane) = lane else { return Ok(false) };
    if let Some(lane) = lane
        && attempt.outcome.next_at().is_none()
    {
        sql_query(FREE_LANE)
            .bind::<UtcTime, _>(DbTime::from(attempt.ended_at))
            .bind::<Id, _>(webhook)
            .bind::<Text, _>(lane)
            .execute(connection)?;
    }
    Ok(true)
}
