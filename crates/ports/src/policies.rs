//! The repository of the policies of projects.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, Policy, ProjectId};
use latchkey_port_macros::observed;

use crate::StoreError;

/// The policies of projects. A project without one has the default, which demands nothing; a policy ends with its project.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PolicyRepository: Send + Sync {
    /// Returns the policies of those of these projects that have one. The cost does not depend on the number of others.
    async fn policies_of(&self, projects: &[ProjectId]) -> Result<BTreeMap<ProjectId, Policy>, StoreError>;

    /// Returns the policies of all projects that have one.
    async fn policies(&self) -> Result<BTreeMap<ProjectId, Policy>, StoreError>;

    /// Gives a project the policy `after` in place of `before`, with the event.
    ///
    /// # Errors
    /// `NotFound` for the project; `Stale` if its policy is not `before`.
    async fn set_policy(
        &self,
        project: &ProjectId,
        before: &Policy,
        after: &Policy,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;
}
