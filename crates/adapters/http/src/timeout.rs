//! A time limit for a future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

pin_project! {
    /// Resolves to the output of a future, or to `None` if it takes longer than the limit.
    ///
    /// It is no `async fn`, because that holds an argument twice: as it came, and as it is polled.
    pub(crate) struct Timeout<F> {
        #[pin]
        future: F,
        limit: Duration,
        // Boxed, because a timer is large; set at the first wait, because a future that is ready at once needs none.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

/// Limits the time of a future, from the first time that it waits.
pub(crate) fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    Timeout { future, limit, timer: None }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Some(output));
        }
        let limit = *this.limit;
        ready!(this.timer.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(context));
        Poll::Ready(None)
    }
}
