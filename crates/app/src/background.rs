//! The background tasks of a server: reading the change feed, writing last-use times, deleting what has expired, sending events to
//! webhooks and by mail, reporting the server as a replica, and keeping metrics.

mod mail;
mod notices;
mod replicas;
mod report;
mod to_the_end;
mod token_counts;
mod webhooks;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use latchkey_http::Context;
use latchkey_metrics::names::{
    EVENTS_UNSEALED, LAST_USE_FLUSH_SECONDS, LAST_USE_FLUSH_TOKENS, LAST_USES_DROPPED,
};
use latchkey_ports::{ErrorChain, StoreError};
use latchkey_service::{EndedUnused, FlushedUsage, TaskHealth, UseCases};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{mail::Sending, webhooks::Attempts};
use crate::{
    clock::ticks,
    outage::{Outage, StaleResponses, Transition},
    role::Role,
};

/// The timeout of the last flush, so that a shutdown ends even if the database does not respond.
const LAST_FLUSH: Duration = Duration::from_secs(5);
/// How long a shutdown waits for what is being sent to webhooks and by mail.
const LAST_ATTEMPTS: Duration = Duration::from_secs(10);
/// How often expired records are deleted. They are refused from the moment they expire; this only frees their space.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often a sign of life is left for standbys if nothing else was committed. One follows every other look, so an idle primary
/// shows each second that it is there.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(500);
/// The pause after rotations could not be ended.
const RETRY_ROTATIONS_AFTER: Duration = Duration::from_secs(1);
/// How often portions of rate limits that are not needed are given back, and uses are counted that the database has not heard of.
const SETTLE_LIMITS_EVERY: Duration = Duration::from_secs(1);
/// How often events are sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often tokens that are not used are looked for.
const UNUSED_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often durations are sorted into buckets. Until then each of them takes a few bytes.
const SORT_EVERY: Duration = Duration::from_secs(1);
/// The pause before a failed task is restarted: doubled each time it fails again, up to the maximum.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// How the change feed is polled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FollowEvery {
    pub(crate) announced: Duration,
    pub(crate) unannounced: Duration,
    /// The timeout of one poll. A database that takes longer counts as unavailable.
    pub(crate) timeout: Duration,
}

/// The running tasks; dropping it stops them.
pub(crate) struct Background {
    tasks: JoinSet<()>,
    use_cases: Arc<UseCases>,
    attempts: Arc<Attempts>,
    mailing: Arc<Sending>,
}

/// The settings of the tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackgroundSettings {
    pub(crate) follow_every: FollowEvery,
    /// How often last-use times are written.
    pub(crate) flush_every: Duration,
    /// How often notices are looked for.
    pub(crate) notices_every: Duration,
    /// How many events are sent to webhooks at once.
    pub(crate) webhook_workers: u32,
}

impl Background {
    /// Starts the tasks of a role on the caller's runtime.
    pub(crate) fn start(
        role: Role,
        use_cases: &Arc<UseCases>,
        context: &Arc<Context>,
        settings: BackgroundSettings,
    ) -> Self {
        let BackgroundSettings { follow_every, flush_every, notices_every, webhook_workers } = settings;
        let attempts = Attempts::new(webhook_workers);
        let mut background = Self {
            tasks: JoinSet::new(),
            use_cases: Arc::clone(use_cases),
            attempts: Arc::clone(&attempts),
            mailing: Sending::new(),
        };
        background.spawn("follow_changes", move |use_cases| follow(use_cases, follow_every));
        background.spawn("flush_usage", move |use_cases| flush(use_cases, flush_every));
        background.spawn("heartbeat", heartbeat);
        background.spawn("end_rotations", end_rotations);
        background.spawn("settle_limits", settle_limits);
        background.spawn("report_replica", replicas::report);
        if role.administers() {
            background.spawn("sweep", sweep);
            background.spawn("seal_events", seal_events);
            background.spawn("count_tokens", token_counts::publish);
            background.spawn("enforce_unused", enforce_unused);
            background.spawn("notices", move |use_cases| notices::record(use_cases, notices_every));
            background.spawn("count_deliveries", webhooks::count);
            if use_cases.mail.has_outlet() {
                let mailing = Arc::clone(&background.mailing);
                background.spawn("mail", move |use_cases| mail::run(use_cases, Arc::clone(&mailing)));
            }
            let sending = Arc::clone(&attempts);
            background.spawn("enqueue_deliveries", move |use_cases| {
                webhooks::enqueue(use_cases, Arc::clone(&attempts))
            });
            background.spawn("deliver", move |use_cases| webhooks::deliver(use_cases, Arc::clone(&sending)));
        }
        let context = Arc::clone(context);
        background.spawn("sort_durations", move |_| sort_durations(Arc::clone(&context)));
        background
    }

