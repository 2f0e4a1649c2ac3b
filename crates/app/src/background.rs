//! What a server does besides answering: following changes made by other processes, writing when tokens were last
//! seen, and forgetting what has ended.

use std::{sync::Arc, time::Duration};

use latchkey_ports::StoreError;
use latchkey_service::UseCases;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::output::sentence;

/// How long the last writing may take, so that a stop with a dead database is still a stop.
const LAST_FLUSH: Duration = Duration::from_secs(5);
/// How often what has ended is forgotten. It is refused from the moment it ends; this only gives its room back.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The tasks, which end when this is dropped.
pub(crate) struct Background {
    tasks: JoinSet<()>,
    use_cases: Arc<UseCases>,
}

impl Background {
    /// Starts them on the runtime of the caller.
    pub(crate) fn start(use_cases: &Arc<UseCases>, follow_every: Duration, flush_every: Duration) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(Arc::clone(use_cases), follow_every));
        tasks.spawn(flush(Arc::clone(use_cases), flush_every));
        tasks.spawn(sweep(Arc::clone(use_cases)));
        Self { tasks, use_cases: Arc::clone(use_cases) }
    }

    /// Ends them and writes what is left to be written.
    pub(crate) async fn finish(mut self) {
        self.tasks.shutdown().await;
        match timeout(LAST_FLUSH, self.use_cases.flush_seen()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => unwritten(&error),
            Err(_) => tracing::warn!("when tokens were last seen could not be written within {LAST_FLUSH:?}"),
        }
    }
}

async fn follow(use_cases: Arc<UseCases>, every: Duration) {
    let mut outage = Outage::default();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match outage.after(use_cases.follow_changes().await) {
            Some(Turn::Began(error)) => tracing::warn!(
                error = sentence(&error),
                "the database does not answer; callers are not recognised from memory until it does"
            ),
            Some(Turn::Ended) => tracing::info!("the database answers again"),
            None => {}
        }
    }
}

async fn flush(use_cases: Arc<UseCases>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = use_cases.flush_seen().await {
            unwritten(&error);
        }
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
            Err(error) => tracing::warn!(error = sentence(&error), "what has ended could not be forgotten"),
        }
    }
}

fn unwritten(error: &StoreError) {
    tracing::warn!(error = sentence(error), "when tokens were last seen could not be written");
}

/// Whether something fails at the moment; so that a log has two lines for an outage and not ten a second.
#[derive(Debug, Default)]
struct Outage(bool);

/// A change for the worse or the better.
#[derive(Debug)]
enum Turn<E> {
    Began(E),
    Ended,
}

impl Outage {
    fn after<E>(&mut self, outcome: Result<(), E>) -> Option<Turn<E>> {
        let was_failing = std::mem::replace(&mut self.0, outcome.is_err());
        match outcome {
            Err(error) if !was_failing => Some(Turn::Began(error)),
            Ok(()) if was_failing => Some(Turn::Ended),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_ends() {
        let mut outage = Outage::default();
        let told =
            [Ok(()), Err(1), Err(2), Ok(()), Ok(()), Err(3)].map(|outcome| match outage.after(outcome) {
                Some(Turn::Began(number)) => format!("began {number}"),
                Some(Turn::Ended) => "ended".to_owned(),
                None => "-".to_owned(),
            });
        assert_eq!(told, ["-", "began 1", "-", "ended", "-", "began 3"]);
    }
}
