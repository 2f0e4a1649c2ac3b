//! Projects, their members and environments.

mod access;
mod body;
mod environment_body;
mod environments;
mod routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    access::configure(api);
    environments::configure(api);
    routes::configure(api);
}
