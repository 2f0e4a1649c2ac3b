//! Waiting for the database, with an end.
//!
//! The database ends a statement that takes too long, and the network tells of one that was cut. What neither does is to tell
//! of a database, or a pooler before it, that takes everything and answers nothing. So whoever waits looks at the time, too.

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

/// How long a connection may take for an answer, and whether one has conflict_of longer. From then on it is of no use: what it
/// answers after all is not what was asked last.
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

    /// The answer, or that there is none.
    pub(super) fn over<F>(&self, answer: F) -> Watched<'_, F> {
        Watched { answer, watch: self, limit: None }
    }

    fn give_up<T>(&self) -> QueryResult<T> {
        self.gave_up.store(true, Ordering::Relaxed);
        let said = format!("the database did not answer within {:?}", self.limit);
        Err(Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(said)))
    }
}

/// An answer on its way.
pub(crate) struct Watched<'a, F> {
    answer: F,
    watch: &'a Watch,
    /// Made when the answer is not there at once.
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
