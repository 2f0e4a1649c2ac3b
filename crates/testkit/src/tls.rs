//! Certificates, and a client of HTTP/1.1 over TLS that chooses what it trusts and what it shows.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test whose certificate cannot be made fails"
)]

use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use crate::raw_http::{Request, Response};

/// A server that does not respond within this time hangs.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM form.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    /// Makes an authority of this name.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Returns its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a new certificate for this name.
    pub fn issue(&self, name: &str) -> Identity {
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Identity {
    /// Writes `<name>.pem` and `<name>.key` into the directory.
    pub fn write(&self, directory: &Path, name: &str) {
        fs::write(directory.join(format!("{name}.pem")), &self.certificate).expect("written");
        fs::write(directory.join(format!("{name}.key")), &self.key).expect("written");
    }
}

/// A client that trusts one authority.
pub struct TlsClient(Arc<ClientConfig>);

/// A connection of a client.
pub type TlsConnection = StreamOwned<ClientConnection, TcpStream>;

impl TlsClient {
    /// A client without a certificate.
    pub fn trusting(authority: &Authority) -> Self {
        Self::new(authority, None)
    }

    /// A client that shows a certificate if the server asks for one.
    pub fn with_identity(authority: &Authority, identity: &Identity) -> Self {
        Self::new(authority, Some(identity))
    }

    fn new(authority: &Authority, identity: Option<&Identity>) -> Self {
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&authority.pem())).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(Identity { certificate: pem, key }) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                config.with_client_auth_cert(vec![certificate(pem)], key).expect("a pair")
            }
        };
        Self(Arc::new(config))
    }

    /// Offers these protocols by ALPN; without this, none.
    #[must_use]
    pub fn offering(self, protocols: &[&str]) -> Self {
        let mut config = Arc::unwrap_or_clone(self.0);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// Connects to the host `localhost` at this address, and finishes the handshake.
    ///
    /// # Errors
    /// If there is no connection, or one of both sides does not trust the other.
    pub fn connect(&self, address: SocketAddr) -> io::Result<TlsConnection> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    /// Sends a request on a connection of its own.
    ///
    /// # Errors
    /// As [`TlsClient::connect`], and if the server does not respond in time.
    pub fn send(&self, address: SocketAddr, request: &Request) -> io::Result<Response> {
        request.exchange(self.connect(address)?)
    }
}
