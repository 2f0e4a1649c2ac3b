//! Webhooks: where events are sent as they happen, and what became of each.

mod body;
mod deliveries;
mod delivery_body;
mod routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    routes::configure(api);
    deliveries::configure(api);
}
