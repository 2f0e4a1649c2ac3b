//! The blocking HTTP client of commands and of the thread that sends traces.

use std::{sync::Arc, time::Duration};

use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// Returns a client for this server. It follows no redirect, and returns responses of any status.
pub(crate) fn agent(url: &str, timeout: Duration) -> Agent {
    let mut config =
        Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).max_redirects(0);
    // Reading the authorities of this machine takes a while.
    if url.starts_with("https:") {
        let found = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<_> =
            found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        config = config.tls_config(tls);
    }
    config.build().new_agent()
}
