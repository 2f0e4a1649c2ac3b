//! Runs a future with a time limit, and turns a panic into an error.

use std::{future::Future, panic::AssertUnwindSafe, pin::pin, task::Poll, time::Duration};

use futures_util::FutureExt;

use crate::error::ApiError;

/// Returns the output of the future, or `None` if it takes longer than the limit; the future is dropped then.
pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // A future that is ready at once needs no timer.
    match futures_util::poll!(&mut future) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(limit, future).await.ok(),
    }
}

/// Returns the output of the future.
///
/// # Errors
/// [`ApiError::TimedOut`] if it takes longer than the limit, [`ApiError::Panicked`] if it panics.
pub(crate) async fn guarded<F: Future>(limit: Duration, future: F) -> Result<F::Output, ApiError> {
    let output = timeout(limit, AssertUnwindSafe(future).catch_unwind()).await.ok_or(ApiError::TimedOut)?;
    output.map_err(|_| ApiError::Panicked)
}
