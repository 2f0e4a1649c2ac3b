//! What a server does besides answering: following changes made by other processes, writing when tokens were last
//! seen, and forgetting what has ended.

use std::{sync::Arc, time::Duration};

use latchkey_ports::{ErrorChain, StoreError};
use latchkey_service::UseCases;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::outage::{Outage, StaleAnswers, Turn};

/// How long the last writing may take, so that a stop with a dead database is still a stop.
const LAST_FLUSH: Duration = Duration::from_secs(5);
/// How often what has ended is forgotten. It is refused from the moment it ends; this only gives its room back.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How changes made by other processes are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FollowEvery {
    /// While the store announces changes, which is when it is looked besides.
    pub(crate) announced: Duration,
    /// While it does not.
    pub(crate) unannounced: Duration,
    /// How long one look may take; a database that takes longer is as good as away.
    pub(crate) timeout: Duration,
}

/// The tasks, which end when this is dropped.
pub(crate) struct Background {
    tasks: JoinSet<()>,
    use_cases: Arc<UseCases>,
}

impl Background {
    /// Starts them on the runtime of the caller.
    pub(crate) fn start(use_cases: &Arc<UseCases>, follow_every: FollowEvery, flush_every: Duration) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(Arc::clone(use_cases), follow_every));
        tasks.spawn(flush(Arc::clone(use_cases), flush_every));
        tasks.spawn(sweep(Arc::clone(use_cases)));
        Self { tasks, use_cases: Arc::clone(use_cases) }
    }

    /// Ends them and writes what is left to be written.
    pub(crate) async fn finish(mut self) {
        self.tasks.shutdown().await;
        if timeout(LAST_FLUSH, write_notes(&self.use_cases)).await.is_err() {
            tracing::warn!("what was noted of tokens could not be written within {LAST_FLUSH:?}");
        }
    }
}

async fn follow(use_cases: Arc<UseCases>, every: FollowEvery) {
    let mut outage = Outage::default();
    let mut stale = StaleAnswers::default();
    loop {
        let followed = timeout(every.timeout, use_cases.follow_changes()).await;
        let followed = followed.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(Box::new(elapsed))));
        let stale_turn = stale.after(followed.is_ok(), use_cases.metrics().from_stale_memory);
        match outage.after(followed) {
            Some(Turn::Began(error)) => tracing::warn!(
                error = %ErrorChain(&error),
                "the database does not answer; memory is trusted for verify.max_staleness"
            ),
            Some(Turn::Ended(())) => tracing::info!("the database answers again"),
            None => {}
        }
        match stale_turn {
            Some(Turn::Began(())) => tracing::warn!(
                "tokens are verified from memory that is out of date, because verify.when_stale says so"
            ),
            Some(Turn::Ended(count)) => {
                tracing::warn!(
                    count,
                    "tokens were verified from memory that was out of date, and are no longer"
                );
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
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        write_notes(&use_cases).await;
    }
}

/// Writes all that was noted on the path of requests. Neither part waits for the other to succeed.
async fn write_notes(use_cases: &UseCases) {
    if let Err(error) = use_cases.flush_usage().await {
        tracing::warn!(error = %ErrorChain(&error), "when tokens were last seen could not be written");
    }
    if let Err(error) = use_cases.flush_rekeyings().await {
        tracing::warn!(error = %ErrorChain(&error), "what was used could not be put under the current master key");
    }
}

async fn sweep(use_cases: Arc<UseCases>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match use_cases.sweep().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(
                count,
                "ended sessions, retired secrets and events past their time were forgotten"
            ),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "what has ended could not be forgotten")
            }
        }
    }
}
