//! Accepts connections and hands them to actix-http: plain, through a Unix domain socket, or with TLS, where the client chooses
//! HTTP/2 or HTTP/1.1.
//!
//! This is what `actix_web::HttpServer` does, with streams of our own, and with certificates that can change.

use std::{
    future::ready,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use actix_http::{Extensions, HttpService, Protocol, error::DispatchError};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use latchkey_http::{Connection, Context, Routes, Streams, Transport};
use latchkey_ports::ErrorChain;
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    stream::{ClientStream, ConnectionLimits, Drain, Paced},
    tls::{Certificates, HTTP_2},
};

/// Longer than load balancers keep an idle connection (usually 60 s), so that they close it. Otherwise a load balancer
/// can send a request on a connection that the server is closing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The time for the first head of a connection, and for a TLS handshake.
const OPENING: Duration = Duration::from_secs(5);
/// The time for a client to close its side of a connection that the server closes.
const CLOSING: Duration = Duration::from_secs(1);
/// What a client may send on an HTTP/2 connection, and on one of its streams, before the server has read it, in bytes: the
/// initial window of RFC 9113.
const HTTP_2_WINDOW: u32 = 65_535;
/// The address of clients that connect through a Unix domain socket: they run on this machine.
const UNIX_PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How the connections of a listener are accepted and served.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) context: Arc<Context>,
    pub(super) routes: Routes,
    /// `None` without TLS.
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) limits: ConnectionLimits,
    pub(super) shutdown: GracefulShutdownSignal,
}

/// A connection whose protocol is known.
type Accepted = (ClientStream, Protocol, Option<SocketAddr>);

impl Connections {
    /// Returns the service of TCP connections.
    pub(super) fn tcp(
        self,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
    {
        let http = self.http();
        let accept = move |stream| {
            let this = self.clone();
            async move { this.accept(stream).await.map_err(DispatchError::Io) }
        };
        fn_service(accept).and_then(http)
    }

    /// Returns the service of connections through a Unix domain socket.
    pub(super) fn unix(
        self,
    ) -> impl ServiceFactory<UnixStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
    {
        let http = self.http();
        let accept = move |stream| {
            let stream = ClientStream::Unix(Paced::new(stream, &self.limits));
            ready(Ok((stream, Protocol::Http1, Some(UNIX_PEER))))
        };
        fn_service(accept).and_then(http)
    }

    fn http(
        &self,
    ) -> impl ServiceFactory<Accepted, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
    {
        let shutdown = self.shutdown.clone();
        let app = latchkey_http::app(&self.context, self.routes).into_factory();
        HttpService::build()
            .graceful_shutdown_signal(move || notified(shutdown.clone()))
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(OPENING)
            .client_disconnect_timeout(CLOSING)
            .h2_initial_window_size(HTTP_2_WINDOW)
            .h2_initial_connection_window_size(HTTP_2_WINDOW)
            .on_connect_ext(describe)
            .finish(map_config(app.map_err(|error| error.error_response()), |()| AppConfig::default()))
    }

    async fn accept(&self, stream: TcpStream) -> io::Result<Accepted> {
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr().ok();
        let stream = Paced::new(stream, &self.limits);
        let Some(certificates) = &self.certificates else {
            return Ok((ClientStream::Tcp(stream), Protocol::Http1, peer));
        };
        let handshake = TlsAcceptor::from(certificates.current()).accept(stream);
        let accepted =
            timeout(OPENING, handshake).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let mut stream = accepted.inspect_err(|error| {
            tracing::debug!(peer = ?peer, error = %ErrorChain(error), "a TLS handshake failed");
        })?;
        let (paced, session) = stream.get_mut();
        if session.alpn_protocol() != Some(HTTP_2) {
            return Ok((ClientStream::Tls(Box::new(stream), None), Protocol::Http1, peer));
        }
        paced.set_multiplexed();
        let drain = Drain::new(notified(self.shutdown.clone()), Streams::default());
        Ok((ClientStream::Tls(Box::new(stream), Some(drain)), Protocol::Http2, peer))
    }
}

async fn notified(shutdown: GracefulShutdownSignal) {
    shutdown.notified().await;
}

/// Attaches to a connection what requests need to know of it.
fn describe(stream: &ClientStream, extensions: &mut Extensions) {
    let connection = match stream {
        ClientStream::Tcp(_) => return,
        ClientStream::Unix(_) => Connection::new(Transport::Unix, Streams::default()),
        ClientStream::Tls(stream, drain) => {
            let (_, session) = stream.get_ref();
            let has_client_certificate = session.peer_certificates().is_some();
            let streams = drain.as_ref().map(Drain::streams).unwrap_or_default();
            Connection::new(Transport::Tls { has_client_certificate }, streams)
        }
    };
    extensions.insert(connection);
}
