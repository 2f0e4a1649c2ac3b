//! Projects, their members and environments.

mod access;
mod body;
mod environment_body;
mod environment_routes;
mod routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    access::configure(api);
    environment_routes::configure(api);
    routes::configure(api);
}
