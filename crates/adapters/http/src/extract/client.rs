//! The client that sent a request: its address, and whether a browser sent the request on behalf of another site.

use std::net::{IpAddr, SocketAddr};

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{
        Method,
        header::{self, HeaderName},
    },
};
use latchkey_domain::Origin;

use crate::{
    connection::{Connection, Transport},
    context::Context,
    error::ApiError,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The client that sent a request.
#[derive(Clone, Copy)]
pub struct Client<'r> {
    pub(crate) request: &'r HttpRequest,
    pub(super) context: &'r Context,
}

impl<'r> Client<'r> {
    /// The client of a request.
    #[must_use]
    pub fn new(request: &'r HttpRequest, context: &'r Context) -> Self {
        Self { request, context }
    }

    /// Refuses a change that another site made a browser send (Fetch Metadata; RFC 6454 for browsers without it). Clients
    /// that are no browsers send neither header and pass: they send no cookies by accident.
    ///
    /// # Errors
    /// [`ApiError::CrossSite`].
    pub fn refuse_cross_site(self) -> Result<(), ApiError> {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(self.request.method()) {
            return Ok(());
        }
        self.check_site()
    }

    /// As [`Client::refuse_cross_site`], for a change that any method can make.
    ///
    /// # Errors
    /// [`ApiError::CrossSite`].
    pub fn check_site(self) -> Result<(), ApiError> {
        let is_same_site = match (self.header(SEC_FETCH_SITE), self.header(header::ORIGIN)) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let host = origin.split_once("://").map(|(_, host)| host);
                host.is_some() && host == self.public_host()
            }
            (None, None) => true,
        };
        if is_same_site { Ok(()) } else { Err(ApiError::CrossSite) }
    }

    /// Returns a header that is text.
    #[must_use]
    pub fn header(self, name: HeaderName) -> Option<&'r str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns where the client reached this server, such as `https://latchkey.example.com`.
    #[must_use]
    pub fn base_url(self) -> String {
        let scheme = if self.is_encrypted() { "https" } else { "http" };
        format!("{scheme}://{}", self.public_host().unwrap_or("localhost"))
    }

    /// Returns the host and port that the client addressed: from a trusted proxy, else from the `Host` header.
    fn public_host(self) -> Option<&'r str> {
        let forwarded = self.header(header::X_FORWARDED_HOST).filter(|_| self.is_proxied());
        forwarded.or_else(|| self.header(header::HOST))
    }

    /// Refuses a connection without a client certificate where verification needs one. Through a Unix domain socket, the mode
    /// of its file takes the place of the certificate.
    pub(crate) fn check_certificate(self) -> Result<(), ApiError> {
        let is_refused = self.context.settings.verify_needs_certificate
            && matches!(
                Connection::transport_of(self.request),
                None | Some(Transport::Tls { has_client_certificate: false })
            );
        if is_refused { Err(ApiError::NoClientCertificate) } else { Ok(()) }
    }

    /// Returns whether the client's connection is encrypted: the one to Latchkey, or, as a trusted proxy says, that to the
    /// proxy.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        if let Some(Transport::Tls { .. }) = Connection::transport_of(self.request) {
            return true;
        }
        let scheme = || self.header(header::X_FORWARDED_PROTO);
        self.is_proxied() && scheme().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// Returns where the request comes from, for the audit trail.
    #[must_use]
    pub fn origin(self) -> Origin {
        Origin::new(self.address(), self.header(header::USER_AGENT))
    }

    /// Returns whether the request comes through a trusted proxy.
    pub(crate) fn is_proxied(self) -> bool {
        self.peer().is_some_and(|peer| self.context.is_trusted_proxy(peer))
    }

    fn peer(self) -> Option<IpAddr> {
        self.request.peer_addr().map(|peer| peer.ip().to_canonical())
    }

    /// Returns the client's address, and keeps it with the request, so that [`Client::address`] has it at hand.
    pub(crate) fn keep_address(self) -> Option<IpAddr> {
        let address = self.address();
        self.request.extensions_mut().insert(KeptAddress(address));
        address
    }

    /// Returns the client's address: the peer's, or, if that is a trusted proxy, the last one in `X-Forwarded-For` that is
    /// not. Each proxy appends the address of its own peer, so anything before that was written by the client.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self.request.extensions().get::<KeptAddress>() {
            Some(KeptAddress(address)) => *address,
            None => self.find_address(),
        }
    }

    fn find_address(self) -> Option<IpAddr> {
        let mut client = self.peer()?;
        let forwarded: Vec<_> = self.request.headers().get_all(header::X_FORWARDED_FOR).collect();
        if !(forwarded.is_empty() || self.context.is_trusted_proxy(client)) {
            self.context.warn_of_proxy(client);
        }
        let mut hops = forwarded.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.context.is_trusted_proxy(client) {
            let Some(before) = hops.next().and_then(hop) else { break };
            client = before;
        }
        Some(client)
    }
}

/// The address of a request's client.
struct KeptAddress(Option<IpAddr>);

/// Reads an address of `X-Forwarded-For`; some proxies append the port.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}
