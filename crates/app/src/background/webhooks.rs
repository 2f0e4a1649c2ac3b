//! Sends events to webhooks: makes deliveries of events, sends those that are due, and ends the attempts in progress at a stop.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchkey_domain::WebhookId;
use latchkey_metrics::names::{WEBHOOK_DELIVERIES, WEBHOOK_DELIVERIES_WAITING};
use latchkey_ports::{Attempt, Delivery, DeliveryOutcome, ErrorChain, StoreError};
use latchkey_service::UseCases;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::{report::report, to_the_end::to_the_end};
use crate::clock::ticks;

/// How often it is looked for events without news of them.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon events that are not settled are asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often it is looked for deliveries that are due, without news of them.
const CLAIM_EVERY: Duration = Duration::from_millis(500);
/// The pause after the store was not available.
const PAUSE: Duration = Duration::from_secs(1);
/// How often, with that pause, it is tried to record what became of an attempt: as long as no other process sends it again.
const RECORDING_TRIES: u32 = 20;
/// How often the deliveries that wait are counted for metrics.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// The attempts of this process that are in progress.
pub(crate) struct Attempts {
    workers: u32,
    places: Arc<Semaphore>,
    by_webhook: Mutex<HashMap<WebhookId, u32>>,
    /// Told when an attempt has ended, or deliveries were made.
    news: Notify,
}

/// One of them, until it is dropped.
struct InProgress {
    attempts: Arc<Attempts>,
    webhook: WebhookId,
    place: Option<OwnedSemaphorePermit>,
}