    fn spawn<F>(&mut self, name: &'static str, task: impl Fn(Arc<UseCases>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let use_cases = Arc::clone(&self.use_cases);
        self.tasks.spawn(async move {
            supervise(name, &use_cases.task_health, || task(Arc::clone(&use_cases))).await;
        });
    }

    /// Stops the tasks and flushes what is left to be written.
    pub(crate) async fn finish(mut self) {
        self.tasks.shutdown().await;
        tokio::join!(self.attempts.finish(LAST_ATTEMPTS), self.mailing.finish(LAST_ATTEMPTS));
        if timeout(LAST_FLUSH, write_usage(&self.use_cases)).await.is_err() {
            tracing::warn!("last-use times could not be written within {LAST_FLUSH:?}");
        }
        let (limits, ()) = tokio::join!(
            timeout(LAST_FLUSH, self.use_cases.finish_limits()),
            replicas::leave(&self.use_cases, LAST_FLUSH)
        );
        if !matches!(limits, Ok(Ok(()))) {
            tracing::warn!("portions of rate limits could not be given back; they are lost to their window");
        }
    }
}

/// Runs a task that should never end, and restarts it when it panics or returns.
async fn supervise<F: Future<Output = ()>>(
    name: &'static str,
    health: &TaskHealth,
    mut start: impl FnMut() -> F,
) {
    let mut backoff = MIN_BACKOFF;
    health.started(name);
    loop {
        let mut task = Box::pin(AssertUnwindSafe(async { start().await }).catch_unwind());
        // A task that ran for a while starts with the shortest backoff again.
        let mut ended = timeout(MAX_BACKOFF, &mut task).await.ok();
        if ended.is_none() {
            backoff = MIN_BACKOFF;
            ended = Some(task.await);
        }
        let how = if ended.is_some_and(|ended| ended.is_err()) { "panicked" } else { "returned" };
        tracing::error!(task = name, "the background task {how}; it is restarted in {backoff:?}");
        health.failed(name);
        sleep(backoff).await;
        health.restarted(name);
        backoff = MAX_BACKOFF.min(backoff * 2);
    }
}

async fn follow(use_cases: Arc<UseCases>, every: FollowEvery) {
    let mut outage = Outage::default();
    let mut stale = StaleResponses::default();
    loop {
        let followed = timeout(every.timeout, use_cases.follow_changes()).await;
        let followed = followed.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(Box::new(elapsed))));
        let stale = stale.observe(followed.is_ok(), use_cases.metrics().from_stale_memory.total());
        match outage.observe(followed) {
            Some(Transition::Began(error)) => tracing::warn!(
                error = %ErrorChain(&error),
                "the database is unavailable; cache entries are trusted for verify.max_staleness"
            ),
            Some(Transition::Ended(())) => tracing::info!("the database is available again"),
            None => {}
        }
        match stale {
            Some(Transition::Began(())) => tracing::warn!(
                "tokens are verified from stale cache entries, as verify.when_stale = \"serve\" allows"
            ),
            Some(Transition::Ended(count)) => {
                tracing::warn!(count, "tokens were verified from stale cache entries, and are no longer");
            }
            None => {}
        }
        let pause = if use_cases.announces_changes() { every.announced } else { every.unannounced };
        tokio::select! {
            () = sleep(pause) => {}
            () = use_cases.change_announced() => {}
        }
    }
}

async fn flush(use_cases: Arc<UseCases>, every: Duration) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        write_usage(&use_cases).await;
    }
}

/// Writes what was recorded while requests were served. If one part fails, the other is still written.
async fn write_usage(use_cases: &UseCases) {
    let started = use_cases.monotonic();
    match use_cases.flush_usage().await {
        #[expect(clippy::cast_precision_loss, reason = "no flush comes near 2^53 tokens")]
        Ok(FlushedUsage::Written(count)) => LAST_USE_FLUSH_TOKENS.record::<&str>([], count as f64),
        Ok(FlushedUsage::Dropped(count)) => LAST_USES_DROPPED.add::<&str>([], count as u64),
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                "last-use times could not be written; they are written later"
            );
        }
    }
    let took = use_cases.monotonic().saturating_sub(started);
    LAST_USE_FLUSH_SECONDS.record::<&str>([], took.as_secs_f64());
    if let Err(error) = use_cases.flush_rekeyings().await {
        tracing::warn!(
            error = %ErrorChain(&error),
            "used secrets could not be moved to the current master key; they are moved later"
        );
    }
}

