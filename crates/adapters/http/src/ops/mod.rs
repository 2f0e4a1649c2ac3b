//! Health, readiness, metrics and the documentation of the API.

mod docs;
mod health;
mod prometheus;

pub(crate) use self::{docs::Document, health::configure as configure_health};
use crate::api::Api;

/// Registers the operations and the pages.
pub(crate) fn configure(api: &mut Api) {
    docs::configure(api);
    health::configure(api);
    prometheus::configure(api);
}
