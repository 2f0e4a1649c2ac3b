//! The stream of a connection: slow clients are cut off, and HTTP/2 connections end at a shutdown.
//!
//! actix-http limits the time of the first head of a connection, and that of idle connections. [`Paced`] limits the rest: a head that
//! comes byte by byte on a connection that has been used before, and a response that the client does not read.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use latchkey_http::{MemoryBudget, Reservation, Sender, Streams};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

/// How often an HTTP/2 connection looks at a shutdown whether its requests have ended.
const DRAIN_EVERY: Duration = Duration::from_millis(500);

/// The time that a client has beside that of its request: to send it, and to read the response.
const CLIENT_TIME: Duration = Duration::from_secs(15);
/// What an HTTP/2 connection may read without a write, in bytes. Bodies stay far below it, because windows limit them; heads have no
/// other limit but 16 MiB each.
const MAX_MULTIPLEXED_BYTES: usize = 256 * 1024;

/// What the connections of a server may take.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    patience: Duration,
    memory: Arc<MemoryBudget>,
}

impl ConnectionLimits {
    /// The limits of connections whose requests take at most so long, and that hold what they have read in this memory.
    pub(crate) fn new(request_timeout: Duration, memory: Arc<MemoryBudget>) -> Self {
        Self { patience: request_timeout.saturating_add(CLIENT_TIME), memory }
    }
}

