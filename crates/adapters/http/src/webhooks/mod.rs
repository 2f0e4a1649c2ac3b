//! Webhooks: where events are sent as they happen, and what became of each.

mod body;
mod deliveries;
mod delivery_body;
mod routes;

pub use self::{body::WebhookDraftBody, deliveries::DeliveriesQuery};
use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    routes::configure(api);
    deliveries::configure(api);
}
