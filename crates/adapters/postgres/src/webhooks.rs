//! The port of webhooks.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, insert_into, sql_query,
    sql_types::{Array, BigInt},
    update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{DeliveryId, DeliveryState, EventId, NewEvent, Timestamp, Webhook, WebhookId};
use latchkey_ports::{
    Attempt, Claim, ConsumerMove, Delivery, DeliveryQuery, Entity, NewDelivery, SealedBytes, StoreError,
    StoredWebhook, WebhookRepository,
};
use latchkey_sql::{
    columns::{DbId, DbTime, Id, UtcTime},
    errors::{DbError, conflict_of, not_found, store_error},
    matching_deliveries,
    rows::{self, ChangedWebhookRow, DeliveryRow, NewWebhookRow, RedeliveredRow, WebhookRow},
    schema::{webhook_deliveries, webhooks},
    webhooks::{FORGOTTEN_AT_ONCE, all_webhooks, delivery, webhook},
};

use crate::{
    PostgresStore,
    connection::{Connection, FixedText},
    events::record,
    locks::{WEBHOOK_LANES, lock, lock_event_log},
    webhook_lanes::{end_attempt, enqueue},
};

/// Rows that another process claims, ends or deletes at this moment are skipped.
const CLAIM: &str = "\
    WITH due AS (\
        SELECT delivery.webhook_id, delivery.event_id FROM webhook_deliveries AS delivery \
        INNER JOIN webhooks AS webhook ON webhook.id = delivery.webhook_id \
        WHERE delivery.state = 'waiting' AND delivery.next_at <= $1 AND webhook.enabled \
        AND webhook.id <> ALL ($2) \
        ORDER BY delivery.next_at, delivery.event_id LIMIT $3 FOR UPDATE OF delivery SKIP LOCKED) \
    UPDATE webhook_deliveries AS claimed SET next_at = $4, attempts = claimed.attempts + 1 FROM due \
    WHERE claimed.webhook_id = due.webhook_id AND claimed.event_id = due.event_id RETURNING claimed.*";
const FORGET: &str = "\
    WITH old AS (\
        SELECT webhook_id, event_id FROM webhook_deliveries WHERE state <> 'waiting' \
        AND ended_at < CASE state WHEN 'failed' THEN $1 ELSE $2 END LIMIT $3 FOR UPDATE SKIP LOCKED) \
    DELETE FROM webhook_deliveries AS kept USING old \
    WHERE kept.webhook_id = old.webhook_id AND kept.event_id = old.event_id";

/// The type that stands for [`CLAIM`].
struct Claiming;

#[async_trait]
impl WebhookRepository for PostgresStore {
    async fn webhooks(&self) -> Result<Vec<StoredWebhook>, StoreError> {
        self.load_all::<WebhookRow, _>(all_webhooks()).await
    }

    async fn find_webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError> {
        self.load_optional::<WebhookRow, _>(webhook(DbId(id.0))).await
    }

