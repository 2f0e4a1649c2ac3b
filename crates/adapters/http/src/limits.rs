//! The limits of a handler: the time that it may take, and that a panic stays its own.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

use crate::{error::ApiError, timeout::timeout};

/// Returns the output of the future.
///
/// # Errors
/// [`ApiError::TimedOut`] if it takes longer than the limit, [`ApiError::Panicked`] if it panics.
pub(crate) async fn guarded<F: Future>(limit: Duration, future: F) -> Result<F::Output, ApiError> {
    let output = timeout(limit, AssertUnwindSafe(future).catch_unwind()).await.ok_or(ApiError::TimedOut)?;
    output.map_err(|_| ApiError::Panicked)
}
