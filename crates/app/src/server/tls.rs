//! TLS of the server: the certificate, its key, and the authorities of client certificates, which can be replaced while the
//! server runs. Connections that are open keep what they were made with.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{VerifierBuilderError, WebPkiClientVerifier},
};

/// The protocols that clients can choose by ALPN, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
/// HTTP/2 in ALPN (RFC 9113, section 3.1).
pub(super) const HTTP_2: &[u8] = b"h2";

/// The files of TLS, in PEM form.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// The certificate of the server, and those between it and its authority.
    pub(crate) certificate: PathBuf,
    /// The key of the certificate.
    pub(crate) key: PathBuf,
    /// The authorities that sign the certificates of clients; `None` if clients are not asked for one.
    pub(crate) client_authorities: Option<PathBuf>,
}

/// Why TLS cannot be set up. No message shows a part of a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{setting} cannot be used: the file {} cannot be read as PEM", path.display())]
    File { setting: &'static str, path: PathBuf, source: pem::Error },
    #[error("{setting} cannot be used: the file {} has no {what} in PEM form", path.display())]
    Empty { setting: &'static str, path: PathBuf, what: &'static str },
    #[error(
        "server.tls.certificate ({}) and server.tls.key ({}) cannot be used together",
        files.certificate.display(),
        files.key.display()
    )]
    Pair { files: Box<TlsFiles>, source: rustls::Error },
    #[error("server.tls.client_authorities cannot be used: the file {} has a bad certificate", path.display())]
    Authority { path: PathBuf, source: rustls::Error },
    #[error("server.tls.client_authorities cannot be used: the file {} names no authority", path.display())]
    Verifier { path: PathBuf, source: VerifierBuilderError },
    #[error("TLS cannot be set up")]
    Versions(#[source] rustls::Error),
}

/// What new connections are made with.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: TlsFiles,
    /// The versions of the files when they were first read.
    first: Versions,
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        // Before they are read: a change in between is then noticed.
        let first = versions(&files);
        let config = read(&files)?;
        Ok(Self { files, first, current: RwLock::new(Arc::new(config)) })
    }

    /// Reads the files again, for new connections.
    ///
    /// # Errors
    /// [`TlsError`]; new connections are then made with what was read before.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Returns what a new connection is made with.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the versions of the files when they were first read.
    pub(super) fn first_versions(&self) -> Versions {
        self.first.clone()
    }

    /// Returns the versions of the files now.
    pub(super) fn versions(&self) -> Versions {
        versions(&self.files)
    }
}

/// The versions of the files at some time; another version is another file, or other contents. A file that cannot be looked at has
/// none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Versions(Vec<Option<(u64, u64, i64, i64)>>);

#[cfg(test)]
impl Versions {
    /// The version of a single file, by its number.
    pub(super) fn of_one(number: u64) -> Self {
        Self(vec![Some((number, 0, 0, 0))])
    }
}

fn versions(files: &TlsFiles) -> Versions {
    let TlsFiles { certificate, key, client_authorities } = files;
    let files = [Some(certificate), Some(key), client_authorities.as_ref()];
    Versions(files.into_iter().flatten().map(|path| version(path).ok()).collect())
}

fn version(path: &Path) -> io::Result<(u64, u64, i64, i64)> {
    let file = fs::metadata(path)?;
    Ok((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?;
    let config = match &files.client_authorities {
        None => config.with_no_client_auth(),
        Some(path) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider)
                    // A route that needs a certificate refuses the request, with a reason that the client can read.
                    .allow_unauthenticated()
                    .build()
                    .map_err(|source| TlsError::Verifier { path: path.clone(), source })?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates("server.tls.certificate", &files.certificate)?;
    let mut config = config
        .with_single_cert(chain, private_key(&files.key)?)
        .map_err(|source| TlsError::Pair { files: Box::new(files.clone()), source })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("server.tls.client_authorities", path)? {
        roots.add(certificate).map_err(|source| TlsError::Authority { path: path.to_owned(), source })?;
    }
    Ok(roots)
}

fn certificates(setting: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::File { setting, path: path.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(failed)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { setting, path: path.to_owned(), what: "certificate" });
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let setting = "server.tls.key";
    PrivateKeyDer::from_pem_file(path).map_err(|source| match source {
        pem::Error::NoItemsFound => {
            TlsError::Empty { setting, path: path.to_owned(), what: "private key without a password" }
        }
        source => TlsError::File { setting, path: path.to_owned(), source },
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    /// Writes a new certificate and its key.
    fn write_pair(directory: &Path) -> TlsFiles {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (directory.join("server.pem"), directory.join("server.key"));
        fs::write(&certificate, cert.pem()).expect("written");
        fs::write(&key, signing_key.serialize_pem()).expect("written");
        TlsFiles { certificate, key, client_authorities: None }
    }

    #[test]
    fn a_broken_pair_keeps_the_one_before_and_names_its_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = write_pair(directory.path());
        let certificates = Certificates::load(files.clone()).expect("a good pair");
        let (first, versions) = (certificates.current(), certificates.versions());
        let good_key = fs::read_to_string(&files.key).expect("the key");

        let other = tempfile::tempdir().expect("a directory");
        let other_key = fs::read_to_string(write_pair(other.path()).key).expect("another key");
        for (broken, expected) in [
            ("no PEM", "server.tls.key cannot be used"),
            ("", "has no private key"),
            (&other_key, "cannot be used together"),
        ] {
            fs::write(&files.key, broken).expect("written");
            let error = certificates.reload().expect_err("broken").to_string();
            assert!(error.contains(expected) && error.contains("server.key"), "{error}");
            assert!(Arc::ptr_eq(&certificates.current(), &first));
            assert_ne!(certificates.versions(), versions);
        }

        fs::write(&files.key, good_key).expect("written");
        certificates.reload().expect("good again");
        assert!(!Arc::ptr_eq(&certificates.current(), &first));
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_their_setting() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = write_pair(directory.path());
        let missing = directory.path().join("nowhere.pem");
        for (files, setting) in [
            (TlsFiles { certificate: missing.clone(), ..files.clone() }, "server.tls.certificate"),
            (TlsFiles { certificate: files.key.clone(), ..files.clone() }, "server.tls.certificate"),
            (TlsFiles { key: missing.clone(), ..files.clone() }, "server.tls.key"),
            (
                TlsFiles { client_authorities: Some(missing), ..files.clone() },
                "server.tls.client_authorities",
            ),
            (
                TlsFiles { client_authorities: Some(files.key.clone()), ..files.clone() },
                "server.tls.client_authorities",
            ),
        ] {
            let error = Certificates::load(files).expect_err("it cannot be used").to_string();
            assert!(error.starts_with(setting), "{error}");
        }
    }
}
