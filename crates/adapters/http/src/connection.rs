//! What the server tells the application about a connection: how it is protected, and how many requests are on it.
//!
//! The server attaches a [`Connection`] to the connections that are not plain TCP (`on_connect_ext` of actix-http). A request on a
//! connection without one came over plain HTTP/1.1.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// Requests that one HTTP/2 connection may have in progress; further ones are answered with 503. actix sets no limit of its own.
const MAX_STREAMS: u32 = 256;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A Unix domain socket: the mode of its file says which users may connect.
    Unix,
    /// TLS.
    Tls {
        /// Whether the client proved that it has a certificate of a trusted authority.
        has_client_certificate: bool,
    },
}

/// A connection, for the requests on it.
#[derive(Debug)]
pub struct Connection {
    transport: Transport,
    streams: Streams,
}

impl Connection {
    /// A connection whose requests in progress are counted in `streams`.
    #[must_use]
    pub fn new(transport: Transport, streams: Streams) -> Self {
        Self { transport, streams }
    }

    /// Returns how the connection of a request is protected; `None` for plain TCP.
    pub(crate) fn transport_of(request: &HttpRequest) -> Option<Transport> {
        request.conn_data::<Self>().map(|connection| connection.transport)
    }

    /// Returns the requests in progress on the connection of a request.
    pub(crate) fn streams_of(request: &HttpRequest) -> Option<&Streams> {
        request.conn_data::<Self>().map(|connection| &connection.streams)
    }
}

/// The number of requests in progress on one HTTP/2 connection.
#[derive(Debug, Clone, Default)]
pub struct Streams(Rc<Cell<u32>>);

impl Streams {
    /// Returns whether no request is in progress.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.get() == 0
    }

    /// Counts a request, until the result is dropped; `None` if there are too many.
    pub(crate) fn open(&self) -> Option<OpenStream> {
        let count = self.0.get();
        (count < MAX_STREAMS).then(|| {
            self.0.set(count + 1);
            OpenStream(self.clone())
        })
    }
}

/// A request in progress.
pub(crate) struct OpenStream(Streams);

impl OpenStream {
    /// Returns the body of the response; the request is in progress until it has been sent.
    pub(crate) fn until_sent(self, body: BoxBody) -> BoxBody {
        BoxBody::new(StreamBody { body, _stream: self })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let count = &self.0.0;
        count.set(count.get().saturating_sub(1));
    }
}

struct StreamBody {
    body: BoxBody,
    _stream: OpenStream,
}

impl MessageBody for StreamBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_on_a_connection_are_limited_and_counted_until_their_bodies_are_sent() {
        let streams = Streams::default();
        let mut open: Vec<_> = (0..MAX_STREAMS).map(|_| streams.open().expect("within the limit")).collect();
        assert!(streams.open().is_none());
        let body = open.pop().map(|stream| stream.until_sent(BoxBody::new("x"))).expect("one");
        assert!(streams.open().is_none(), "its body has not been sent");
        drop(body);
        assert!(streams.open().is_some());
        drop(open);
        assert!(streams.is_idle());
    }
}
