//! Projects, their members and environments.

mod access;
mod body;
mod environment_body;
mod environments;
mod routes;

pub use self::{
    access::{AddAccessBody, SetRolesBody},
    body::{CreateProjectBody, ProjectEnvironmentBody, UpdateProjectBody},
    environment_body::{CreateEnvironmentBody, SortOrderBody, UpdateEnvironmentBody},
};
use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    access::configure(api);
    environments::configure(api);
    routes::configure(api);
}
