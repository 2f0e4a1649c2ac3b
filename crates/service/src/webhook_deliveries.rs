//! Sending events to webhooks: at least once, those of one token in order, by all processes together.
//!
//! [`WebhookDeliveries::enqueue`] makes a delivery of each event and webhook, [`WebhookDeliveries::claim`] takes some that are due,
//! [`WebhookDeliveries::attempt`] sends one of them, and [`WebhookDeliveries::end`] records what became of it. A process that ends in between has claimed them for a while; then another
//! one sends them. That is the one way in which an event is sent again although it was received: whether it was could not be known.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{DeliveryId, Event, EventConsumer, EventId, Timestamp, WebhookId};
use latchkey_ports::{
    Attempt, Claim, Clock, Delivery, DeliveryOutcome, Entropy, EntropyExt as _, EventConsumerRepository,
    EventRepository, EventWriter, MAX_SENDING, NewDelivery, Outgoing, SealingError, SecretSealer, Sent,
    StoreError, StoredWebhook, WebhookRepository, WebhookSender,
};

use crate::{
    EventNews, PrincipalIndex, RetryPolicy, consumed_events::ConsumedEvents, retry::kept_error,
    webhook_secrets::open_secret,
};

/// How long a claimed delivery is left to the process that claimed it.
const CLAIMED_FOR: Duration = Duration::from_secs(2 * MAX_SENDING.as_secs());
/// How long deliveries are kept for lists.
const KEEP_DELIVERED: Duration = Duration::from_secs(7 * 86_400);
const KEEP_FAILED: Duration = Duration::from_secs(30 * 86_400);

/// The ports of sending.
#[derive(Clone)]
pub(crate) struct SendingPorts {
    pub(crate) webhooks: Arc<dyn WebhookRepository>,
    pub(crate) events: Arc<dyn EventRepository>,
    pub(crate) consumers: Arc<dyn EventConsumerRepository>,
    pub(crate) sealer: Arc<dyn SecretSealer>,
    pub(crate) sender: Arc<dyn WebhookSender>,
    pub(crate) writer: Arc<dyn EventWriter>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Sends events to webhooks. It is for the process itself, so it requires no permit.
pub struct WebhookDeliveries {
    ports: SendingPorts,
    events: ConsumedEvents,
    index: Arc<PrincipalIndex>,
    retry: RetryPolicy,
}

impl WebhookDeliveries {
    pub(crate) fn new(ports: SendingPorts, index: Arc<PrincipalIndex>, retry: RetryPolicy) -> Self {
        let events =
            ConsumedEvents::new(EventConsumer::Webhooks, ports.events.clone(), ports.consumers.clone());
        Self { ports, events, index, retry }
    }

    pub(crate) fn ports(&self) -> &SendingPorts {
        &self.ports
    }

    /// Returns the news of events.
    pub fn news(&self) -> EventNews {
        self.index.news()
    }

    /// Makes deliveries of all events that are settled, and returns their number; to be called at intervals and when there are news, by any
    /// number of processes.
    pub async fn enqueue(&self) -> Result<usize, StoreError> {
        let mut all = 0;
        loop {
            let webhooks = self.ports.webhooks.webhooks().await?;
            let Some(since) = webhooks.iter().map(|stored| stored.since).min() else { return Ok(all) };
            let Some(read) = self.events.next(since).await? else { return Ok(all) };
            // After the events, so that no webhook is missing that was there before one of them.
            let webhooks = self.ports.webhooks.webhooks().await?;
            let deliveries: Vec<_> = read
                .events
                .iter()
                .flat_map(|event| {
                    let wanting = webhooks
                        .iter()
                        .filter(move |stored| event.id > stored.since && stored.webhook.target.wants(event));
                    wanting.map(|stored| self.delivery(stored, event))
                })
                .collect();
            let now = self.ports.clock.now();
            // Otherwise another process has made them.
            if self.ports.webhooks.enqueue_deliveries(read.step, &deliveries, now).await? {
                all += deliveries.len();
            }
        }
    }

