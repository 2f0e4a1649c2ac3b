//! The addresses that a server listens on.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

/// What the path of a Unix domain socket begins with.
const UNIX: &str = "unix:";

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An IP address and a port; port 0 is any free one.
    Tcp(SocketAddr),
    /// A Unix domain socket.
    Unix(PathBuf),
}

impl Address {
    /// Returns whether only processes of this machine can connect.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A string is no address.
#[derive(Debug)]
pub(crate) struct InvalidAddress;

/// Reads `10.0.0.5:4243` or `unix:/run/latchkey/verify.sock`.
impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        match unix_path(text) {
            Some(path) => Ok(Self::Unix(path)),
            None => text.parse().map(Self::Tcp).map_err(|_| InvalidAddress),
        }
    }
}

/// The main address without its port, which is a setting of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// An IP address.
    Ip(IpAddr),
    /// A Unix domain socket, which has no port.
    Unix(PathBuf),
}

impl Host {
    /// Returns the address with this port.
    pub(crate) fn with_port(&self, port: u16) -> Address {
        match self {
            Self::Ip(ip) => Address::Tcp(SocketAddr::new(*ip, port)),
            Self::Unix(path) => Address::Unix(path.clone()),
        }
    }
}

/// Reads `127.0.0.1` or `unix:/run/latchkey/latchkey.sock`.
impl FromStr for Host {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        match unix_path(text) {
            Some(path) => Ok(Self::Unix(path)),
            None => text.parse().map(Self::Ip).map_err(|_| InvalidAddress),
        }
    }
}

fn unix_path(text: &str) -> Option<PathBuf> {
    text.strip_prefix(UNIX).filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_socket_or_a_path() {
        for text in ["127.0.0.1:4243", "[::1]:0", "unix:/run/latchkey.sock", "unix:latchkey.sock"] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
        for text in ["127.0.0.1", "4243", "unix:", "/run/latchkey.sock", "localhost:1", ""] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_and_unix_are_local() {
        for (text, expected) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("unix:a.sock", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("10.0.0.1:1", false),
        ] {
            assert_eq!(text.parse::<Address>().expect(text).is_local(), expected, "{text}");
        }
    }
}
