//! What every request is handled with.

use std::{sync::Arc, time::Duration};

use actix_web::http::header::HeaderName;
use ipnet::IpNet;
use latchkey_ports::Entropy;
use latchkey_service::UseCases;

use crate::routes::{self, Table};

/// What an operator decides about the wire.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a request may take before it is answered with 503.
    pub request_timeout: Duration,
    /// The networks of the proxies whose `X-Forwarded-*` headers are trusted; IPv4 is written as IPv4.
    pub trusted_proxies: Vec<IpNet>,
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
    pub fn new(use_cases: Arc<UseCases>, entropy: Arc<dyn Entropy>, settings: HttpSettings) -> Self {
        let document = crate::openapi().to_json().unwrap_or_default();
        Self { use_cases, entropy, settings, document, table: routes::table() }
    }
}
