//! A time limit for a future.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

/// Returns the output of the future, or `None` if it takes longer than the limit; the future is dropped then.
pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // A future that is ready at once needs no timer.
    match futures_util::poll!(&mut future) {
        Poll::Ready(output) => Some(output),
        // Boxed, because a timer is large and most futures need none.
        Poll::Pending => Box::pin(tokio::time::timeout(limit, future)).await.ok(),
    }
}
