//! `latchkey health`: asks a server whether it is well, for health checks in images without another HTTP client.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use actix_web::http::{Uri, uri::Scheme};
use anyhow::{Context as _, bail};
use clap::Args;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    config::Config,
    output::{self, Usage},
    serve,
    startup::Reach,
};

/// The timeouts of connecting, and of each read and write.
const TIMEOUT: Duration = Duration::from_secs(3);
/// More than a health check says.
const MAX_RESPONSE: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The server, as `http://<host>:<port>` or `https://…`, whose certificate is not checked; by default the configured address
    /// on this machine
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
pub(super) fn check(config: &Config, arguments: HealthArgs) -> anyhow::Result<()> {
    let (url, socket) = if let Some(url) = arguments.url {
        (url, None)
    } else {
        let address = config.server.listen.with_port(config.server.port);
        let Reach { url, socket } = serve::reach(&address, config.tls_files().is_some());
        (url.parse()?, socket)
    };
    let path = if arguments.ready { "/ready" } else { "/health" };
    let shown = match &socket {
        Some(socket) => format!("unix:{} {path}", socket.display()),
        None => format!("{}{path}", url.to_string().trim_end_matches('/')),
    };
    let asked = ask(&url, socket.as_deref(), path);
    let (head, body) = asked.with_context(|| format!("{shown} does not answer"))?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{shown} says {status}: {}", body.trim());
    }
    output::result(body.trim())
}

/// Sends one request, and returns the first line and the body of the response.
fn ask(url: &Uri, socket: Option<&Path>, path: &str) -> anyhow::Result<(String, String)> {
    let has_tls = url.scheme() == Some(&Scheme::HTTPS);
    if !(has_tls || url.scheme() == Some(&Scheme::HTTP)) || !matches!(url.path(), "" | "/") {
        bail!(Usage("write the URL of a server as http://<host>:<port> or https://<host>:<port>".to_owned()));
    }
    let authority = url.authority().context("the URL has no host")?;
    if let Some(socket) = socket {
        let connection = UnixStream::connect(socket)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        return exchange(connection, authority.as_str(), path);
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(if has_tls { 443 } else { 80 });
    let connection = connect(host, port)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    if has_tls {
        let name = ServerName::try_from(host.to_owned()).context("the URL has no valid host")?;
        let session = ClientConnection::new(Arc::new(unchecked_tls()?), name)?;
        return exchange(StreamOwned::new(session, connection), authority.as_str(), path);
    }
    exchange(connection, authority.as_str(), path)
}

/// Returns TLS that accepts any certificate: the request has no secret, and the address is usually not a name in the certificate.
fn unchecked_tls() -> anyhow::Result<ClientConfig> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Unchecked))
        .with_no_client_auth())
}

/// Accepts any certificate.
#[derive(Debug)]
struct Unchecked;

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
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
