//! Networks that an API token is bound to.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// The networks from which a token works: at most [`NetworkSet::MAX`], sorted, each once. Empty: from everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkSet(Vec<IpNet>);

/// Why a token cannot be bound to networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error(
        "\"{0}\" is no network: write it as in CIDR, such as 10.1.0.0/16 or 2001:db8::/32, or as one address"
    )]
    Unreadable(String),
    #[error(
        "\"{sent}\" names one address of a network: write {network} for the whole network, or the address alone"
    )]
    HasHostBits { sent: String, network: IpNet },
    #[error("at most {max} networks are possible, not {0}", max = NetworkSet::MAX)]
    TooMany(usize),
}

impl NetworkSet {
    /// The maximum number of networks.
    pub const MAX: usize = 64;

    /// Returns the set of these networks, each written as in CIDR or as one address.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, NetworkError> {
        let mut networks = texts.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > Self::MAX {
            return Err(NetworkError::TooMany(networks.len()));
        }
        Ok(Self(networks))
    }

    /// Returns the networks, in order.
    pub fn as_slice(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether there is no network, which means everywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a token with these networks works from this address. Of an address that is not known (`None`), only a token
    /// that works from everywhere does.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let address = address.map(|address| address.to_canonical());
        address.is_some_and(|address| self.0.iter().any(|network| network.contains(&address)))
    }

    /// Whether each of these networks lies in one of the others. Everywhere lies in everywhere alone.
    pub fn is_within(&self, others: &Self) -> bool {
        if self.0.is_empty() || others.0.is_empty() {
            return others.0.is_empty();
        }
        self.0.iter().all(|network| others.0.iter().any(|other| other.contains(network)))
    }
}

fn parse(text: &str) -> Result<IpNet, NetworkError> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network: IpNet =
        address.or_else(|_| text.parse()).map_err(|_| NetworkError::Unreadable(text.to_owned()))?;
    let network = canonical_network(network);
    if network != network.trunc() {
        return Err(NetworkError::HasHostBits { sent: text.to_owned(), network: network.trunc() });
    }
    Ok(network)
}

/// Writes a network of IPv4 addresses in IPv6 form (`::ffff:10.0.0.0/104`) as the IPv4 network that it is, because clients
/// are compared by their canonical address.
pub fn canonical_network(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(MAPPED_BITS)) {
        (IpAddr::V4(address), Some(length)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, length).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> NetworkSet {
        NetworkSet::parse(texts.iter().copied()).expect("networks")
    }

    #[test]
    fn mapped_ipv4_networks_become_ipv4() {
        for (written, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.1/128", "10.0.0.1/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            let network = written.parse().expect("a network");
            assert_eq!(canonical_network(network).to_string(), expected, "{written}");
        }
    }

    #[test]
    fn a_network_is_read_as_cidr_or_as_one_address() {
        let read = set(&["10.1.0.0/16", " 10.2.3.4 ", "2001:db8::/32", "::1", "::ffff:10.1.0.0/112"]);
        let expected = ["10.1.0.0/16", "10.2.3.4/32", "::1/128", "2001:db8::/32"];
        assert_eq!(read.as_slice(), expected.map(|text| text.parse().expect("a network")));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "example.com", "10.0.0.0-10.0.0.9"] {
            let error = NetworkSet::parse([text]).expect_err(text);
            assert!(error.to_string().contains("CIDR"), "{error}");
        }
        let error = NetworkSet::parse(["10.1.2.3/8"]).expect_err("it has host bits");
        assert!(error.to_string().contains("10.0.0.0/8"), "{error}");
        let numbered = |count: u8| (0..count).map(|number| format!("10.0.0.{number}")).collect::<Vec<_>>();
        assert!(NetworkSet::parse(numbered(64).iter().map(String::as_str)).is_ok());
        assert!(NetworkSet::parse(numbered(65).iter().map(String::as_str)).is_err());
    }

    #[test]
    fn an_address_is_admitted_by_its_network_in_either_form() {
        let networks = set(&["10.1.0.0/16", "2001:db8::/32"]);
        let admits = |text: &str| networks.admits(Some(text.parse().expect("an address")));
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"] {
            assert!(admits(text), "{text}");
        }
        for text in ["10.2.0.1", "::1", "2001:db9::1"] {
            assert!(!admits(text), "{text}");
        }
        assert!(!networks.admits(None));
        assert!(NetworkSet::default().admits(None) && NetworkSet::default().admits("10.0.0.1".parse().ok()));
    }

    #[test]
    fn everywhere_is_wider_than_any_network() {
        let everywhere = NetworkSet::default();
        let (wide, narrow) = (set(&["10.0.0.0/8", "::/0"]), set(&["10.1.0.0/16", "2001:db8::/32"]));
        for (one, other, expected) in [
            (&narrow, &wide, true),
            (&wide, &narrow, false),
            (&wide, &everywhere, true),
            (&everywhere, &wide, false),
            (&everywhere, &everywhere, true),
            (&narrow, &narrow, true),
        ] {
            assert_eq!(one.is_within(other), expected, "{one:?} within {other:?}");
        }
    }
}
