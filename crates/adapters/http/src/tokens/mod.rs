//! API tokens: those of a project, those of the instance, their rotation, and how often they are used.

mod answer;
mod attribute_members;
mod body;
mod instance_routes;
mod limit_members;
mod list;
mod own_routes;
mod project_routes;
mod projects;
mod query;
mod token_body;
mod usage;

pub(crate) use self::query::Limit;
pub use self::{
    body::{CreateTokenBody, PatchTokenBody, RotateTokenBody},
    query::TokenQuery,
};
pub(crate) use self::{
    limit_members::{RateLimitBody, UsesBody},
    projects::{ProjectArray, ProjectList, ProjectNames},
};
use crate::api::Api;

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    project_routes::configure(api);
    instance_routes::configure(api);
    own_routes::configure(api);
    usage::configure(api);
}
