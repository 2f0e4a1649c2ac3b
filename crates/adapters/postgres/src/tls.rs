//! TLS to the server, as libpq's `sslmode` and its files say, by rustls.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use percent_encoding::percent_decode_str;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How connections are encrypted, and what the server has to prove: libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain.
    Disable,
    /// Encrypted if the server offers it, without proof of its identity; otherwise plain.
    Prefer,
    /// Encrypted. The server proves nothing, unless there is a file of root certificates: then as `VerifyCa`, as libpq does.
    Require,
    /// Encrypted, and the server has a certificate that a trusted authority signed, for any name.
    VerifyCa,
    /// Encrypted, and the server has a certificate for its name in the URL that a trusted authority signed.
    VerifyFull,
}

impl TlsMode {
    /// Every mode, the weakest first.
    pub const ALL: [Self; 5] = [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// Returns libpq's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl FromStr for TlsMode {
    type Err = TlsError;

    fn from_str(text: &str) -> Result<Self, TlsError> {
        let mode = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        mode.ok_or_else(|| TlsError::Mode(text.to_owned()))
    }
}

/// The settings of TLS. None of them is required: without a mode, it is [`TlsMode::Prefer`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// The mode.
    pub mode: Option<TlsMode>,
    /// A PEM file with the certificates of the authorities to trust (`sslrootcert`); `None` = those of the platform.
    pub root_certificates: Option<PathBuf>,
    /// A PEM file with the client's certificate, and those between it and its authority (`sslcert`).
    pub certificate: Option<PathBuf>,
    /// A PEM file with the key of that certificate (`sslkey`).
    pub key: Option<PathBuf>,
}

/// Why TLS cannot be set up. No message shows a key or the URL.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("sslmode=\"{0}\" is not one of disable, prefer, require, verify-ca and verify-full")]
    Mode(String),
    #[error("the database URL has an sslmode where it is not read: percent-encode ? and @ in its login")]
    Misplaced,
    #[error("{parameter} in the database URL and database.tls.{setting} differ: leave one of them out")]
    Conflict { parameter: &'static str, setting: &'static str },
    #[error("{setting} is not UTF-8 when it is decoded")]
    NotUtf8 { setting: &'static str },
    #[error("the file {} of {what} cannot be read", path.display())]
    File { what: &'static str, path: PathBuf, source: pem::Error },
    #[error("the file {} has no {what} in PEM form", path.display())]
    Empty { what: &'static str, path: PathBuf },
    #[error(
        "this machine has no certificates of authorities: name a file with those to trust (sslrootcert in the database URL, \
         or database.tls.root_certificates)"
    )]
    NoRoots,
    #[error("a client certificate needs both its file and that of its key (sslcert and sslkey)")]
    IncompleteClient,
    #[error("the client certificate and its key cannot be used")]
    Client(#[source] rustls::Error),
    #[error("the certificates of the authorities cannot be used")]
    Roots(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Takes the parameters about TLS out of a URL, and returns the rest of it and the settings: those of the URL where it has
/// any, otherwise the given ones.
///
/// # Errors
/// [`TlsError::Conflict`] if both say something else: the weaker one must not win in silence.
pub(crate) fn split_url(url: &str, given: &TlsSettings) -> Result<(String, TlsSettings), TlsError> {
    // The parameters begin after the host, because a password may contain a question mark that is not encoded. The login ends
    // where tokio-postgres ends it: at the first `@`.
    let host = url.find('@').unwrap_or_default();
    let Some((start, parameters)) = url.get(host..).and_then(|rest| rest.split_once('?')) else {
        return Ok((url.to_owned(), given.clone()));
    };
    let mut settings = given.clone();
    let mut others = Vec::new();
    for parameter in parameters.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // The driver decodes names too.
        match percent_decode_str(name).decode_utf8_lossy().as_ref() {
            "sslmode" => {
                merge(&mut settings.mode, decoded("sslmode", value)?.parse()?, ("sslmode", "mode"))?;
            }
            "sslrootcert" => {
                let roots = decoded("sslrootcert", value)?;
                // libpq's word for the certificates of the platform.
                if roots != "system" {
                    let names = ("sslrootcert", "root_certificates");
                    merge(&mut settings.root_certificates, roots.into(), names)?;
                }
            }
            "sslcert" => {
                let file = decoded("sslcert", value)?.into();
                merge(&mut settings.certificate, file, ("sslcert", "certificate"))?;
            }
            "sslkey" => merge(&mut settings.key, decoded("sslkey", value)?.into(), ("sslkey", "key"))?,
            _ => others.push(parameter),
        }
    }
    let mut rest = url.get(..host).unwrap_or_default().to_owned() + start;
    if !others.is_empty() {
        rest = rest + "?" + &others.join("&");
    }
    Ok((rest, settings))
}

fn decoded(setting: &'static str, value: &str) -> Result<String, TlsError> {
    let text = percent_decode_str(value).decode_utf8().map_err(|_| TlsError::NotUtf8 { setting })?;
    Ok(text.into_owned())
}

fn merge<T: PartialEq>(
    given: &mut Option<T>,
    of_url: T,
    (parameter, setting): (&'static str, &'static str),
) -> Result<(), TlsError> {
    match given.replace(of_url) {
        Some(before) if given.as_ref() != Some(&before) => Err(TlsError::Conflict { parameter, setting }),
        _ => Ok(()),
    }
}

/// How connections are opened with these settings.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) mode: SslMode,
    pub(crate) connector: MakeRustlsConnect,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, TlsError> {
        let mode = settings.mode.unwrap_or(TlsMode::Prefer);
        let provider = Arc::new(ring::default_provider());
        let checks_chain = match mode {
            TlsMode::Disable | TlsMode::Prefer => false,
            TlsMode::Require => settings.root_certificates.is_some(),
            TlsMode::VerifyCa | TlsMode::VerifyFull => true,
        };
        let chain = if checks_chain {
            let roots = Arc::new(roots(settings.root_certificates.as_deref())?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(verifier.map_err(|error| TlsError::Roots(Box::new(error)))?)
        } else {
            None
        };
        let verifier =
            Verifier { chain, checks_name: mode == TlsMode::VerifyFull, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Client)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&settings.certificate, &settings.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => config
                .with_client_auth_cert(certificates("client certificate", certificate)?, private_key(key)?)
                .map_err(TlsError::Client)?,
            _ => return Err(TlsError::IncompleteClient),
        };
        let mode = match mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        };
        Ok(Self { mode, connector: MakeRustlsConnect::new(config) })
    }
}

