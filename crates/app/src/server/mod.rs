//! How a server is reached: its addresses, TLS, the service manager, and the streams of its connections.
//!
//! - `address`: what can be listened on; `listener`: the sockets, bound at the start and listened on later;
//! - `tls`: certificates; `reload`: their replacement at SIGHUP and when files change;
//! - `files`: how many of them the process may open;
//! - `systemd`: sockets of the service manager, and what it is told;
//! - `connections`: accepts a connection and hands it to actix-http; `stream`: cuts slow clients off.
//!
//! A start first [binds](Sockets::bind), which can fail, and then opens the store. Once it can serve, it [listens](Sockets::listen).

mod address;
mod connections;
mod files;
mod listener;
pub(crate) mod reload;
mod stream;
pub(crate) mod systemd;
mod tls;

use std::sync::Arc;

use actix_server::{Server, ServerBuilder};
use latchkey_http::{Context, Routes};

use self::connections::Connections;
pub(crate) use self::{
    address::{Address, Host},
    files::allow_files,
    listener::{BoundSocket, Listener, Setting, SocketFile},
    stream::ConnectionLimits,
    systemd::PassedSockets,
    tls::{Certificates, TlsFiles},
};

/// The sockets of a server.
#[derive(Debug)]
pub(crate) struct Sockets {
    main: BoundSocket,
    /// Serves verification only.
    verify: Option<BoundSocket>,
}

/// A server that listens; it serves when it is awaited.
pub(crate) struct Listening {
    pub(crate) server: Server,
    /// The files of its Unix domain sockets, which are removed with this.
    pub(crate) files: Vec<SocketFile>,
}

impl Sockets {
    /// Binds the addresses, except those in whose place the service manager passes a socket.
    ///
    /// # Errors
    /// Says what the operator can do, such as where an address is in use.
    pub(crate) fn bind(
        main: &Address,
        verify: Option<&Address>,
        passed: PassedSockets,
    ) -> anyhow::Result<Self> {
        let main = passed.main.map_or_else(|| BoundSocket::bind(main, Setting::Listen), Ok)?;
        let bind = |address| BoundSocket::bind(address, Setting::VerifyListen);
        let verify = passed.verify.map(Ok).or_else(|| verify.map(bind)).transpose()?;
        Ok(Self { main, verify })
    }

    /// Returns the main address.
    pub(crate) fn address(&self) -> &Address {
        self.main.address()
    }

    /// Returns the address that serves verification only.
    pub(crate) fn verify_address(&self) -> Option<&Address> {
        self.verify.as_ref().map(BoundSocket::address)
    }

    /// Listens, and serves these routes on the main address. The builder says how many workers there are, and how they stop.
    ///
    /// # Errors
    /// If another process listens on an address by now.
    pub(crate) fn listen(
        self,
        builder: ServerBuilder,
        context: Arc<Context>,
        routes: Routes,
        certificates: Option<Arc<Certificates>>,
        limits: ConnectionLimits,
    ) -> anyhow::Result<Listening> {
        let connections = Connections {
            context,
            routes,
            certificates,
            limits,
            shutdown: builder.graceful_shutdown_signal(),
        };
        let mut files = Vec::new();
        let mut builder = add(builder, self.main, connections.clone(), &mut files)?;
        if let Some(verify) = self.verify {
            let connections = Connections { routes: Routes::Verification, ..connections };
            builder = add(builder, verify, connections, &mut files)?;
        }
        Ok(Listening { server: builder.run(), files })
    }
}

fn add(
    builder: ServerBuilder,
    socket: BoundSocket,
    connections: Connections,
    files: &mut Vec<SocketFile>,
) -> anyhow::Result<ServerBuilder> {
    let name = socket.address().to_string();
    let (listener, file) = socket.listen()?;
    files.extend(file);
    Ok(match listener {
        Listener::Tcp(listener) => builder.listen(name, listener, move || connections.clone().tcp())?,
        Listener::Unix(listener) => builder.listen_uds(name, listener, move || connections.clone().unix())?,
    })
}
