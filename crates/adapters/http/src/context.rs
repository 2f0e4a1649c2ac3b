//! The state that all requests share, and the settings of the HTTP interface.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpRequest, http::header::HeaderName, web::Data};
use ipnet::IpNet;
use latchkey_domain::canonical_network;
use latchkey_metrics::Exporter;
use latchkey_ports::{Entropy, EntropyExt as _};
use latchkey_service::UseCases;
use uuid::Uuid;

use crate::{
    edge_client::EdgeClient, error::ApiError, event_streams::EventStreams, memory::MemoryBudget,
    observability::RequestMetrics, pages::Pages, report_key::ReportKey,
};

/// The settings of the HTTP interface.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a request may take before it is answered with 503.
    pub request_timeout: Duration,
    /// The networks of the proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the verification routes demand a client certificate.
    pub verify_needs_certificate: bool,
    /// The header in which `/auth/verify` looks for a token before `Authorization`.
    pub verify_header: Option<HeaderName>,
    /// The client that may ask for tokens with signed requests; `None`: no client may.
    pub edge_client: Option<EdgeClient>,
    /// The keys with which GitHub signs its reports of leaked secrets; empty: it sends none.
    pub report_keys: Vec<ReportKey>,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// How many event streams may be open at once.
    pub event_streams: usize,
    /// What requests in progress hold together.
    pub memory: Arc<MemoryBudget>,
    /// The origins whose scripts may use the API, such as `https://console.example.com`, or `*` for all; empty for none.
    pub cors_origins: Vec<String>,
    /// Whether requests are logged at INFO.
    pub access_log: bool,
    /// Which requests are recorded as traces; `None`: none of them.
    pub traces: Option<Sampling>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            verify_needs_certificate: false,
            verify_header: None,
            edge_client: None,
            report_keys: Vec::new(),
            body_limit: 1024 * 1024,
            event_streams: 16,
            memory: Arc::new(MemoryBudget::new(24 * 1024 * 1024)),
            cors_origins: Vec::new(),
            access_log: true,
            traces: None,
        }
    }
}

/// Which requests are recorded as traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The part of requests that are recorded, from 0 to 1.
    pub ratio: f64,
    /// Whether the decision in the `traceparent` of any client is followed, and not that of trusted proxies alone.
    pub trusts_clients: bool,
}

/// The state that all requests share, in every worker.
pub struct Context {
    pub(crate) use_cases: Arc<UseCases>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: HttpSettings,
    /// Whether the log says that an untrusted peer sent `X-Forwarded-For`.
    has_warned_of_proxy: AtomicBool,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) requests: RequestMetrics,
    pub(crate) event_streams: EventStreams,
    pub(crate) pages: Option<Arc<dyn Pages>>,
}

impl Context {
    /// Creates the state from the use cases, the source of request and error ids, the exporter of metrics, and the settings.
    #[must_use]
    pub fn new(
        use_cases: Arc<UseCases>,
        entropy: Arc<dyn Entropy>,
        exporter: Arc<Exporter>,
        mut settings: HttpSettings,
    ) -> Self {
        settings.trusted_proxies.iter_mut().for_each(|network| *network = canonical_network(*network));
        let event_streams = EventStreams::new(settings.event_streams);
        Self {
            use_cases,
            entropy,
            settings,
            has_warned_of_proxy: AtomicBool::new(false),
            exporter,
            requests: RequestMetrics::default(),
            event_streams,
            pages: None,
        }
    }

    /// Serves these pages beside the API.
    #[must_use]
    pub fn with_pages(self, pages: Arc<dyn Pages>) -> Self {
        Self { pages: Some(pages), ..self }
    }

    /// Returns an id that no other thing has.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.entropy.uuid()
    }

    /// Returns the use cases, for pages.
    #[must_use]
    pub fn use_cases(&self) -> &UseCases {
        &self.use_cases
    }

    /// Ends all event streams, which would otherwise go on while the server waits for the requests in progress.
    pub fn end_streams(&self) {
        self.event_streams.end();
    }

    /// Returns the state that a request's application was built with.
    ///
    /// # Errors
    /// An internal error if there is none.
    pub fn of(request: &HttpRequest) -> Result<&Data<Self>, ApiError> {
        request.app_data().ok_or_else(|| ApiError::internal("the application was built without its state"))
    }

    /// Warns, once, that a peer which is no trusted proxy sent `X-Forwarded-For`.
    pub(crate) fn warn_of_proxy(&self, peer: IpAddr) {
        if !self.has_warned_of_proxy.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For of a peer that is no trusted proxy is ignored: if it is your proxy, name it in \
                 server.trusted_proxies; otherwise all its clients share its address in events and limits"
            );
        }
    }

    /// Returns whether an address, in canonical form, belongs to a trusted proxy.
    pub(crate) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        self.settings.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}
