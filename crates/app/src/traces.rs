//! Traces: recorded spans go to an OpenTelemetry collector by OTLP over HTTP (`traces.endpoint`).
//!
//! `latchkey-http` decides which requests are recorded and opens a span for each of those; [`Traces::layer`] records it and the
//! calls to the store within it, and nothing else: not what background tasks do, and no line of the log. `export` queues the
//! spans and sends them on a thread of its own.
//!
//! `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say how this process is called, as everywhere in OpenTelemetry.

mod export;

use std::time::Duration;

use latchkey_http::TRACED;
use latchkey_ports::{ErrorChain, STORE_CALLS};
use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    resource::EnvResourceDetector,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{Layer, filter::dynamic_filter_fn, registry::LookupSpan};

use crate::config::{EnvVars, Traces as Settings};

/// How long a stop waits until the last spans are sent.
const MAX_FLUSH: Duration = Duration::from_secs(5);

/// The recording of traces. It goes on until [`Traces::finish`].
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts to record, if the settings have an endpoint.
    ///
    /// # Errors
    /// If a variable cannot be parsed.
    pub(crate) fn start(settings: &Settings, variables: &EnvVars) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(export::processor(endpoint, variables)?)
            // `latchkey-http` has chosen what comes here.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource(variables))
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Some(Self(provider)))
    }

    /// Returns the layer that records spans.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        // The layer sees no span that this filter refuses, so a call to the store is within a recorded request if there is a
        // current span.
        let is_recorded = dynamic_filter_fn(|metadata, recorded| {
            is_kind(metadata) && (metadata.target() == TRACED || recorded.lookup_current().is_some())
        });
        // Without it, each line of the log would be compared.
        let of_kind = |metadata: &'static Metadata<'static>| {
            if is_kind(metadata) { Interest::sometimes() } else { Interest::never() }
        };
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("latchkey"))
            .with_context_activation(false)
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(is_recorded.with_callsite_filter(of_kind).with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends what has been recorded, for at most [`MAX_FLUSH`]. Blocks.
    pub(crate) fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(MAX_FLUSH) {
            tracing::warn!(error = %ErrorChain(&error), "the last traces could not be sent");
        }
    }
}

fn is_kind(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && [TRACED, STORE_CALLS].contains(&metadata.target())
}

/// Describes this process to the collector.
fn resource(variables: &EnvVars) -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name("latchkey")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match variables.get("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name.to_owned()).build(),
        None => resource.build(),
    }
}
