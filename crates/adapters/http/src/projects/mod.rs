//! Projects, their members and their environments.

mod access;
mod access_body;
mod body;
mod environment_body;
mod environments;
mod project_environments;
mod routes;

use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    access::configure(api);
    environments::configure(api);
    project_environments::configure(api);
    routes::configure(api);
}
