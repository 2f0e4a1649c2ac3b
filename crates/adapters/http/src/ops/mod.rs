//! Health, readiness, metrics, statistics, replicas and the documentation of the API.

mod docs;
mod health;
mod metrics;
mod replicas;
mod statistics;

pub(crate) use self::{
    docs::Document, health::configure as configure_health, metrics::configure as configure_metrics,
};
use crate::api::Api;

/// Registers the operations and the pages, except for the metrics.
pub(crate) fn configure(api: &mut Api) {
    docs::configure(api);
    health::configure(api);
    statistics::configure(api);
    replicas::configure(api);
}
