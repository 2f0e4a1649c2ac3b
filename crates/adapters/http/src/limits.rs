//! The limits of a handler: the time that it may take, and that a panic stays its own.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

use crate::{error::ApiError, timeout::timeout};

/// Resolves to the output of the future.
///
/// # Errors
/// [`ApiError::TimedOut`] if it takes longer than the limit, [`ApiError::Panicked`] if it panics.
pub(crate) fn guarded<F: Future>(
    limit: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, ApiError>> {
    timeout(limit, AssertUnwindSafe(future).catch_unwind()).map(|finished| {
        let output = finished.ok_or(ApiError::TimedOut)?;
        output.map_err(|_| ApiError::Panicked)
    })
}
