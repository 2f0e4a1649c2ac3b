//! Name resolution that finds admitted addresses alone. The connection goes to one of those that were checked, so a name that changes
//! its address in between leads nowhere else.

use ureq::{
    Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use crate::AllowedNetworks;

/// No address of the receiver may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "the receiver is not at a public address: name its network in webhooks.allowed_networks if it is to be sent to"
    )]
    NotPublic,
    #[error(
        "the URL is not encrypted: use https, or name the receiver's network in webhooks.allowed_networks if it is one of yours"
    )]
    Plain,
}

/// The system's resolver, without the addresses that are not admitted.
#[derive(Debug, Default)]
pub(crate) struct CheckedResolver {
    inner: DefaultResolver,
    allowed: AllowedNetworks,
}

impl CheckedResolver {
    pub(crate) fn new(allowed: AllowedNetworks) -> Self {
        Self { inner: DefaultResolver::default(), allowed }
    }
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let is_https = uri.scheme_str() == Some("https");
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut admitted = self.empty();
        for address in found.iter().filter(|address| self.allowed.admit(address.ip(), is_https)) {
            admitted.push(*address);
        }
        if !admitted.is_empty() {
            return Ok(admitted);
        }
        let would_do = |address: &std::net::SocketAddr| self.allowed.admit(address.ip(), true);
        let refused = if found.iter().any(would_do) { Refused::Plain } else { Refused::NotPublic };
        Err(Error::Other(Box::new(refused)))
    }
}
