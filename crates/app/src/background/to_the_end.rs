//! Work that a stop must not break off.

use std::{future::pending, panic::resume_unwind};

/// Runs work to its end, although the task that waits for it may be stopped: what is claimed in the store must also be sent, or no
/// other process would send it for a while.
///
/// # Panics
/// As the work does.
pub(super) async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(_) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn work_ends_although_its_task_is_stopped() {
        let (begun, may_end, ended) =
            (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let work = {
            let (begun, may_end, ended) = (Arc::clone(&begun), Arc::clone(&may_end), Arc::clone(&ended));
            async move {
                begun.notify_one();
                may_end.notified().await;
                ended.notify_one();
            }
        };
        let task = tokio::spawn(to_the_end(work));
        begun.notified().await;
        task.abort();
        assert!(task.await.expect_err("stopped").is_cancelled());
        may_end.notify_one();
        ended.notified().await;
    }
}
