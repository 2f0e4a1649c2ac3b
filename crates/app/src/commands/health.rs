//! `latchkey health`: asks a server whether it is well, for health checks in images without another HTTP client.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use actix_web::http::{Uri, uri::Scheme};
use anyhow::{Context as _, bail};
use clap::Args;

use crate::{
    config::Server,
    output::{self, Usage},
    serve,
};

/// The timeouts of connecting, and of each read and write.
const TIMEOUT: Duration = Duration::from_secs(3);
/// More than a health check says.
const MAX_RESPONSE: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The server, as `http://<host>:<port>`; by default the configured address on this machine
    #[arg(long)]
    pub(crate) url: Option<Uri>,
    /// Ask whether the server can serve requests (/ready), which needs the database, instead of whether it runs (/health)
    #[arg(long)]
    pub(crate) ready: bool,
}

/// Asks the server, and prints what it says.
///
/// # Errors
/// If it cannot be reached, or is not well.
pub(super) fn check(settings: &Server, arguments: HealthArgs) -> anyhow::Result<()> {
    let url = match arguments.url {
        Some(url) => url,
        None => serve::url(SocketAddr::new(settings.listen, settings.port)).parse()?,
    };
    let path = if arguments.ready { "/ready" } else { "/health" };
    let shown = format!("{}{path}", url.to_string().trim_end_matches('/'));
    let (head, body) = ask(&url, path).with_context(|| format!("{shown} does not answer"))?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{shown} says {status}: {}", body.trim());
    }
    output::result(body.trim())
}

/// Sends one request, and returns the first line and the body of the response.
fn ask(url: &Uri, path: &str) -> anyhow::Result<(String, String)> {
    if url.scheme() != Some(&Scheme::HTTP) || !matches!(url.path(), "" | "/") {
        bail!(Usage("write the URL of a server as http://<host>:<port>".to_owned()));
    }
    let authority = url.authority().context("the URL has no host")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let connection = connect(host, port)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    exchange(connection, authority.as_str(), path)
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(connection) => return Ok(connection),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn exchange(mut connection: impl Read + Write, host: &str, path: &str) -> anyhow::Result<(String, String)> {
    // HTTP/1.0, so that the body is what follows the head, up to the end.
    let request = format!("GET {path} HTTP/1.0\r\nhost: {host}\r\nuser-agent: latchkey-health\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    connection.take(MAX_RESPONSE).read_to_end(&mut response)?;
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").context("what answers does not speak HTTP")?;
    let first = head.lines().next().unwrap_or_default();
    if !first.starts_with("HTTP/") {
        bail!("what answers does not speak HTTP");
    }
    Ok((first.to_owned(), body.to_owned()))
}
