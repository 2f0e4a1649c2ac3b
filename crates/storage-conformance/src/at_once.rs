//! Calls that begin at the same moment.

use std::sync::Arc;

use latchkey_ports::{Store, StoreError};
use tokio::{sync::Barrier, task::JoinSet};

use crate::observed::{ServiceError, all_events, sorted};

/// Runs the calls as tasks that wait for each other before they begin, and gives what each came to, in no order.
pub(crate) async fn at_once<T, F>(calls: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let calls: Vec<F> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let mut tasks = JoinSet::new();
    for call in calls {
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            // Whoever came last would be a step ahead of those whom it wakes.
            tokio::task::yield_now().await;
            call.await
        });
    }
    tasks.join_all().await
}

/// Makes the calls at once and expects that one is done and all others are refused in that way, with one event.
pub(crate) async fn one_wins<T, F>(
    store: &dyn Store,
    refused: ServiceError,
    calls: impl IntoIterator<Item = F>,
) -> T
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let before = all_events(store).await.len();
    let (mut done, others) = sorted(at_once(calls).await);
    assert_eq!(done.len(), 1, "one must win");
    assert!(others.iter().all(|other| *other == refused), "{others:?}");
    assert_eq!(all_events(store).await.len() - before, 1, "one event");
    done.remove(0)
}