/// A stream whose client must not keep it waiting: from the first byte of a request on, and while a response is being written, a
/// byte has to be written within the limit. Time that the server takes itself counts, so the limit is longer than any request takes.
///
/// What has been read since the last write is held by actix or by a handler, and counts in the memory of requests in progress. Where
/// that is full, the connection ends: a handler has refused large bodies before, so this is a head, or one request after another.
pub(super) struct Paced<S> {
    stream: S,
    limit: Duration,
    /// How many bytes have been read since the last were written.
    unanswered: usize,
    held: Reservation,
    /// Whether the client may leave requests unanswered because others are answered (HTTP/2).
    is_multiplexed: bool,
    /// How often bytes have been written, and how often when the timer was set.
    writes: u64,
    writes_before: u64,
    /// Set when the client is first waited for, and again when it runs out although bytes have been written: setting it for each
    /// request would cost more than all else here.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, limits: &ConnectionLimits) -> Self {
        Self {
            stream,
            limit: limits.patience,
            unanswered: 0,
            held: limits.memory.reserve(),
            is_multiplexed: false,
            writes: 0,
            writes_before: 0,
            timer: None,
        }
    }

    /// Notes that the connection speaks HTTP/2, which checks by itself whether an idle client is alive.
    pub(super) fn set_multiplexed(&mut self) {
        self.is_multiplexed = true;
    }

    /// Counts bytes that have been read.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.unanswered += bytes;
        let is_too_long = self.is_multiplexed && self.unanswered > MAX_MULTIPLEXED_BYTES;
        if is_too_long || !self.held.hold(self.unanswered, Sender::Connection) {
            tracing::debug!(bytes = self.unanswered, "a client that sent too much was cut off");
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(())
    }

    /// Fails once no byte has been written for the limit.
    fn wait(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match &self.timer {
            // Its waker is that of the connection's task, which polls this stream alone.
            Some(timer) if !timer.is_elapsed() => return Ok(()),
            Some(_) if self.writes == self.writes_before => {
                tracing::debug!("a slow client was cut off");
                return Err(io::ErrorKind::TimedOut.into());
            }
            _ => {}
        }
        self.writes_before = self.writes;
        let timer = self.timer.insert(Box::pin(sleep(self.limit)));
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_ready() {
            self.count(buffer.filled().len().saturating_sub(filled))?;
        } else if self.unanswered > 0 && !self.is_multiplexed {
            self.wait(cx)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            self.writes += 1;
            self.unanswered = 0;
            self.held.release();
        } else {
            self.wait(cx)?;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The stream of any connection.
pub(super) enum ClientStream {
    Tcp(Paced<TcpStream>),
    Unix(Paced<UnixStream>),
    Tls(Box<TlsStream<Paced<TcpStream>>>, Option<Drain>),
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream, drain) => {
                let read = Pin::new(stream).poll_read(cx, buffer);
                match drain {
                    // The end of what the client sends ends the connection.
                    Some(drain) if read.is_pending() => drain.poll(cx).map(Ok),
                    _ => read,
                }
            }
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream, _) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// The end of an HTTP/2 connection at a shutdown: once its requests have ended. actix-http ends HTTP/1.1 connections by itself.
pub(super) struct Drain {
    shutdown: Option<Pin<Box<dyn Future<Output = ()>>>>,
    streams: Streams,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Drain {
    /// Waits for the signal, then for the requests.
    pub(super) fn new(shutdown: impl Future<Output = ()> + 'static, streams: Streams) -> Self {
        Self { shutdown: Some(Box::pin(shutdown)), streams, timer: None }
    }

    /// Returns the requests on the connection.
    pub(super) fn streams(&self) -> Streams {
        self.streams.clone()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(shutdown) = &mut self.shutdown {
            if shutdown.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.shutdown = None;
        }
        loop {
            // Not at once: the response to the last request may not have been written.
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(DRAIN_EVERY)));
            ready!(timer.as_mut().poll(cx));
            if self.streams.is_idle() {
                return Poll::Ready(());
            }
            self.timer = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::advance,
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const MEMORY: usize = 64 * 1024;

    fn paced<S>(stream: S) -> Paced<S> {
        let memory = Arc::new(MemoryBudget::new(MEMORY));
        Paced::new(stream, &ConnectionLimits { patience: LIMIT, memory })
    }

    #[tokio::test]
    async fn what_a_connection_reads_without_a_write_is_limited() {
        let (mut client, server) = duplex(MEMORY);
        let mut server = paced(server);
        let mut read = vec![0; MEMORY];
        for _ in 0..3 {
            client.write_all(&read).await.expect("sent");
            server.read_exact(&mut read).await.expect("within the limit");
            server.write_all(b"x").await.expect("answered");
        }
        client.write_all(&read).await.expect("sent");
        server.read_exact(&mut read).await.expect("within the limit");
        client.write_all(&read).await.expect("sent");
        let error = server.read_exact(&mut read).await.expect_err("more than the limit");
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_begun_and_never_answered_is_cut_off() {
        let (mut client, server) = duplex(64);
        let mut server = paced(server);
        client.write_all(b"GET").await.expect("sent");
        let mut read = [0; 3];
        server.read_exact(&mut read).await.expect("read");
        let error = server.read_exact(&mut read).await.expect_err("nothing more comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_trickle_in_do_not_extend_the_time() {
        let (mut client, server) = duplex(64);
        let mut server = paced(server);
        let trickle = async {
            loop {
                client.write_all(b"x").await.expect("sent");
                sleep(LIMIT / 4).await;
            }
        };
        let serve = async {
            let mut read = [0; 1];
            loop {
                if let Err(error) = server.read_exact(&mut read).await {
                    return error.kind();
                }
            }
        };
        tokio::select! {
            () = trickle => unreachable!("it is cut off"),
            kind = serve => assert_eq!(kind, io::ErrorKind::TimedOut),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_client_and_one_that_is_answered_are_not() {
        let (mut client, server) = duplex(64);
        let mut server = paced(server);
        let mut read = [0; 1];
        for _ in 0..5 {
            client.write_all(b"x").await.expect("sent");
            server.read_exact(&mut read).await.expect("a request");
            server.write_all(b"y").await.expect("its response");
            client.read_exact(&mut read).await.expect("arrived");
            let idle = tokio::time::timeout(2 * LIMIT, server.read_exact(&mut read)).await;
            assert!(idle.is_err(), "it waits for the next request: {idle:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_is_not_read_is_cut_off() {
        let (_client, server) = duplex(64);
        let mut server = paced(server);
        let error = server.write_all(&[0; 1024]).await.expect_err("the client reads nothing");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_client_of_http_2_is_not() {
        let (mut client, server) = duplex(64);
        let mut server = paced(server);
        server.set_multiplexed();
        client.write_all(b"window").await.expect("sent");
        let mut read = [0; 6];
        server.read_exact(&mut read).await.expect("read");
        let idle = tokio::time::timeout(10 * LIMIT, server.read_exact(&mut read)).await;
        assert!(idle.is_err(), "{idle:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_drains_when_it_is_idle() {
        let (shutdown, signal) = tokio::sync::oneshot::channel::<()>();
        let signal = async move {
            // It fails if the sender is dropped, which ends the wait too.
            let _ = signal.await;
        };
        let mut drain = Drain::new(signal, Streams::default());
        let mut drained = Box::pin(std::future::poll_fn(|cx| drain.poll(cx)));
        assert!(futures_util::poll!(&mut drained).is_pending());
        advance(10 * DRAIN_EVERY).await;
        assert!(futures_util::poll!(&mut drained).is_pending(), "there is no shutdown");
        shutdown.send(()).expect("it waits");
        drained.await;
    }
}
