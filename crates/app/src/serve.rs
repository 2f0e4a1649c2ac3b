//! The life of a server, in order: open the store, bind the address, create the first tokens, print how to call the
//! API, serve until a signal, shut down gracefully.

use std::{
    io::{self, ErrorKind, IsTerminal as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process,
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use actix_web::{HttpServer, dev::ServerHandle};
use anyhow::{Context as _, anyhow};
use latchkey_http::HttpSettings;
use latchkey_ports::ErrorChain;
use latchkey_service::whole_seconds;
use tokio::task::JoinHandle;

use crate::{
    background::Background,
    config::{Config, EnvVars, Server},
    keys, output,
    signals::{Signals, Stop},
    startup,
    wiring::App,
};

/// Connections that can wait to be accepted while all workers are busy.
const BACKLOG: u32 = 1_024;
/// Longer than load balancers keep an idle connection (usually 60 s), so that they close it. Otherwise a load balancer
/// can send a request on a connection that the server is closing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Serves until a signal ends it.
///
/// The HTTP workers are actix's: one thread and one runtime each, started from the multi-thread runtime that runs this
/// function. Background tasks run on the latter, so that a busy worker delays only its own requests. SQLite calls go to
/// the store's own threads. The driver of a shared PostgreSQL connection runs where the connection was made, usually on a
/// worker: that saves each query hops between threads, and no task on a worker blocks or computes for long. Pooled
/// connections are made here, so that they outlive the workers.
pub(crate) async fn run(config: &Config, variables: &EnvVars) -> anyhow::Result<()> {
    // From here on no signal is lost.
    let signals = Signals::listen().context("signals cannot be listened to")?;
    let init = startup::init_tokens(variables)?;
    let app = App::open(config, variables).await?;

    let context = Arc::new(latchkey_http::Context::new(
        app.use_cases.clone(),
        app.entropy.clone(),
        http_settings(config),
    ));
    let server = HttpServer::new(move || latchkey_http::app(&context))
        .workers(workers(&config.server))
        .backlog(BACKLOG)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .disable_signals()
        .shutdown_timeout(whole_seconds(config.server.shutdown_timeout))
        .bind((config.server.listen, config.server.port))
        .map_err(|error| unbound(&config.server, error))?;
    let address = *server.addrs().first().context("the server has no address")?;

    // After the address is bound, because a secret may be shown here once; before the first response.
    let has_terminal = io::stdout().is_terminal();
    let access = startup::first_tokens(&app, &config.database.url, init, has_terminal).await?;
    if let Some(key) = app.use_cases.master_keys.missing().await? {
        tracing::warn!("{}", keys::missing(key));
    }
    if let Err(error) = app.use_cases.learn_older_keys().await {
        tracing::warn!(
            error = %ErrorChain(&error),
            "the older master keys could not be determined; it is tried again later"
        );
    }
    let background =
        Background::start(&app.use_cases, config.verify.follow_every(), config.last_used.flush_interval);
    let server = server.run();
    let stopping = stop_on_signal(signals, server.handle());
    tracing::info!(%address, database = %config.database.url, "serving");
    let banner = startup::banner(&url(address), &config.database.url, &access);
    // A server runs without a reader of its standard output.
    if let Err(error) = output::result(banner) {
        tracing::warn!(error = %ErrorChain(error.as_ref()), "the address could not be printed");
    }

    let outcome = server.await;
    stopping.abort();
    background.finish().await;
    tracing::info!("stopped");
    outcome.context("the server failed")
}

fn http_settings(config: &Config) -> HttpSettings {
    HttpSettings {
        request_timeout: config.server.request_timeout,
        trusted_proxies: config.server.trusted_proxies.clone(),
        verify_header: config.verify.header.clone(),
        ..HttpSettings::default()
    }
}

fn workers(settings: &Server) -> usize {
    match settings.workers {
        0 => available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// Shuts down gracefully on the first signal, and at once on Ctrl-C after it.
fn stop_on_signal(mut signals: Signals, server: ServerHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!(?signal, "shutting down after the requests in progress");
        // The shutdown begins with the call, not when the future is awaited.
        drop(tokio::spawn(server.stop(true)));
        while signals.next().await != Stop::Interrupt {}
        tracing::warn!("shut down at once; requests in progress got no response");
        process::exit(INTERRUPTED);
    })
}

fn unbound(settings: &Server, error: io::Error) -> anyhow::Error {
    let address = SocketAddr::new(settings.listen, settings.port);
    match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{address} is in use: stop the program that uses it, or choose another port with --port")
        }
        ErrorKind::AddrNotAvailable => {
            anyhow!("this machine has no address {}: choose another with --listen", settings.listen)
        }
        ErrorKind::PermissionDenied => {
            anyhow!("{address} may not be used by this user: choose a port from 1024 up with --port")
        }
        _ => anyhow::Error::new(error).context(format!("{address} cannot be listened on")),
    }
}

/// Returns the URL under which the server is reached on this machine.
pub(crate) fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_reachable_from_this_machine() {
        for (address, expected) in [
            ("127.0.0.1:4242", "http://127.0.0.1:4242"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.0.0.7:80", "http://10.0.0.7:80"),
        ] {
            assert_eq!(url(address.parse().expect("an address")), expected);
        }
    }
}
