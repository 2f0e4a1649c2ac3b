//! Webhooks: which there are, and what was sent to them. Sending itself is in `webhook_deliveries`.

use std::sync::Arc;

use latchkey_domain::{
    DeliveryId, DeliveryState, EventId, EventKind, Webhook, WebhookId, WebhookSecret, WebhookTarget,
};
use latchkey_ports::{Delivery, DeliveryQuery, EntropyExt as _, Sent, StoredWebhook};

use crate::{
    InstancePermit, ManageWebhooks, Missing, ServiceError, WebhookDeliveries, changes::Changes,
    webhook_deliveries::SendingPorts, webhook_secrets::seal_secret,
};

/// A new webhook with its secret, which is not shown again.
#[derive(Debug, Clone)]
pub struct CreatedWebhook {
    pub webhook: Webhook,
    pub secret: WebhookSecret,
}

/// A page of deliveries, newest event first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPage {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those of lower events.
    pub below: Option<EventId>,
    /// The maximum number; above [`Webhooks::MAX_DELIVERIES`] it is that.
    pub limit: u32,
}

/// The use cases of this module.
pub struct Webhooks {
    ports: SendingPorts,
    changes: Changes,
    deliveries: Arc<WebhookDeliveries>,
}

type Managing = InstancePermit<ManageWebhooks>;

impl Webhooks {
    /// The maximum number of deliveries on a page.
    pub const MAX_DELIVERIES: u32 = 1_000;

    pub(crate) fn new(deliveries: Arc<WebhookDeliveries>, changes: Changes) -> Self {
        Self { ports: deliveries.ports().clone(), changes, deliveries }
    }

    /// Returns all webhooks, by creation.
    pub async fn list(&self, _: &Managing) -> Result<Vec<Webhook>, ServiceError> {
        let webhooks = self.ports.webhooks.webhooks().await?;
        Ok(webhooks.into_iter().map(|stored| stored.webhook).collect())
    }

    /// Returns the webhook of this id.
    pub async fn get(&self, _: &Managing, id: WebhookId) -> Result<Webhook, ServiceError> {
        Ok(self.find(id).await?.webhook)
    }

    /// Creates a webhook. What happens from then on is sent to it.
    pub async fn create(
        &self,
        permit: &Managing,
        target: WebhookTarget,
    ) -> Result<CreatedWebhook, ServiceError> {
        let id = WebhookId(self.ports.entropy.uuid());
        let webhook = Webhook { id, target, created_at: self.changes.now() };
        let secret = WebhookSecret::mint(self.ports.entropy.bytes());
        let sealed = seal_secret(&*self.ports.sealer, &secret, id)?;
        let event = self.changes.event(EventKind::WebhookCreated, &permit.initiator()).with_after(&webhook);
        self.ports.webhooks.create_webhook(&webhook, &sealed, &event).await?;
        self.changes.after_commit(&event);
        Ok(CreatedWebhook { webhook, secret })
    }

    /// Replaces all of a webhook but its secret, and returns the result. If that changes nothing, there is no event.
    pub async fn replace(
        &self,
        permit: &Managing,
        id: WebhookId,
        target: &WebhookTarget,
    ) -> Result<Webhook, ServiceError> {
        let replaced = self.changes.retry_on_conflict(async || -> Result<Webhook, ServiceError> {
            let before = self.find(id).await?.webhook;
            let after = Webhook { target: target.clone(), ..before.clone() };
            if after == before {
                return Ok(after);
            }
            let event = self.changes.event(EventKind::WebhookUpdated, &permit.initiator());
            let event = event.with_before(&before).with_after(&after);
            self.ports.webhooks.update_webhook(&before, &after, &event).await?;
            self.changes.after_commit(&event);
            Ok(after)
        });
        replaced.await
    }

    /// Removes a webhook. What waits is not sent any more.
    pub async fn delete(&self, permit: &Managing, id: WebhookId) -> Result<(), ServiceError> {
        let webhook = self.find(id).await?.webhook;
        let event = self.changes.event(EventKind::WebhookDeleted, &permit.initiator()).with_before(&webhook);
        self.ports.webhooks.delete_webhook(id, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Sends a test, also to a webhook that is disabled, and returns what became of it.
    pub async fn ping(&self, _: &Managing, id: WebhookId) -> Result<Sent, ServiceError> {
        Ok(self.deliveries.ping(&self.find(id).await?).await?)
    }

    /// Returns the deliveries of a webhook, newest event first. Those that were made are kept for a week, those that were given up for a
    /// month.
    pub async fn deliveries(
        &self,
        _: &Managing,
        id: WebhookId,
        page: DeliveryPage,
    ) -> Result<Vec<Delivery>, ServiceError> {
        let DeliveryPage { state, below, limit } = page;
        let query = DeliveryQuery { webhook: id, state, below, limit: limit.min(Self::MAX_DELIVERIES) };
        let found = self.ports.webhooks.deliveries(&query).await?;
        if found.is_empty() {
            self.find(id).await?;
        }
        Ok(found)
    }

    /// Sends a delivery that has ended again, and returns it; one that waits is returned as it is.
    pub async fn redeliver(&self, _: &Managing, id: DeliveryId) -> Result<Delivery, ServiceError> {
        self.find(id.webhook).await?;
        Ok(self.ports.webhooks.redeliver(id, self.changes.now()).await?)
    }

    async fn find(&self, id: WebhookId) -> Result<StoredWebhook, ServiceError> {
        Ok(self.ports.webhooks.find_webhook(id).await?.ok_or(Missing::Webhook)?)
    }
}
