//! The server of the metrics, where they have an address of their own (`metrics.listen`).

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{HttpServer, dev::ServerHandle};
use anyhow::Context as _;
use latchkey_http::{Context, Routes};

/// Seconds that requests in progress have when the server stops.
const SHUTDOWN_TIMEOUT: u64 = 1;

/// Returns a socket that listens on this address.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!("metrics.listen: {address} cannot be listened on; choose another address or port")
    })
}

/// The running server.
pub(crate) struct MetricsServer(ServerHandle);

impl MetricsServer {
    /// Starts a server on this socket.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub(crate) fn start(socket: TcpListener, context: &Arc<Context>) -> anyhow::Result<Self> {
        let context = Arc::clone(context);
        let server = HttpServer::new(move || latchkey_http::app(&context, Routes::Metrics))
            // A scrape every few seconds keeps no more than one busy.
            .workers(1)
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_TIMEOUT)
            .listen(socket)?;
        for address in server.addrs() {
            tracing::info!(%address, "serving metrics");
        }
        let server = server.run();
        let handle = server.handle();
        // It ends with its handle; until then a failure to accept is logged by the framework.
        drop(tokio::spawn(server));
        Ok(Self(handle))
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.0.stop(true).await;
    }
}
