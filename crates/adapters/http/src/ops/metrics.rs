//! The metrics of the process, in the text format of Prometheus.
//!
//! What the code records as it happens is in the exporter already; what is counted elsewhere is published when it is asked for.

use actix_web::{HttpResponse, http::header, web::Data};
use latchkey_metrics::{
    Exporter,
    names::{
        CACHE_CAPACITY, CACHE_ENTRIES, CACHE_EVICTIONS, DATABASE_CONNECTIONS, DATABASE_CONNECTIONS_MAX,
        DATABASE_WAITING, EVENT_STREAMS, FEED_AGE, RATE_LIMIT_HELD, REFUSALS, REPLICATION_LAG, TASK_RESTARTS,
        UNKNOWN_SECRETS_REFUSED, VERIFICATIONS,
    },
};
use latchkey_service::Metrics;

use crate::{
    api::{Api, operations},
    context::Context,
    paths::{METRICS, UNLEASH_METRICS},
    response::ApiResult,
};

/// Registers the metrics.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Operational").public(operations![metrics, unleash_metrics]);
}

/// Get the metrics of the process.
///
/// For Prometheus and what reads its format.
#[utoipa::path(get, path = METRICS, operation_id = "getMetrics", security(()), responses((
    status = 200, description = "The metrics in the text format of Prometheus (0.0.4).", body = String, content_type = "text/plain"
)))]
pub(crate) async fn metrics(context: Data<Context>) -> ApiResult {
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, Exporter::CONTENT_TYPE))
        .body(context.metrics()))
}

/// Get the metrics of the process, at the path that Unleash has for them.
///
/// The names are those of `getMetrics`, not those of Unleash.
#[utoipa::path(get, path = UNLEASH_METRICS, operation_id = "getUnleashMetrics", security(()), responses((
    status = 200, description = "As `getMetrics`.", body = String, content_type = "text/plain"
)))]
pub(crate) async fn unleash_metrics(context: Data<Context>) -> ApiResult {
    metrics(context).await
}

impl Context {
    /// Returns all metrics in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        self.exporter.scrape(|| {
            publish(&self.use_cases.metrics());
            for (reason, count) in self.use_cases.verification.refusals() {
                REFUSALS.publish([reason.as_str()], count);
            }
            for (task, restarts) in self.use_cases.task_health.restarts() {
                TASK_RESTARTS.publish([task], restarts);
            }
            self.publish_pools();
            RATE_LIMIT_HELD.set_count::<&str>([], self.use_cases.held_requests());
            EVENT_STREAMS.set_count::<&str>([], self.event_streams.count() as u64);
            self.requests.publish();
        })
    }

    /// Frees the memory that the durations of requests take until they are sorted into buckets. To be called every second or
    /// so, because it is only done otherwise when the metrics are asked for.
    pub fn sort_durations(&self) {
        self.exporter.record(|| self.requests.publish());
        self.exporter.upkeep();
    }

    fn publish_pools(&self) {
        for pool in self.use_cases.pools() {
            DATABASE_CONNECTIONS.set_count([pool.name, "in_use"], pool.in_use as u64);
            DATABASE_CONNECTIONS.set_count([pool.name, "idle"], pool.idle as u64);
            DATABASE_CONNECTIONS_MAX.set_count([pool.name], pool.max as u64);
            DATABASE_WAITING.set_count([pool.name], pool.waiting as u64);
        }
    }
}

fn publish(counts: &Metrics) {
    let sources =
        [("memory", counts.from_memory), ("store", counts.from_store), ("stale", counts.from_stale_memory)];
    for (source, answers) in sources {
        VERIFICATIONS.publish(["valid", source], answers.valid);
        VERIFICATIONS.publish(["invalid", source], answers.invalid);
    }
    VERIFICATIONS.publish(["invalid", "syntax"], counts.malformed);
    UNKNOWN_SECRETS_REFUSED.publish::<&str>([], counts.refused_unknown);
    for (kind, cache) in [("token", counts.principals), ("unknown", counts.unknown_secrets)] {
        CACHE_ENTRIES.set_count([kind], cache.entries as u64);
        CACHE_EVICTIONS.publish([kind], cache.evicted);
    }
    CACHE_CAPACITY.set_count::<&str>([], counts.cache_capacity as u64);
    // There is no age before the change feed was read for the first time.
    if let Some(age) = counts.feed_age {
        FEED_AGE.set::<&str>([], age.as_secs_f64());
    }
    if let Some(lag) = counts.replication_lag {
        REPLICATION_LAG.set::<&str>([], lag.as_secs_f64());
    }
}
