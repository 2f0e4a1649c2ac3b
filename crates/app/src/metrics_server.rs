//! The server of the metrics, where they have an address of their own (`metrics.listen`).

use std::sync::Arc;

use actix_web::{HttpServer, dev::ServerHandle};
use latchkey_http::{Context, Routes};

use crate::server::{BoundSocket, Listener, SocketFile};

/// Seconds that requests in progress have when the server stops.
const SHUTDOWN_TIMEOUT: u64 = 1;

/// The running server.
pub(crate) struct MetricsServer {
    handle: ServerHandle,
    /// Removed with this.
    _file: Option<SocketFile>,
}

impl MetricsServer {
    /// Starts a server on this socket.
    ///
    /// # Errors
    /// If another process listens on the address by now.
    pub(crate) fn start(socket: BoundSocket, context: &Arc<Context>) -> anyhow::Result<Self> {
        let context = Arc::clone(context);
        let address = socket.address().clone();
        let (listener, file) = socket.listen()?;
        let server = HttpServer::new(move || latchkey_http::app(&context, Routes::Metrics))
            // A scrape every few seconds keeps no more than one busy.
            .workers(1)
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_TIMEOUT);
        let server = match listener {
            Listener::Tcp(listener) => server.listen(listener)?,
            Listener::Unix(listener) => server.listen_uds(listener)?,
        };
        tracing::info!(%address, "serving metrics");
        let server = server.run();
        let handle = server.handle();
        // It ends with its handle; until then a failure to accept is logged by the framework.
        drop(tokio::spawn(server));
        Ok(Self { handle, _file: file })
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.handle.stop(true).await;
    }
}