/// Leaves signs of life. A failure is no news: the follower of the feed reports an outage, and verifiers that they are behind.
async fn heartbeat(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(HEARTBEAT_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = use_cases.heartbeat().await {
            tracing::debug!(error = %ErrorChain(&error), "no sign of life was left for standbys");
        }
    }
}

/// Ends rotations when their new secret is used.
async fn end_rotations(use_cases: Arc<UseCases>) {
    loop {
        use_cases.first_use_noted().await;
        if let Err(error) = use_cases.end_rotations().await {
            tracing::warn!(
                error = %ErrorChain(&error),
                "the old secrets of rotated tokens could not be ended; they are ended later, or with their overlap"
            );
            sleep(RETRY_ROTATIONS_AFTER).await;
        }
    }
}

/// Gives portions of rate limits back. That the database is unavailable is no news: the follower of the feed reports it.
async fn settle_limits(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(SETTLE_LIMITS_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = use_cases.settle_limits().await {
            tracing::debug!(error = %ErrorChain(&error), "limits of tokens are settled later");
        }
    }
}

async fn sweep(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        match use_cases.sweep().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "expired sessions, retired secrets and events were deleted"),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "expired records could not be deleted");
            }
        }
    }
}

/// Seals events. That the database is unavailable is no news: the follower of the feed reports it.
async fn seal_events(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(SEAL_EVERY);
    loop {
        ticks.tick().await;
        match use_cases.audit_seals.seal().await {
            Ok(_) => EVENTS_UNSEALED.set_count::<&str>([], use_cases.audit_seals.unsealed()),
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::debug!(error = %ErrorChain(&error), "events are sealed later");
            }
            Err(error) => tracing::warn!(error = %ErrorChain(&error), "events could not be sealed"),
        }
    }
}

/// Disables and deletes tokens that are not used, as the policies say.
async fn enforce_unused(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(UNUSED_EVERY);
    loop {
        ticks.tick().await;
        match use_cases.enforce_unused().await {
            Ok(EndedUnused { disabled: 0, deleted: 0 }) => {}
            Ok(EndedUnused { disabled, deleted }) => {
                tracing::info!(disabled, deleted, "tokens that are not used were disabled and deleted");
            }
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "tokens that are not used could not be ended");
            }
        }
    }
}

async fn sort_durations(context: Arc<Context>) {
    let mut ticks = ticks(SORT_EVERY);
    loop {
        ticks.tick().await;
        context.sort_durations();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future};

    use latchkey_service::TaskDown;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_reported_and_restarted_with_backoff() {
        let (health, starts) = (TaskHealth::default(), Cell::new(0));
        let supervised = supervise("flaky", &health, || {
            starts.set(starts.get() + 1);
            let must_fail = starts.get() < 4;
            async move {
                assert!(!must_fail, "injected");
                future::pending::<()>().await;
            }
        });
        let observed = async {
            // Panics at 0 s, 1 s and 3 s; runs from 7 s on.
            for (pause, started, down) in
                [(500, 1, true), (1_000, 2, true), (2_000, 3, true), (4_000, 4, false)]
            {
                sleep(Duration::from_millis(pause)).await;
                assert_eq!(starts.get(), started);
                assert_eq!(health.check(), if down { Err(TaskDown("flaky")) } else { Ok(()) });
                assert_eq!(health.restarts().get("flaky").copied().unwrap_or(0), started - 1);
            }
        };
        tokio::select! {
            () = supervised => unreachable!("it supervises forever"),
            () = observed => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_returns_or_panics_while_it_is_made_is_restarted() {
        let (health, starts) = (TaskHealth::default(), Cell::new(0));
        let supervised = supervise("brief", &health, || {
            starts.set(starts.get() + 1);
            assert!(starts.get() != 1, "injected");
            future::ready(())
        });
        assert!(timeout(Duration::from_secs(2), supervised).await.is_err());
        assert_eq!((starts.get(), health.restarts()), (2, [("brief", 1)].into()));
    }
}
