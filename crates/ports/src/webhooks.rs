//! Webhooks, and their deliveries: what is sent to them, and what became of it.

use std::time::Duration;

use async_trait::async_trait;
use latchkey_domain::{
    DeliveryId, DeliveryState, EventId, EventKind, NewEvent, Subject, Timestamp, Webhook, WebhookId,
};
use latchkey_port_macros::observed;

use crate::{ConsumerMove, DeliveryOutcome, SealedBytes, StoreError};

/// A webhook with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebhook {
    pub webhook: Webhook,
    /// With which its deliveries are signed.
    pub secret: SealedBytes,
    /// The number of the event of its creation; later events are sent.
    pub since: EventId,
}

/// A delivery to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub kind: EventKind,
    /// When the event happened.
    pub at: Timestamp,
    /// Deliveries of one webhook about one subject are made one after another, in the order of events; `None`: without an order.
    pub lane: Option<Subject>,
    /// What is sent.
    pub body: String,
}

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub kind: EventKind,
    pub at: Timestamp,
    /// As [`NewDelivery::lane`]; `None` once it was redelivered.
    pub lane: Option<Subject>,
    pub body: String,
    pub state: DeliveryState,
    /// How often it was sent, the attempt that is on its way included.
    pub attempts: u32,
    /// When it is sent, or sent again if the process that sends it does not say what became of it. `None`: it has ended, or others are
    /// before it in its lane.
    pub next_at: Option<Timestamp>,
    /// When it began to be tried.
    pub began_at: Timestamp,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
    /// The status of the last response.
    pub status: Option<u16>,
    /// How long the last attempt took.
    pub duration: Option<Duration>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// An attempt that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub delivery: DeliveryId,
    /// [`Delivery::attempts`] as it was claimed, so that an attempt that was given up for lost changes nothing.
    pub number: u32,
    pub outcome: DeliveryOutcome,
    pub ended_at: Timestamp,
    pub status: Option<u16>,
    pub duration: Duration,
    pub error: Option<String>,
}

/// Which deliveries of a webhook a list shows, newest event first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryQuery {
    pub webhook: WebhookId,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those of lower events.
    pub below: Option<EventId>,
    pub limit: u32,
}

/// A claim of deliveries that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub now: Timestamp,
    /// When they are due again, unless the attempts have ended by then.
    pub until: Timestamp,
    pub limit: u32,
    /// Webhooks whose deliveries are left to later.
    pub except: Vec<WebhookId>,
}

/// The webhooks and their deliveries.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WebhookRepository: Send + Sync {
    /// Returns all webhooks, by creation, then id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn webhooks(&self) -> Result<Vec<StoredWebhook>, StoreError>;

    /// Returns the webhook of this id.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError>;

    /// Adds a webhook, which begins after the event.
    ///
    /// # Errors
    /// `Conflict` if there is one of this id; `Unavailable`.
    async fn create_webhook(
        &self,
        webhook: &Webhook,
        secret: &SealedBytes,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Replaces the target of a webhook.
    ///
    /// # Errors
    /// `NotFound`; `Stale` if it is not as it was before; `Unavailable`.
    async fn update_webhook(
        &self,
        before: &Webhook,
        after: &Webhook,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes a webhook with its deliveries.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`.
    async fn delete_webhook(&self, id: WebhookId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Moves the secret of a webhook to another master key, and returns whether it was as it is said to be. No event.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn rekey_webhook(
        &self,
        id: WebhookId,
        from: &SealedBytes,
        to: &SealedBytes,
    ) -> Result<bool, StoreError>;

    /// Moves the position of a consumer of events and adds deliveries, due now, together; returns whether it did. Otherwise another process
    /// was first. Deliveries of webhooks that were removed are left out. They are given in the order of events.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn enqueue_deliveries(
        &self,
        step: ConsumerMove,
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Claims waiting deliveries of enabled webhooks that are due, those that have waited longest first, and counts an attempt of each. Of
    /// each lane there is one at a time. No two calls claim the same one, unless its claim has run out.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn claim_deliveries(&self, claim: &Claim) -> Result<Vec<Delivery>, StoreError>;

    /// Records what became of an attempt, and makes the next of its lane due if it has ended. Returns whether it was still the last
    /// attempt of a waiting delivery; otherwise nothing is changed.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn end_attempt(&self, attempt: &Attempt) -> Result<bool, StoreError>;

    /// Returns deliveries, newest event first.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, StoreError>;

    /// Makes a delivery that has ended due again, outside of the order, and returns it; one that waits is returned as it is.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable`; `Inconsistent`.
    async fn redeliver(&self, id: DeliveryId, now: Timestamp) -> Result<Delivery, StoreError>;

    /// Deletes deliveries that were made before the first of these moments, or given up before the second, in batches. Returns their
    /// number.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_deliveries(
        &self,
        delivered_before: Timestamp,
        failed_before: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Returns the number of deliveries that wait.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError>;
}
