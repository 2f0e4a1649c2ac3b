//! The addresses to which is sent. A receiver's URL is text that a caller of the API chose, and it must not lead into the operator's
//! networks (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use latchkey_domain::canonical_network;

/// The networks that are allowed besides public addresses (`webhooks.allowed_networks`).
#[derive(Debug, Clone, Default)]
pub struct AllowedNetworks(Vec<IpNet>);

impl AllowedNetworks {
    /// Returns these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().map(canonical_network).collect())
    }

    /// Whether an address is in one of the networks.
    fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether it may be sent to an address: in plain HTTP only where the operator has named it, over HTTPS also if it is public.
    pub(crate) fn admit(&self, address: IpAddr, is_https: bool) -> bool {
        self.has(address) || (is_https && is_public(address))
    }
}

/// Whether the address is one of the Internet, by IANA's registries of special-purpose addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = [a, b, c] == [192, 0, 0];
    let is_relay = [a, b, c] == [192, 88, 99];
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 240
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_relay
        || is_benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, ..] = segments;
    if let Some(embedded) = embedded_v4(segments) {
        return is_public_v4(embedded);
    }
    let is_global_unicast = a & 0xe000 == 0x2000;
    // Teredo, ORCHID and others of the protocols' own, and documentation.
    let is_protocol = a == 0x2001 && b < 0x0200;
    let is_documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    is_global_unicast && !is_protocol && !is_documentation
}

/// Returns the IPv4 address that an IPv6 address leads to: mapped (`::ffff:a.b.c.d`), by NAT64 (`64:ff9b::/96`) or by 6to4 (`2002::/16`).
fn embedded_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let ([0, 0, 0, 0, 0, 0xffff, high, low]
    | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [0x2002, high, low, ..]) = segments
    else {
        return None;
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn public_addresses_alone_are_admitted() {
        let none = AllowedNetworks::default();
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(none.admit(address(public), true), "{public}");
            assert!(!none.admit(address(public), false), "{public} in plain HTTP");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!none.admit(address(other), true), "{other}");
        }
    }

    #[test]
    fn named_networks_are_admitted_in_either_form_and_in_plain_http() {
        let networks = ["10.1.0.0/16", "fd00::/8", "::ffff:192.168.7.0/120"];
        let networks = AllowedNetworks::new(networks.map(|network| network.parse().expect("a network")));
        for named in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "192.168.7.9"] {
            assert!(networks.admit(address(named), true) && networks.admit(address(named), false), "{named}");
        }
        assert!(!networks.admit(address("10.2.0.1"), true));
        assert!(networks.admit(address("1.1.1.1"), true) && !networks.admit(address("1.1.1.1"), false));
    }
}
