//! Mails events: files what is to be said, sends the digests that are due, and ends the attempts in progress at a stop.

use std::{sync::Arc, time::Duration};

use latchkey_metrics::names::{MAIL_DIGESTS_WAITING, MAILS};
use latchkey_ports::{DeliveryOutcome, ErrorChain, MailAttempt, MailDigest, StoreError};
use latchkey_service::UseCases;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::{report::report, to_the_end::to_the_end};
use crate::clock::ticks;

/// How often events and due digests are looked for.
const EVERY: Duration = Duration::from_secs(5);
/// How many digests are sent at once: mail servers bound their connections.
const AT_ONCE: u32 = 4;
/// The pause after an attempt could not be recorded, and how often it is tried: about as long as no other process sends it again.
const PAUSE: Duration = Duration::from_secs(5);
const RECORDING_TRIES: u32 = 40;

/// The attempts of this process that are in progress.
pub(crate) struct Sending(Arc<Semaphore>);

impl Sending {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Arc::new(Semaphore::new(usize::try_from(AT_ONCE).unwrap_or(1)))))
    }

    /// Waits until all attempts have ended.
    async fn ended(&self) {
        // It is never closed.
        drop(self.0.acquire_many(AT_ONCE).await);
    }

    /// Waits until all attempts have ended, for that long at most. No other may begin.
    pub(super) async fn finish(&self, limit: Duration) {
        if timeout(limit, self.ended()).await.is_err() {
            tracing::warn!("mail was not sent within {limit:?}; it is sent again, as the same message");
        }
    }
}

/// Files what is to be said, and sends what is due.
pub(super) async fn run(use_cases: Arc<UseCases>, sending: Arc<Sending>) {
    let mut ticks = ticks(EVERY);
    loop {
        ticks.tick().await;
        // What was filed is sent even if events cannot be read.
        if let Err(error) = use_cases.mail.file().await {
            report(&error, "events could not be filed for mail; it is tried again");
        }
        if let Err(error) = send(&use_cases, &sending).await {
            report(&error, "digests could not be claimed; it is tried again");
        }
        match use_cases.mail.count_due().await {
            Ok(due) => MAIL_DIGESTS_WAITING.set_count::<&str>([], due),
            Err(error) => report(&error, "digests could not be counted for metrics"),
        }
    }
}

/// Sends all that is due. Each attempt is a task of its own, which goes on when this one ends.
async fn send(use_cases: &Arc<UseCases>, sending: &Sending) -> Result<(), StoreError> {
    // It is never closed.
    while let Ok(places) = Arc::clone(&sending.0).acquire_many_owned(AT_ONCE).await {
        if to_the_end(claim(Arc::clone(use_cases), places)).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Claims digests that are due, begins to send them, and returns their number. It holds the places meanwhile, so that a stop waits
/// for it.
async fn claim(use_cases: Arc<UseCases>, mut places: OwnedSemaphorePermit) -> Result<usize, StoreError> {
    let claimed = use_cases.mail.claim(AT_ONCE).await?;
    let count = claimed.len();
    for digest in claimed {
        // There is one for each.
        if let Some(place) = places.split(1) {
            let use_cases = Arc::clone(&use_cases);
            tokio::spawn(async move {
                attempt(&use_cases, digest).await;
                drop(place);
            });
        }
    }
    Ok(count)
}

/// Sends one digest, and records what becomes of it.
async fn attempt(use_cases: &UseCases, digest: MailDigest) {
    let day = digest.id.day;
    let Some(attempt) = use_cases.mail.attempt(digest).await else { return };
    let result = match attempt.outcome {
        DeliveryOutcome::Delivered => "sent",
        DeliveryOutcome::Retry(_) => "retried",
        DeliveryOutcome::Failed => "failed",
    };
    MAILS.add([result], 1);
    if let Some(error) = &attempt.error {
        tracing::warn!(%day, attempts = attempt.number, result, error, "a digest was not sent");
    }
    record(use_cases, &attempt).await;
}

async fn record(use_cases: &UseCases, attempt: &MailAttempt) {
    for _ in 0..RECORDING_TRIES {
        let Err(error) = use_cases.mail.end(attempt).await else { return };
        tracing::debug!(error = %ErrorChain(&error), "an attempt to send a digest is recorded later");
        sleep(PAUSE).await;
    }
    tracing::warn!(day = %attempt.digest.day, "what became of a digest could not be recorded; it is sent again");
}
