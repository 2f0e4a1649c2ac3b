//! The life of a server, in order: bind the address, open the store, create the first tokens, listen, print how to call the
//! API, serve until a signal, shut down gracefully.

use std::{
    io::{self, IsTerminal as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process,
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use actix_server::ServerHandle;
use anyhow::Context as _;
use latchkey_console::{Console, Instance, Setting as ShownSetting};
use latchkey_http::{HttpSettings, MemoryBudget, Sampling};
use latchkey_metrics::Exporter;
use latchkey_ports::ErrorChain;
use latchkey_service::{NewReplica, whole_seconds};
use rustix::system::uname;
use tokio::task::{JoinHandle, JoinSet};

use crate::{
    background::{Background, BackgroundSettings},
    config::{Config, EnvVars, Server},
    keys,
    metrics_server::MetricsServer,
    output,
    server::{
        self, Address, BoundSocket, Certificates, ConnectionLimits, Listening, PassedSockets, Setting,
        Sockets, reload, systemd,
    },
    signals::{self, Signals, Stop},
    startup::{self, Reach},
    store::IfMissing,
    wiring::App,
};

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;
/// How often the files of TLS are looked at for changes.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// Serves until a signal ends it.
///
/// The HTTP workers are actix's: one thread and one runtime each, started from the multi-thread runtime that runs this
/// function. Background tasks run on the latter, so that a busy worker delays only its own requests. SQLite calls go to
/// the store's own threads. The driver of a shared PostgreSQL connection runs where the connection was made, usually on a
/// worker: that saves each query hops between threads, and no task on a worker blocks or computes for long. Pooled
/// connections are made here, so that they outlive the workers.
pub(crate) async fn run(config: &Config, variables: &EnvVars, passed: PassedSockets) -> anyhow::Result<()> {
    // From here on no signal is lost.
    let signals = Signals::listen().context("signals cannot be listened to")?;
    let hangups = signals::hangups().context("signals cannot be listened to")?;
    let init = startup::init_tokens(variables, config.tokens.min_init_length)?;
    let edge_client = startup::edge_client(variables)?;
    let report_keys = startup::report_keys(&config.leaks.github_keys)?;
    let certificates = config.tls_files().map(Certificates::load).transpose()?.map(Arc::new);
    let main = config.server.listen.with_port(config.server.port);
    let sockets = Sockets::bind(&main, config.server.verify_listen.as_ref(), passed)?;
    let (address, verify_address) = (sockets.address().clone(), sockets.verify_address().cloned());
    for address in [Some(&address), verify_address.as_ref()].into_iter().flatten() {
        warn_of_plain_http(&config.server, address, certificates.is_some());
    }
    let bind = |address| BoundSocket::bind(address, Setting::Metrics);
    let metrics = config.metrics.listen.as_ref().map(bind).transpose()?;
    let exporter = Arc::new(Exporter::new(env!("CARGO_PKG_VERSION"))?);
    exporter.install()?;
    let role = config.server.role;
    let app = App::open(config, variables, IfMissing::Create).await?;
    if !role.administers() {
        follow_replica(&app).await?;
    }
    if let Some(warning) = keys::check(&app.use_cases, config).await? {
        tracing::warn!("{warning}");
    }

    let memory = Arc::new(MemoryBudget::new(config.server.max_memory_in_flight));
    let context = latchkey_http::Context::new(
        app.use_cases.clone(),
        app.entropy.clone(),
        exporter,
        HttpSettings { edge_client, report_keys, ..http_settings(config, &memory) },
    );
    let context = if config.console.enabled {
        context.with_pages(Arc::new(Console::new(instance(config))))
    } else {
        context
    };
    let context = Arc::new(context);
    let metrics = metrics.map(|socket| MetricsServer::start(socket, &context)).transpose()?;
    // After the address is bound, because a secret may be shown here once; before the first response.
    let has_terminal = io::stdout().is_terminal();
    let access = if role.administers() {
        startup::first_tokens(&app, &config.database.url, init, has_terminal).await?
    } else {
        startup::no_tokens(&init)
    };
    if let Err(error) = app.use_cases.learn_older_keys().await {
        tracing::warn!(
            error = %ErrorChain(&error),
            "the older master keys could not be determined; it is tried again later"
        );
    }
    let tasks = BackgroundSettings {
        follow_every: config.verify.follow_every(),
        flush_every: config.last_used.flush_interval,
        notices_every: config.notices.interval,
        webhook_workers: config.webhooks.workers,
    };
    app.use_cases.replicas.join(this_process(&address));
    let background = Background::start(role, &app.use_cases, &context, tasks);
    let workers = workers(&config.server);
    let max_connections = usize::try_from(config.server.max_connections)?;
    server::allow_files(config.server.max_connections);
    let builder = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(max_connections.div_ceil(workers))
        .disable_signals()
        .shutdown_timeout(whole_seconds(config.server.shutdown_timeout));
    let verify_reach = verify_address.as_ref().map(|address| reach(address, certificates.is_some()));
    let reach = reach(&address, certificates.is_some());
    let routes = role.routes(metrics.is_none());
    let limits = ConnectionLimits::new(config.server.request_timeout, memory);
    let Listening { server, files } =
        sockets.listen(builder, context.clone(), routes, certificates.clone(), limits)?;
    let stopping = stop_on_signal(signals, server.handle(), context);
    let mut tasks = JoinSet::new();
    tasks.spawn(reload::follow(certificates, hangups, RELOAD_EVERY));
    tasks.spawn(systemd::keep_alive());
    let database = &config.database.url;
    match verify_address {
        None => tracing::info!(%address, %database, "serving"),
        Some(verify_address) => tracing::info!(%address, %verify_address, %database, "serving"),
    }
    systemd::ready();
    let banner = startup::banner(&reach, verify_reach.as_ref(), &config.database.url, &access);
    // A server runs without a reader of its standard output.
    if let Err(error) = output::result(banner) {
        tracing::warn!(error = %ErrorChain(error.as_ref()), "the address could not be printed");
    }

    let outcome = server.await;
    drop(files);
    stopping.abort();
    tasks.shutdown().await;
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    background.finish().await;
    tracing::info!("stopped");
    outcome.context("the server failed")
}

/// Reads the change feed of a replica for the first time, because its tokens are verified only after that. One that is too far
/// behind does not stop the start: it is not ready, and catches up.
///
/// # Errors
/// If the database cannot be read.
async fn follow_replica(app: &App) -> anyhow::Result<()> {
    match app.use_cases.follow_changes().await {
        Err(error) if app.use_cases.metrics().feed_age.is_none() => {
            Err(error).context("the change feed could not be read")
        }
        _ => Ok(()),
    }
}

/// Returns what this server says of itself to others.
fn this_process(address: &Address) -> NewReplica {
    NewReplica {
        host: uname().nodename().to_string_lossy().into_owned(),
        address: address.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Returns what the console shows of this server.
fn instance(config: &Config) -> Instance {
    let settings = config.effective.settings().iter().map(|setting| ShownSetting {
        section: setting.section,
        name: setting.name,
        value: setting.value.clone(),
        origin: setting.origin.clone(),
    });
    Instance { store: config.database.url.system(), settings: settings.collect() }
}

fn http_settings(config: &Config, memory: &Arc<MemoryBudget>) -> HttpSettings {
    HttpSettings {
        request_timeout: config.server.request_timeout,
        event_streams: usize::try_from(config.limits.event_streams).unwrap_or(usize::MAX),
        memory: Arc::clone(memory),
        cors_origins: config.server.cors_origins.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
        verify_needs_certificate: config.server_tls.client_authorities.is_some(),
        verify_header: config.verify.header.clone(),
        access_log: config.log.access,
        traces: config.traces.endpoint.is_some().then_some(Sampling {
            ratio: config.traces.sample_ratio,
            trusts_clients: config.traces.trust_clients,
        }),
        ..HttpSettings::default()
    }
}

fn workers(settings: &Server) -> usize {
    match settings.workers {
        0 => available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// Warns if tokens would cross a network in the clear.
fn warn_of_plain_http(settings: &Server, address: &Address, has_tls: bool) {
    if !(address.is_local() || has_tls) && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            %address,
            "tokens and passwords cross the network in the clear: set server.tls.certificate and server.tls.key, or put a \
             proxy that speaks TLS in front and name it in server.trusted_proxies"
        );
    }
}

/// Shuts down gracefully on the first signal, and at once on Ctrl-C after it.
fn stop_on_signal(
    mut signals: Signals,
    server: ServerHandle,
    context: Arc<latchkey_http::Context>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!(?signal, "shutting down after the requests in progress");
        systemd::stopping();
        context.end_streams();
        // The shutdown begins with the call, not when the future is awaited.
        drop(tokio::spawn(server.stop(true)));
        while signals.next().await != Stop::Interrupt {}
        tracing::warn!("shut down at once; requests in progress got no response");
        process::exit(INTERRUPTED);
    })
}

/// Returns how the server is reached on this machine.
pub(crate) fn reach(address: &Address, has_tls: bool) -> Reach {
    let scheme = if has_tls { "https" } else { "http" };
    match address {
        Address::Tcp(address) => {
            let ip = match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            Reach { url: format!("{scheme}://{}", SocketAddr::new(ip, address.port())), socket: None }
        }
        Address::Unix(path) => Reach { url: "http://localhost".to_owned(), socket: Some(path.clone()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_reachable_from_this_machine() {
        for (address, has_tls, expected) in [
            ("127.0.0.1:4242", false, "http://127.0.0.1:4242"),
            ("0.0.0.0:80", false, "http://127.0.0.1:80"),
            ("[::]:80", false, "http://[::1]:80"),
            ("10.0.0.7:443", true, "https://10.0.0.7:443"),
            ("unix:/run/latchkey.sock", false, "http://localhost"),
        ] {
            assert_eq!(reach(&address.parse().expect("an address"), has_tls).url, expected);
        }
    }
}
