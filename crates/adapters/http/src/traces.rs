//! Distributed traces: which requests are recorded, the trace that a caller continues (W3C Trace Context), and what the span
//! of a request says.
//!
//! The decision ([`Recorded::choose`]) comes first, and a request that is not recorded gets no such span: one costs more than a
//! verification. A recorded request has two spans: that of the log, as every other, and within it one with the target
//! [`TRACED`], which is for the trace alone ([`Trace`]). So no field of the log, such as a method or an id that the client made
//! up, becomes an attribute.
//!
//! The attributes are those of the semantic conventions for HTTP servers, without the path and the query, which may have
//! secrets. Where recorded spans go, the program decides.

use actix_web::{
    HttpRequest,
    http::{Method, Version, header::HeaderMap},
};
use opentelemetry::{
    Context as TraceContext, KeyValue, Value,
    global::get_text_map_propagator,
    propagation::Extractor,
    trace::{Status, TraceContextExt as _, TraceId},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    context::Context,
    extract::Client,
    observability::{Answered, method_label},
};

/// The target of the spans of requests that are recorded.
pub const TRACED: &str = "latchkey_http::traced";

const TRACEPARENT: &str = "traceparent";

/// A request that is to be recorded, with the context of its caller's trace, or an empty one.
pub(crate) struct Recorded(TraceContext);

impl Recorded {
    /// Decides whether a request is recorded: as a caller that is trusted says in `traceparent`, and otherwise by chance.
    pub(crate) fn choose(request: &HttpRequest, context: &Context) -> Option<Self> {
        let sampling = context.settings.traces?;
        let headers = request.headers();
        // Few requests have one, and few of those that have one are from elsewhere.
        if headers.contains_key(TRACEPARENT)
            && (sampling.trusts_clients || Client::new(request, context).is_proxied())
        {
            let caller = get_text_map_propagator(|propagator| {
                propagator.extract_with_context(&TraceContext::new(), &Headers(headers))
            });
            let (is_valid, is_sampled) = {
                let span = caller.span();
                (span.span_context().is_valid(), span.span_context().is_sampled())
            };
            // One that is malformed counts as none.
            if is_valid {
                return is_sampled.then_some(Self(caller));
            }
        }
        is_chosen(sampling.ratio, context).then(|| Self(TraceContext::new()))
    }
}

fn is_chosen(ratio: f64, context: &Context) -> bool {
    let mut random = [0; 4];
    context.entropy.fill(&mut random);
    f64::from(u32::from_ne_bytes(random)) < ratio * 2_f64.powi(32)
}

/// The trace of a recorded request.
pub(crate) struct Trace {
    span: Span,
    context: TraceContext,
}

impl Trace {
    /// Starts the span of a recorded request, within the one of the log. `None` where nothing records spans.
    pub(crate) fn start(Recorded(caller): Recorded, log: &Span, client: Client<'_>) -> Option<Self> {
        let span = tracing::info_span!(target: TRACED, parent: log, "request", otel.kind = "server");
        span.set_parent(caller).ok()?;
        let context = span.context();
        let attributes = [
            ("http.request.method", Some(method(client.request.method()).0.into())),
            ("url.scheme", Some(if client.is_encrypted() { "https" } else { "http" }.into())),
            ("network.protocol.version", protocol_version(client.request.version()).map(Into::into)),
            ("client.address", client.address().map(|address| address.to_string().into())),
        ];
        context.span().set_attributes(present(attributes));
        Some(Self { span, context })
    }

    /// Returns the span, for calls within it.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Returns the id of the trace.
    pub(crate) fn id(&self) -> TraceId {
        self.context.span().span_context().trace_id()
    }

    /// Completes the span with the outcome of the request.
    pub(crate) fn finish(&self, requested: &Method, answered: &Answered<'_>) {
        let span = self.context.span();
        let (_, method) = method(requested);
        let route = answered.matched_route();
        match route {
            Some(route) => span.update_name(format!("{method} {route}")),
            None => span.update_name(method),
        }
        let is_fault = answered.status >= 500;
        let attributes = [
            ("http.route", route.map(|route| route.to_owned().into())),
            ("http.response.status_code", Some(i64::from(answered.status).into())),
            ("user.id", answered.principal().map(Into::into)),
            ("latchkey.error_id", answered.error.map(|id| id.to_string().into())),
            ("error.type", is_fault.then(|| answered.status.to_string().into())),
        ];
        span.set_attributes(present(attributes));
        if is_fault {
            span.set_status(Status::error(""));
        }
    }
}

/// Returns the attributes that have a value.
fn present<const N: usize>(attributes: [(&'static str, Option<Value>); N]) -> impl Iterator<Item = KeyValue> {
    attributes.into_iter().filter_map(|(key, value)| Some(KeyValue::new(key, value?)))
}

/// Returns a method as an attribute and in the name of a span. The conventions have a word for one that the client made up.
fn method(method: &Method) -> (&'static str, &'static str) {
    match method_label(method) {
        "OTHER" => ("_OTHER", "HTTP"),
        known => (known, known),
    }
}

fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

/// The headers of a request.
struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(AsRef::as_ref).collect()
    }
}
