//! Projects, their members and environments.

mod access_body;
mod access_routes;
mod body;
mod environment_body;
mod environment_routes;
mod routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    access_routes::configure(api);
    environment_routes::configure(api);
    routes::configure(api);
}
