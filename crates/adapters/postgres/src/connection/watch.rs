//! A time limit on the wait for an answer.
//!
//! The server ends a statement that takes too long, and the network reports a cut connection. Neither reports a server, or
//! a pooler in front of it, that accepts everything and never answers.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error},
};
use tokio::time::{Sleep, sleep};

/// The time limit of a connection, and whether a wait exceeded it. From then on the connection is of no use: a late answer
/// belongs to an earlier statement.
pub(super) struct Watch {
    limit: Duration,
    gave_up: AtomicBool,
}

impl Watch {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, gave_up: AtomicBool::new(false) }
    }

    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }

    /// Waits for `answer` until the limit.
    pub(super) fn over<F>(&self, answer: F) -> Watched<'_, F> {
        Watched { answer, watch: self, limit: None }
    }

    fn give_up<T>(&self) -> QueryResult<T> {
        self.gave_up.store(true, Ordering::Relaxed);
        let message = format!("the database did not answer within {:?}", self.limit);
        Err(Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message)))
    }
}

/// An answer that is waited for.
pub(crate) struct Watched<'a, F> {
    answer: F,
    watch: &'a Watch,
    /// Created when the answer is not there at once.
    limit: Option<Pin<Box<Sleep>>>,
}

impl<T, F> Future for Watched<'_, F>
where
    F: Future<Output = QueryResult<T>> + Unpin,
{
    type Output = QueryResult<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<QueryResult<T>> {
        let Self { answer, watch, limit } = self.get_mut();
        if watch.gave_up() {
            return Poll::Ready(watch.give_up());
        }
        if let Poll::Ready(answered) = Pin::new(answer).poll(context) {
            return Poll::Ready(answered);
        }
        let limit = limit.get_or_insert_with(|| Box::pin(sleep(watch.limit)));
        limit.as_mut().poll(context).map(|()| watch.give_up())
    }
}