    async fn create_webhook(
        &self,
        webhook: &Webhook,
        secret: &SealedBytes,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (webhook, secret, event) = (webhook.clone(), secret.clone(), event.clone());
        self.write(async move |connection| {
            // Before the number of the event is drawn, as readers of settled events demand.
            insert_into(webhooks::table)
                .values(NewWebhookRow::new(&webhook, &secret, EventId(0)))
                .execute(connection)
                .await
                .map_err(conflict_of(|_| Some(Entity::Webhook(webhook.id))))?;
            let lock = lock_event_log(connection).await?;
            let since = record(connection, &lock, &event).await?;
            update(webhooks::table.find(DbId(webhook.id.0)))
                .set(webhooks::since_event.eq(since.0))
                .execute(connection)
                .await?;
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
        self.write(async move |connection| {
            let kept = lock_webhook(connection, before.id).await?.map(|stored| stored.webhook);
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Webhook(before.id))?;
            let lock = lock_event_log(connection).await?;
            update(webhooks::table.find(DbId(before.id.0)))
                .set(ChangedWebhookRow::from(&after.target))
                .execute(connection)
                .await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_webhook(&self, id: WebhookId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            // No attempt ends and no delivery is added meanwhile, so the rows of deliveries can be locked in any order.
            lock(connection, WEBHOOK_LANES).await?;
            if lock_webhook(connection, id).await?.is_none() {
                return Err(not_found(Entity::Webhook(id)));
            }
            let deliveries = webhook_deliveries::table.filter(webhook_deliveries::webhook_id.eq(DbId(id.0)));
            diesel::delete(deliveries).execute(connection).await?;
            let lock = lock_event_log(connection).await?;
            diesel::delete(webhooks::table.find(DbId(id.0))).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn rekey_webhook(
        &self,
        id: WebhookId,
        from: &SealedBytes,
        to: &SealedBytes,
    ) -> Result<bool, StoreError> {
        let kept = webhooks::table
            .find(DbId(id.0))
            .filter(webhooks::secret_key.eq(from.key.0.as_slice()))
            .filter(webhooks::secret_sealed.eq(&*from.sealed));
        let new = (webhooks::secret_key.eq(to.key.0.as_slice()), webhooks::secret_sealed.eq(&*to.sealed));
        Ok(self.execute(update(kept).set(new)).await? > 0)
    }

    async fn enqueue_deliveries(
        &self,
        step: ConsumerMove,
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let deliveries = deliveries.to_vec();
        self.write(async move |connection| enqueue(connection, step, &deliveries, now).await).await
    }

    async fn claim_deliveries(&self, claim: &Claim) -> Result<Vec<Delivery>, StoreError> {
        let Claim { now, until, limit, ref except } = *claim;
        let except: Vec<DbId> = except.iter().map(|id| DbId(id.0)).collect();
        let statement = FixedText::<Claiming, _>::new(
            sql_query(CLAIM)
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<Array<Id>, _>(except)
                .bind::<BigInt, _>(i64::from(limit))
                .bind::<UtcTime, _>(DbTime::from(until)),
        );
        self.load_all::<DeliveryRow, _>(statement).await
    }

    async fn end_attempt(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let attempt = attempt.clone();
        self.write(async move |connection| end_attempt(connection, &attempt).await).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<DeliveryRow> =
            matching_deliveries!(*query).load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    async fn redeliver(&self, id: DeliveryId, now: Timestamp) -> Result<Delivery, StoreError> {
        let (webhook, event) = (DbId(id.webhook.0), id.event.0);
        let ended = webhook_deliveries::table
            .find((webhook, event))
            .filter(webhook_deliveries::state.ne(DeliveryState::Waiting.as_str()));
        self.execute(update(ended).set(RedeliveredRow::at(now))).await?;
        let found = self.load_optional::<DeliveryRow, _>(delivery(webhook, event)).await?;
        found.ok_or(StoreError::NotFound(Entity::Delivery(id)))
    }

    async fn forget_deliveries(
        &self,
        delivered_before: Timestamp,
        failed_before: Timestamp,
    ) -> Result<u64, StoreError> {
        self.forget(|| {
            sql_query(FORGET)
                .bind::<UtcTime, _>(DbTime::from(failed_before))
                .bind::<UtcTime, _>(DbTime::from(delivered_before))
                .bind::<BigInt, _>(FORGOTTEN_AT_ONCE)
        })
        .await
    }

    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let waiting = webhook_deliveries::state.eq(DeliveryState::Waiting.as_str());
        let count: i64 = webhook_deliveries::table
            .filter(waiting)
            .count()
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(count.unsigned_abs())
    }
}

/// Returns a webhook, and locks it: no other change of it begins, and no delivery of it is added.
async fn lock_webhook(connection: &mut Connection, id: WebhookId) -> Result<Option<StoredWebhook>, DbError> {
    let row: Option<WebhookRow> = webhooks::table
        .find(DbId(id.0))
        .select(WebhookRow::as_select())
        .for_update()
        .first(connection)
        .await
        .optional()?;
    Ok(rows::optional(row)?)
}
