//! Work that may take so long and no longer.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

/// What the work comes to; `None` where it takes longer, and then it is dropped.
pub(crate) async fn within<W: Future>(limit: Duration, work: W) -> Option<W::Output> {
    let mut work = pin!(work);
    // What is done at once needs no timer.
    match futures_util::poll!(&mut work) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(limit, work).await.ok(),
    }
}