/// Reads the authorities to trust: of a file, or of the platform.
fn roots(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = file {
        for certificate in certificates("root certificates", path)? {
            roots.add(certificate).map_err(|error| TlsError::Roots(Box::new(error)))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error| file_error(what, path, error);
    let certificates = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(failed)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { what: "certificate", path: path.to_owned() });
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::Empty { what: "private key", path: path.to_owned() },
        error => file_error("client key", path, error),
    })
}

fn file_error(what: &'static str, path: &Path, error: pem::Error) -> TlsError {
    TlsError::File { what, path: path.to_owned(), source: error }
}

/// Checks the server's certificate as far as the mode demands. That the server holds the certificate's key is always checked.
#[derive(Debug)]
struct Verifier {
    /// `None` if any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            // The name is checked last, when the chain is known to be good.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_about_tls_are_taken_out_of_a_url() {
        for (url, rest, settings) in [
            ("postgres://u:p@h/d", "postgres://u:p@h/d", TlsSettings::default()),
            (
                "postgres://u:p?x@h,i/d?sslmode=verify-full&application_name=l&sslrootcert=%2Fetc%2Fca.pem",
                "postgres://u:p?x@h,i/d?application_name=l",
                TlsSettings {
                    mode: Some(TlsMode::VerifyFull),
                    root_certificates: Some("/etc/ca.pem".into()),
                    ..TlsSettings::default()
                },
            ),
            (
                "postgres://u:p@h/d?options=a@b&sslmode=require",
                "postgres://u:p@h/d?options=a@b",
                TlsSettings { mode: Some(TlsMode::Require), ..TlsSettings::default() },
            ),
            (
                "postgres://h/d?ssl%6Dode=require",
                "postgres://h/d",
                TlsSettings { mode: Some(TlsMode::Require), ..TlsSettings::default() },
            ),
            (
                "postgres://h/d?sslcert=c&sslkey=k&sslrootcert=system",
                "postgres://h/d",
                TlsSettings {
                    certificate: Some("c".into()),
                    key: Some("k".into()),
                    ..TlsSettings::default()
                },
            ),
        ] {
            let split = split_url(url, &TlsSettings::default()).expect(url);
            assert_eq!(split, (rest.to_owned(), settings), "{url}");
        }
    }

    #[test]
    fn a_url_and_settings_that_differ_are_refused() {
        let given = TlsSettings { mode: Some(TlsMode::VerifyFull), ..TlsSettings::default() };
        let same = split_url("postgres://h/d?sslmode=verify-full", &given).expect("the same");
        assert_eq!(same.1, given);
        let refused = split_url("postgres://h/d?sslmode=disable", &given).expect_err("weaker");
        assert!(refused.to_string().contains("database.tls.mode"), "{refused}");
        let unknown = split_url("postgres://h/d?sslmode=verify", &given).expect_err("unknown");
        assert!(unknown.to_string().contains("verify-full"), "{unknown}");
    }

    #[test]
    fn files_that_are_missing_or_incomplete_are_named() {
        let missing = TlsSettings {
            mode: Some(TlsMode::VerifyCa),
            root_certificates: Some("/nowhere/ca.pem".into()),
            ..TlsSettings::default()
        };
        let refused = Tls::new(&missing).expect_err("missing");
        assert!(refused.to_string().contains("/nowhere/ca.pem"), "{refused}");
        let no_key = TlsSettings { certificate: Some("c.pem".into()), ..TlsSettings::default() };
        assert!(matches!(Tls::new(&no_key), Err(TlsError::IncompleteClient)));
    }
}
