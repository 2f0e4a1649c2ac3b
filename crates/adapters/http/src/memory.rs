//! The memory of requests in progress, which all of them share: what has been read from their clients and cannot be let go of yet.
//!
//! A small request needs none of it, so that those are served whatever other clients send. A larger one takes from a shared budget as its
//! bytes arrive. What anyone can send may take half of it, and what authenticated clients send three quarters; the rest is for what the
//! connections hold. A response is not counted: it is written in pieces ([`in_pieces`]), so that a connection holds one of them.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// What a request may hold of its body without a part of the budget, in bytes.
pub const FREE_BYTES: usize = 16 * 1024;
/// The size of the pieces in which a response is written, in bytes.
const PIECE: usize = 16 * 1024;

/// The sender of what is held, which decides how much of the budget it may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A client whose request needs no credentials: half.
    Anyone,
    /// A client that has been authenticated: three quarters.
    Authenticated,
    /// The connection of any client: all.
    Connection,
}

/// The bytes that requests in progress may hold together.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
}

impl MemoryBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Returns a part of the budget, which is empty at first.
    #[must_use]
    pub fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0 }
    }

    fn take(&self, bytes: usize, sender: Sender) -> bool {
        let limit = match sender {
            Sender::Anyone => self.limit / 2,
            Sender::Authenticated => self.limit / 4 * 3,
            Sender::Connection => self.limit,
        };
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= limit)
        });
        taken.is_ok()
    }
}

/// A part of a [`MemoryBudget`], given back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl Reservation {
    /// Makes the part large enough for what is held beyond [`FREE_BYTES`]. Returns whether the budget has room for it.
    #[must_use]
    pub fn hold(&mut self, held: usize, sender: Sender) -> bool {
        let missing = held.saturating_sub(FREE_BYTES).saturating_sub(self.bytes);
        if missing == 0 {
            return true;
        }
        let has_room = self.budget.take(missing, sender);
        if has_room {
            self.bytes += missing;
        }
        has_room
    }

    /// Gives the part back.
    pub fn release(&mut self) {
        if self.bytes > 0 {
            self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
            self.bytes = 0;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

/// Returns whether a body is longer than a piece.
pub(crate) fn is_long(body: &BoxBody) -> bool {
    matches!(body.size(), BodySize::Sized(length) if length > PIECE as u64)
}

/// Returns the body in pieces, because actix copies what a body yields at once into the buffer of its connection.
pub(crate) fn in_pieces(body: BoxBody) -> BoxBody {
    body.try_into_bytes().map_or_else(|body| body, |bytes| BoxBody::new(Pieces(bytes)))
}

struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.0.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let length = self.0.len().min(PIECE);
        Poll::Ready((length > 0).then(|| Ok(self.0.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn small_requests_need_nothing_and_large_ones_share_the_budget() {
        let budget = Arc::new(MemoryBudget::new(400));
        let (mut one, mut other) = (budget.reserve(), budget.reserve());
        assert!(one.hold(FREE_BYTES + 200, Sender::Anyone));
        assert!(!other.hold(FREE_BYTES + 1, Sender::Anyone), "half of the budget is held");
        assert!(other.hold(FREE_BYTES, Sender::Anyone));
        assert!(other.hold(FREE_BYTES + 100, Sender::Authenticated));
        assert!(!other.hold(FREE_BYTES + 101, Sender::Authenticated), "three quarters are held");
        assert!(other.hold(FREE_BYTES + 200, Sender::Connection));
        assert!(!other.hold(FREE_BYTES + 201, Sender::Connection), "all of it is held");
        drop(one);
        assert!(other.hold(FREE_BYTES + 300, Sender::Authenticated));
        other.release();
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn a_long_response_is_written_in_pieces() {
        let text = Bytes::from(vec![b'x'; 2 * PIECE + 1]);
        let mut body = in_pieces(BoxBody::new(text.clone()));
        assert_eq!(body.size(), BodySize::Sized(text.len() as u64));
        let mut pieces = Vec::new();
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            pieces.push(piece.expect("a piece"));
        }
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [PIECE, PIECE, 1]);
        assert_eq!(pieces.concat(), text);
    }
}