impl Attempts {
    /// Room for this many (`webhooks.workers`).
    pub(crate) fn new(workers: u32) -> Arc<Self> {
        let places = usize::try_from(workers).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            workers,
            places: Arc::new(Semaphore::new(places)),
            by_webhook: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// How many attempts there may be to one webhook: a receiver that does not answer must leave room for others.
    fn share(&self) -> u32 {
        self.workers.div_ceil(2)
    }

    /// Takes the places of the deliveries that may be claimed at once; `None` if there are none.
    fn take_places(&self) -> Option<OwnedSemaphorePermit> {
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        match free.min(self.share()) {
            0 => None,
            count => Arc::clone(&self.places).try_acquire_many_owned(count).ok(),
        }
    }

    /// Returns the webhooks that have their share already.
    fn busy(&self) -> Vec<WebhookId> {
        let by_webhook = self.by_webhook.lock().unwrap_or_else(PoisonError::into_inner);
        by_webhook.iter().filter(|(_, count)| **count >= self.share()).map(|(id, _)| *id).collect()
    }

    fn begin(self: &Arc<Self>, webhook: WebhookId, place: OwnedSemaphorePermit) -> InProgress {
        *self.by_webhook.lock().unwrap_or_else(PoisonError::into_inner).entry(webhook).or_default() += 1;
        InProgress { attempts: Arc::clone(self), webhook, place: Some(place) }
    }

    /// Waits until all attempts have ended, for that long at most. No other may begin.
    pub(super) async fn finish(&self, limit: Duration) {
        if timeout(limit, self.places.acquire_many(self.workers)).await.is_err() {
            tracing::warn!(
                "attempts to reach webhooks did not end within {limit:?}; their events are sent again"
            );
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut by_webhook = self.attempts.by_webhook.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_webhook.get_mut(&self.webhook) {
            *count -= 1;
            if *count == 0 {
                by_webhook.remove(&self.webhook);
            }
        }
        drop(by_webhook);
        // Before it is told, so that there is room when it is looked for.
        drop(self.place.take());
        self.attempts.news.notify_one();
    }
}

/// Makes deliveries of events. That the database is unavailable is no news: the follower of the feed reports it.
pub(super) async fn enqueue(use_cases: Arc<UseCases>, attempts: Arc<Attempts>) {
    let deliveries = &use_cases.webhook_deliveries;
    let mut news = deliveries.news();
    loop {
        match deliveries.enqueue().await {
            Ok(0) => {}
            Ok(_) => attempts.news.notify_one(),
            Err(error) => {
                report(&error, "events could not be made deliveries to webhooks; it is tried again");
            }
        }
        let pause = if deliveries.is_pending() { ASK_AGAIN_AFTER } else { LOOK_EVERY };
        tokio::select! {
            () = sleep(pause) => {}
            () = news.next() => {}
        }
    }
}

/// Sends deliveries that are due. Each attempt is a task of its own, which goes on when this one ends.
pub(super) async fn deliver(use_cases: Arc<UseCases>, attempts: Arc<Attempts>) {
    loop {
        let claimed = match attempts.take_places() {
            None => Ok(0),
            Some(places) => to_the_end(claim(Arc::clone(&use_cases), Arc::clone(&attempts), places)).await,
        };
        let pause = match claimed {
            Ok(0) => CLAIM_EVERY,
            Ok(_) => continue,
            Err(error) => {
                report(&error, "deliveries to webhooks could not be claimed; it is tried again");
                PAUSE
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = attempts.news.notified() => {}
        }
    }
}

/// Claims deliveries that are due, begins to send them, and returns their number. It holds the places meanwhile, so that a stop
/// waits for it.
async fn claim(
    use_cases: Arc<UseCases>,
    attempts: Arc<Attempts>,
    mut places: OwnedSemaphorePermit,
) -> Result<usize, StoreError> {
    let limit = u32::try_from(places.num_permits()).unwrap_or(u32::MAX);
    let claimed = use_cases.webhook_deliveries.claim(limit, attempts.busy()).await?;
    let count = claimed.len();
    for delivery in claimed {
        // There is one for each.
        if let Some(place) = places.split(1) {
            let in_progress = attempts.begin(delivery.id.webhook, place);
            tokio::spawn(attempt(Arc::clone(&use_cases), delivery, in_progress));
        }
    }
    Ok(count)
}

/// Sends one delivery, and records what becomes of it.
async fn attempt(use_cases: Arc<UseCases>, delivery: Delivery, _place: InProgress) {
    let id = delivery.id;
    match use_cases.webhook_deliveries.attempt(delivery).await {
        Ok(Some(attempt)) => record(&use_cases, &attempt).await,
        Ok(None) => {}
        // It was not sent.
        Err(error) => {
            tracing::debug!(webhook = %id.webhook, event = id.event.0, error = %ErrorChain(&error), "not sent");
        }
    }
}

async fn record(use_cases: &UseCases, attempt: &Attempt) {
    let (webhook, event) = (attempt.delivery.webhook, attempt.delivery.event.0);
    for _ in 0..RECORDING_TRIES {
        match use_cases.webhook_deliveries.end(attempt).await {
            Ok(_) => {
                WEBHOOK_DELIVERIES.add([result(attempt.outcome)], 1);
                if let (DeliveryOutcome::Failed, Some(error)) = (attempt.outcome, &attempt.error) {
                    tracing::warn!(%webhook, event, error, "an event was not delivered and is given up");
                }
                return;
            }
            Err(error) => {
                tracing::debug!(%webhook, event, error = %ErrorChain(&error), "recorded later");
                sleep(PAUSE).await;
            }
        }
    }
    tracing::warn!(%webhook, event, "what became of an event could not be recorded; it is sent again");
}

fn result(outcome: DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Delivered => "delivered",
        DeliveryOutcome::Retry(_) => "retried",
        DeliveryOutcome::Failed => "failed",
    }
}

/// Counts the deliveries that wait, for metrics.
pub(super) async fn count(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(COUNT_EVERY);
    loop {
        ticks.tick().await;
        match use_cases.webhook_deliveries.count_waiting().await {
            Ok(count) => WEBHOOK_DELIVERIES_WAITING.set_count::<&str>([], count),
            Err(error) => {
                report(&error, "deliveries to webhooks could not be counted for metrics");
            }
        }
    }
}
