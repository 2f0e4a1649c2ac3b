//! The metrics of the process in the text format of Prometheus (0.0.4), at the path that Unleash has for them.
//!
//! `latchkey-service` counts; this module names the metrics by the rules of Prometheus.

use std::time::Duration;

use actix_web::{HttpResponse, http::header, web::Data};
use latchkey_service::Metrics;
use prometheus::{
    Gauge, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TEXT_FORMAT, TextEncoder, core::Collector,
};

use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    response::ApiResult,
};

pub(crate) fn configure(api: &mut Api) {
    api.tag("Operational").public(operations![metrics]);
}

/// Get the metrics of the process.
#[utoipa::path(get, path = "/internal-backstage/prometheus", operation_id = "getMetrics", security(()), responses((
    status = 200, description = "The metrics in Prometheus's text format 0.0.4.", body = String, content_type = "text/plain"
)))]
pub(crate) async fn metrics(context: Data<Context>) -> ApiResult {
    let figures = context.use_cases.metrics();
    let text = text(&figures, context.use_cases.task_health.restarts()).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, TEXT_FORMAT))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

fn text(figures: &Metrics, restarts: u64) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    for collector in collectors(figures, restarts)? {
        registry.register(collector)?;
    }
    TextEncoder::new().encode_to_string(&registry.gather())
}

/// Creates the collectors on every scrape, because `latchkey-service` keeps the numbers.
fn collectors(figures: &Metrics, restarts: u64) -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
    let verifications = IntCounterVec::new(
        Opts::new(
            "latchkey_verifications_total",
            "Verified credentials by source: the cache (memory), the store, or a cache entry older than \
             verify.max_staleness because the store did not answer (stale).",
        ),
        &["from"],
    )?;
    for (from, count) in
        [("memory", figures.from_memory), ("store", figures.from_store), ("stale", figures.from_stale_memory)]
    {
        verifications.with_label_values(&[from]).inc_by(count);
    }
    let refused = IntCounter::new(
        "latchkey_unknown_secrets_refused_total",
        "Credentials refused with 503 because their client exceeded verify.unknown_per_second.",
    )?;
    refused.inc_by(figures.refused_unknown);
    let entries = IntGaugeVec::new(
        Opts::new(
            "latchkey_index_entries",
            "Cache entries: principals, and unknown secrets (the negative cache).",
        ),
        &["kind"],
    )?;
    for (kind, count) in [("token", figures.principals), ("unknown", figures.unknown_secrets)] {
        entries.with_label_values(&[kind]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let task_restarts = IntCounter::new(
        "latchkey_background_task_restarts_total",
        "Background tasks that were restarted after a failure.",
    )?;
    task_restarts.inc_by(restarts);
    let mut collectors: Vec<Box<dyn Collector>> =
        vec![Box::new(verifications), Box::new(refused), Box::new(entries), Box::new(task_restarts)];
    // There is no age before the change feed was read for the first time.
    if let Some(age) = figures.feed_age {
        collectors.push(Box::new(feed_age(age)?));
    }
    Ok(collectors)
}

fn feed_age(age: Duration) -> Result<Gauge, prometheus::Error> {
    let gauge = Gauge::new(
        "latchkey_feed_age_seconds",
        "Seconds since this process last knew all changes of other processes.",
    )?;
    gauge.set(age.as_secs_f64());
    Ok(gauge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_was_never_read_has_no_age() {
        let mut figures = Metrics {
            from_memory: 1,
            from_store: 2,
            from_stale_memory: 3,
            refused_unknown: 4,
            principals: 5,
            unknown_secrets: 6,
            feed_age: Some(Duration::from_millis(1_500)),
        };
        let known = text(&figures, 0).expect("text");
        assert!(known.contains("\nlatchkey_feed_age_seconds 1.5\n"), "{known}");
        figures.feed_age = None;
        let unknown = text(&figures, 0).expect("text");
        assert!(!unknown.contains("feed_age") && unknown.contains("refused_total 4\n"), "{unknown}");
    }
}
