//! What every request is handled with.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::http::header::HeaderName;
use latchkey_ports::Entropy;
use latchkey_service::UseCases;

use crate::routes::{self, Table};

/// What an operator decides about the wire.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a request may take before it is answered with 503.
    pub request_timeout: Duration,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The header in which `/auth/verify` looks for a token before `Authorization`.
    pub verify_header: Option<HeaderName>,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            verify_header: None,
            body_limit: 1024 * 1024,
        }
    }
}

/// What every request is handled with, shared by all workers.
pub struct Context {
    pub(crate) use_cases: Arc<UseCases>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: HttpSettings,
    pub(crate) document: String,
    pub(crate) table: Table,
}

impl Context {
    /// The use cases, what makes the ids of requests and errors, and the settings.
    #[must_use]
    pub fn new(use_cases: Arc<UseCases>, entropy: Arc<dyn Entropy>, mut settings: HttpSettings) -> Self {
        // In the form in which peers are compared with them.
        settings.trusted_proxies.iter_mut().for_each(|proxy| *proxy = proxy.to_canonical());
        let document = crate::openapi().to_json().unwrap_or_default();
        Self { use_cases, entropy, settings, document, table: routes::table() }
    }
}
