//! Webhooks, and their deliveries.

use async_trait::async_trait;
use latchkey_domain::{DeliveryId, DeliveryState, EventId, NewEvent, Subject, Timestamp, Webhook, WebhookId};
use latchkey_ports::{
    Attempt, Claim, ConsumerMove, Delivery, DeliveryQuery, Entity, NewDelivery, SealedBytes, StoreError,
    StoredWebhook, WebhookRepository,
};

use crate::{
    MemoryStore,
    state::{State, count, to_usize},
};

impl State {
    fn webhook(&self, id: WebhookId) -> Result<&StoredWebhook, StoreError> {
        self.webhooks.get(&id).ok_or(StoreError::NotFound(Entity::Webhook(id)))
    }

    /// Returns the waiting deliveries of a lane, in order.
    fn waiting_in(&self, webhook: WebhookId, lane: Subject) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().filter(move |delivery| {
            delivery.id.webhook == webhook
                && delivery.lane == Some(lane)
                && delivery.state == DeliveryState::Waiting
        })
    }

    fn enqueue(&mut self, new: &NewDelivery, now: Timestamp) {
        let NewDelivery { id, kind, at, lane, body } = new.clone();
        if !self.webhooks.contains_key(&id.webhook) || self.deliveries.contains_key(&id) {
            return;
        }
        let is_blocked = lane.is_some_and(|lane| self.waiting_in(id.webhook, lane).next().is_some());
        let delivery = Delivery {
            id,
            kind,
            at,
            lane,
            body,
            state: DeliveryState::Waiting,
            attempts: 0,
            next_at: (!is_blocked).then_some(now),
            began_at: now,
            ended_at: None,
            status: None,
            duration: None,
            error: None,
        };
        self.deliveries.insert(id, delivery);
    }

    fn claim(&mut self, Claim { now, until, limit, except }: &Claim) -> Vec<Delivery> {
        let is_open = |id: WebhookId| {
            !except.contains(&id)
                && self.webhooks.get(&id).is_some_and(|stored| stored.webhook.target.enabled)
        };
        let due = self.deliveries.values().filter_map(|delivery| {
            let at = delivery.next_at.filter(|at| at <= now)?;
            is_open(delivery.id.webhook).then_some((at, delivery.id.event, delivery.id))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        due.truncate(to_usize(*limit));
        let claimed = due.into_iter().filter_map(|(_, _, id)| {
            let delivery = self.deliveries.get_mut(&id)?;
            delivery.attempts += 1;
            delivery.next_at = Some(*until);
            Some(delivery.clone())
        });
        claimed.collect()
    }

    fn end_attempt(&mut self, attempt: &Attempt) -> bool {
        let Attempt { delivery: id, number, outcome, ended_at, status, duration, error } = attempt;
        let Some(delivery) = self.deliveries.get_mut(id) else { return false };
        if delivery.state != DeliveryState::Waiting || delivery.attempts != *number {
            return false;
        }
        (delivery.status, delivery.duration, delivery.error) = (*status, Some(*duration), error.clone());
        (delivery.state, delivery.next_at) = (outcome.state(), outcome.next_at());
        if delivery.state == DeliveryState::Waiting {
            return true;
        }
        delivery.ended_at = Some(*ended_at);
        let next =
            delivery.lane.and_then(|lane| self.waiting_in(id.webhook, lane).next().map(|next| next.id));
        if let Some(next) = next.and_then(|id| self.deliveries.get_mut(&id)) {
            next.next_at = next.next_at.or(Some(*ended_at));
        }
        true
    }
}

#[async_trait]
impl WebhookRepository for MemoryStore {
    async fn webhooks(&self) -> Result<Vec<StoredWebhook>, StoreError> {
        let mut webhooks: Vec<_> = self.state().webhooks.values().cloned().collect();
        // Stable, and they are in the order of their ids.
        webhooks.sort_by_key(|stored| stored.webhook.created_at);
        Ok(webhooks)
    }

    async fn find_webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError> {
        Ok(self.state().webhooks.get(&id).cloned())
    }

    async fn create_webhook(
        &self,
        webhook: &Webhook,
        secret: &SealedBytes,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.webhooks.contains_key(&webhook.id) {
            return Err(StoreError::Conflict(Entity::Webhook(webhook.id)));
        }
        let since = state.record(event.clone());
        let stored = StoredWebhook { webhook: webhook.clone(), secret: secret.clone(), since };
        state.webhooks.insert(webhook.id, stored);
        Ok(since)
    }

    async fn update_webhook(
        &self,
        before: &Webhook,
        after: &Webhook,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        let kept = state.webhooks.get(&before.id).map(|stored| &stored.webhook);
        StoreError::check_unchanged(kept, before, Entity::Webhook(before.id))?;
        if let Some(stored) = state.webhooks.get_mut(&before.id) {
            stored.webhook.target = after.target.clone();
        }
        Ok(state.record(event.clone()))
    }

    async fn delete_webhook(&self, id: WebhookId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.webhook(id)?;
        state.webhooks.remove(&id);
        state.deliveries.retain(|delivery, _| delivery.webhook != id);
        Ok(state.record(event.clone()))
    }

    async fn rekey_webhook(
        &self,
        id: WebhookId,
        from: &SealedBytes,
        to: &SealedBytes,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stored = state.webhooks.get_mut(&id).filter(|stored| stored.secret == *from);
        let Some(stored) = stored else { return Ok(false) };
        stored.secret = to.clone();
        Ok(true)
    }

    async fn enqueue_deliveries(
        &self,
        step: ConsumerMove,
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let has_moved = state.move_consumer(step);
        if has_moved {
            for new in deliveries {
                state.enqueue(new, now);
            }
        }
        Ok(has_moved)
    }

    async fn claim_deliveries(&self, claim: &Claim) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.state().claim(claim))
    }

    async fn end_attempt(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        Ok(self.state().end_attempt(attempt))
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let DeliveryQuery { webhook, state: wanted, below, limit } = *query;
        let state = self.state();
        let found = state.deliveries.values().rev().filter(|delivery| {
            delivery.id.webhook == webhook
                && wanted.is_none_or(|wanted| delivery.state == wanted)
                && below.is_none_or(|below| delivery.id.event < below)
        });
        Ok(found.take(to_usize(limit)).cloned().collect())
    }

    async fn redeliver(&self, id: DeliveryId, now: Timestamp) -> Result<Delivery, StoreError> {
        let mut state = self.state();
        let delivery = state.deliveries.get_mut(&id).ok_or(StoreError::NotFound(Entity::Delivery(id)))?;
        if delivery.state != DeliveryState::Waiting {
            delivery.state = DeliveryState::Waiting;
            (delivery.lane, delivery.attempts, delivery.ended_at) = (None, 0, None);
            (delivery.next_at, delivery.began_at) = (Some(now), now);
        }
        Ok(delivery.clone())
    }

    async fn forget_deliveries(
        &self,
        delivered_before: Timestamp,
        failed_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.deliveries.len();
        state.deliveries.retain(|_, delivery| {
            let end = if delivery.state == DeliveryState::Failed { failed_before } else { delivered_before };
            delivery.ended_at.is_none_or(|ended_at| ended_at >= end)
        });
        Ok(count(state.deliveries.len()..before))
    }

    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError> {
        let state = self.state();
        let is_waiting = |delivery: &&Delivery| delivery.state == DeliveryState::Waiting;
        Ok(count(state.deliveries.values().filter(is_waiting)))
    }
}
