//! Whether a connection can be used, and a time limit on the wait for an answer.
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

use super::servers::Standing;

/// The time limit of a connection, and why it is of no use any more.
pub(super) struct Watch {
    limit: Duration,
    standing: Option<Standing>,
    /// A wait exceeded the limit. A late answer belongs to an earlier statement.
    gave_up: AtomicBool,
    /// The server refused to write: it is a standby.
    is_read_only: AtomicBool,
}

impl Watch {
    /// Watches a connection to a server of this standing; `None` if it is not known.
    pub(super) fn new(limit: Duration, standing: Option<Standing>) -> Self {
        Self { limit, standing, gave_up: AtomicBool::new(false), is_read_only: AtomicBool::new(false) }
    }

    /// Whether the connection is of no further use.
    pub(super) fn is_useless(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed) || self.is_read_only.load(Ordering::Relaxed) || self.is_former()
    }

    pub(super) fn server(&self) -> Option<u64> {
        self.standing.as_ref().and_then(Standing::server)
    }

    fn is_former(&self) -> bool {
        self.standing.as_ref().is_some_and(Standing::is_former)
    }

    /// Waits for `answer` until the limit.
    pub(super) fn over<F>(&self, answer: F) -> Watched<'_, F> {
        Watched { answer, watch: self, limit: None }
    }

    fn give_up<T>(&self) -> QueryResult<T> {
        self.gave_up.store(true, Ordering::Relaxed);
        closed(format!("the database did not answer within {:?}", self.limit))
    }

    /// Checks an answer: that of a former primary is outdated.
    fn checked<T>(&self, answer: QueryResult<T>) -> QueryResult<T> {
        if self.is_former() {
            return closed("another server has become the primary".to_owned());
        }
        if let Err(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _)) = &answer {
            self.is_read_only.store(true, Ordering::Relaxed);
        }
        if let (Ok(_), Some(standing)) = (&answer, &self.standing) {
            standing.answered();
        }
        answer
    }
}

fn closed<T>(message: String) -> QueryResult<T> {
    Err(Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message)))
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
        if watch.gave_up.load(Ordering::Relaxed) {
            return Poll::Ready(watch.give_up());
        }
        if let Poll::Ready(answered) = Pin::new(answer).poll(context) {
            return Poll::Ready(watch.checked(answered));
        }
        let limit = limit.get_or_insert_with(|| Box::pin(sleep(watch.limit)));
        limit.as_mut().poll(context).map(|()| watch.give_up())
    }
}