    /// Whether there are events that are not settled yet, so that the next ones come soon, without news.
    pub fn is_pending(&self) -> bool {
        self.events.is_pending()
    }

    fn delivery(&self, stored: &StoredWebhook, event: &Event) -> NewDelivery {
        let webhook = &stored.webhook;
        NewDelivery {
            id: DeliveryId { webhook: webhook.id, event: event.id },
            kind: event.record.kind,
            at: event.record.at,
            lane: event.record.subject,
            body: self.ports.writer.event(event, webhook.target.template),
        }
    }

    /// Claims deliveries that are due, at most that many, but none to these webhooks. Each of them is to be given to
    /// [`WebhookDeliveries::attempt`] at once.
    pub async fn claim(&self, limit: u32, except: Vec<WebhookId>) -> Result<Vec<Delivery>, StoreError> {
        let now = self.ports.clock.now();
        let until = now.plus(CLAIMED_FOR).unwrap_or(now);
        self.ports.webhooks.claim_deliveries(&Claim { now, until, limit, except }).await
    }

    /// Sends a claimed delivery once, and returns what is to be recorded ([`WebhookDeliveries::end`]); `None` if its webhook was removed.
    pub async fn attempt(&self, delivery: Delivery) -> Result<Option<Attempt>, StoreError> {
        let Some(stored) = self.ports.webhooks.find_webhook(delivery.id.webhook).await? else {
            return Ok(None);
        };
        let id = message_id(&delivery);
        let sent = match self.send(&stored, id, delivery.body).await {
            Ok(sent) => sent,
            Err(error) => Sent { status: None, duration: Duration::ZERO, error: Some(error.to_string()) },
        };
        let ended_at = self.ports.clock.now();
        let [noise] = self.ports.entropy.bytes();
        let outcome = match &sent.error {
            None => DeliveryOutcome::Delivered,
            Some(_) => self.retry.after(delivery.attempts, delivery.began_at, ended_at, noise),
        };
        Ok(Some(Attempt {
            delivery: delivery.id,
            number: delivery.attempts,
            outcome,
            ended_at,
            status: sent.status,
            duration: sent.duration,
            error: sent.error.as_deref().map(kept_error),
        }))
    }

    /// Records what became of an attempt, and returns whether it was not given up for lost meanwhile. To be called again if it fails, for a
    /// while: what is not recorded is sent again.
    pub async fn end(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        self.ports.webhooks.end_attempt(attempt).await
    }

    /// Sends a test, and returns what became of it.
    pub(crate) async fn ping(&self, stored: &StoredWebhook) -> Result<Sent, SealingError> {
        let body = self.ports.writer.ping(self.ports.clock.now(), stored.webhook.target.template);
        self.send(stored, format!("ping_{}", self.ports.entropy.uuid().simple()), body).await
    }

    async fn send(&self, stored: &StoredWebhook, id: String, body: String) -> Result<Sent, SealingError> {
        let secret = open_secret(&*self.ports.sealer, stored)?;
        let (url, at) = (stored.webhook.target.url.clone(), self.ports.clock.now());
        Ok(self.ports.sender.send(Outgoing { url, id, at, body, secret }).await)
    }

    /// Deletes deliveries that ended long ago, and returns their number.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        // A span before the first timestamp there is deletes nothing.
        let (Ok(delivered), Ok(failed)) = (now.minus(KEEP_DELIVERED), now.minus(KEEP_FAILED)) else {
            return Ok(0);
        };
        self.ports.webhooks.forget_deliveries(delivered, failed).await
    }

    /// Counts the deliveries that wait.
    pub async fn count_waiting(&self) -> Result<u64, StoreError> {
        self.ports.webhooks.count_waiting_deliveries().await
    }
}

/// Returns the id of the message, the same at each attempt. With its time, because a database that is restored gives numbers again.
fn message_id(Delivery { id: DeliveryId { webhook, event: EventId(event) }, at, .. }: &Delivery) -> String {
    format!("evt_{event}_{}_{}", at.millis(), webhook.0.simple())
}
