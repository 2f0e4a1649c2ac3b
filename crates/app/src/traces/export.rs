//! The way of a span to the collector: a queue of bounded size, a thread that sends batches, a blocking HTTP client.
//!
//! The processor of the SDK has the queue and the thread, and never blocks. [`Bounded`] stands before it and [`Exporter`]
//! behind it: together they know how many spans wait, so every span that is lost is counted (`latchkey_trace_spans_total`).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use latchkey_metrics::names::TRACE_SPANS;
use latchkey_ports::ErrorChain;
use opentelemetry::Context;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Protocol, SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};
use ureq::Agent;

use crate::{
    config::EnvVars,
    http_client,
    outage::{Outage, Transition},
};

/// How long one batch may take, with all attempts to send it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Spans that wait or are on their way, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise.
const MAX_WAITING: usize = 2_048;
/// The largest response of a collector that is read, in bytes. It is empty, or says what was refused.
const MAX_RESPONSE: u64 = 64 * 1024;

/// Returns the processor that sends ended spans to the collector.
///
/// # Errors
/// If a variable cannot be parsed.
pub(super) fn processor(endpoint: &str, variables: &EnvVars) -> anyhow::Result<impl SpanProcessor + 'static> {
    let max = max_waiting(variables)?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let otlp = OtlpExporter::builder()
        .with_http()
        .with_http_client(Collector::new(endpoint))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .context("traces cannot be sent")?;
    let exporter = Exporter { otlp, waiting: Arc::clone(&waiting) };
    let config = BatchConfigBuilder::default().with_max_queue_size(max).build();
    let next = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    Ok(Bounded { next, waiting, max })
}

fn max_waiting(variables: &EnvVars) -> anyhow::Result<usize> {
    const VARIABLE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
    let Some(text) = variables.get(VARIABLE) else { return Ok(MAX_WAITING) };
    let max = text.parse().ok().filter(|max| (1..=1_000_000).contains(max));
    max.with_context(|| {
        format!("bad value for {VARIABLE}: \"{text}\"; write a whole number from 1 to 1000000")
    })
}

/// Drops and counts the spans that find the queue full. The one behind it is as long, so it never is.
#[derive(Debug)]
struct Bounded {
    next: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    max: usize,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let one_more = |waiting| (waiting < self.max).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => self.next.on_end(span),
            Err(_) => TRACE_SPANS.add(["dropped"], 1),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Sends batches, and counts their spans.
#[derive(Debug)]
struct Exporter {
    otlp: OtlpExporter,
    waiting: Arc<AtomicUsize>,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.otlp.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        TRACE_SPANS.add([if sent.is_ok() { "sent" } else { "failed" }], count as u64);
        sent
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.otlp.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

/// The collector, behind a client that blocks: it is called on a thread that does nothing else.
#[derive(Debug)]
struct Collector {
    agent: Agent,
    outage: Mutex<Outage>,
}

impl Collector {
    fn new(endpoint: &str) -> Self {
        Self { agent: http_client::agent(endpoint, EXPORT_TIMEOUT), outage: Mutex::default() }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let (parts, mut body) = self.agent.run(Request::from_parts(parts, body.as_ref()))?.into_parts();
        let body = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request);
        // Here, because the exporter does not pass the cause on.
        let outcome = match &sent {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("it answered {}", response.status())),
            Err(error) => Err(ErrorChain(&**error).to_string()),
        };
        match self.outage.lock().unwrap_or_else(PoisonError::into_inner).observe(outcome) {
            Some(Transition::Began(error)) => tracing::warn!(
                error,
                "the collector of traces.endpoint does not take traces; they are lost unless it soon does"
            ),
            Some(Transition::Ended(())) => tracing::info!("the collector takes traces again"),
            None => {}
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_the_queue_can_be_set() {
        let max = |text| max_waiting(&EnvVars::from([("OTEL_BSP_MAX_QUEUE_SIZE", text)]));
        assert_eq!(max_waiting(&EnvVars::default()).expect("the default"), MAX_WAITING);
        assert_eq!(max("1").expect("good"), 1);
        for bad in ["0", "-1", "many", "1000001"] {
            let error = max(bad).expect_err("bad").to_string();
            let expected = "write a whole number from 1 to 1000000";
            assert!(
                error.starts_with("bad value for OTEL_BSP_MAX_QUEUE_SIZE") && error.ends_with(expected),
                "{error}"
            );
        }
    }
}
