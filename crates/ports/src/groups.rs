//! The repository of groups.

use async_trait::async_trait;
use latchkey_domain::{EventId, Group, GroupId, NewEvent, NewGroup, ProjectId, RoleId, Timestamp, User};
use latchkey_port_macros::observed;

use crate::StoreError;

/// A group with its members and where it has roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOverview {
    pub group: Group,
    /// The members, by id.
    pub users: Vec<User>,
    /// The projects in which it holds a role, by id.
    pub projects: Vec<ProjectId>,
}

/// A group with roles in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberGroup {
    pub overview: GroupOverview,
    /// The roles in the project, by id; never empty.
    pub roles: Vec<RoleId>,
    /// When the first of them was given.
    pub added_at: Timestamp,
}

/// The groups. Their roles in projects are given and taken by [`crate::AccessRepository`].
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait GroupRepository: Send + Sync {
    /// Returns every group, by id.
    async fn groups(&self) -> Result<Vec<GroupOverview>, StoreError>;

    /// Returns the group of this id.
    async fn find_group(&self, id: GroupId) -> Result<Option<GroupOverview>, StoreError>;

    /// Returns the groups with roles in a project, by group id.
    ///
    /// # Errors
    /// `NotFound` for an unknown project.
    async fn member_groups(&self, project: &ProjectId) -> Result<Vec<MemberGroup>, StoreError>;

    /// Creates a group under an id that the store assigns, with its event (to which the store adds that id, by
    /// [`NewEvent::with_assigned_id`]).
    ///
    /// # Errors
    /// `NotFound` for an unknown root role, and for one that is held in projects, then for the first unknown member;
    /// `Conflict` if the name is taken.
    async fn create_group(
        &self,
        group: &NewGroup,
        event: &NewEvent,
    ) -> Result<(GroupId, EventId), StoreError>;

    /// Replaces `before` with `after`, which has the same id and time of creation, with the event.
    ///
    /// # Errors
    /// `NotFound` for the group; `Stale` if the stored one is not `before`; otherwise as
    /// [`GroupRepository::create_group`].
    async fn update_group(
        &self,
        before: &Group,
        after: &Group,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Removes a group with all its roles, with its event. Its members stay users.
    ///
    /// # Errors
    /// `NotFound`.
    async fn delete_group(&self, id: GroupId, event: &NewEvent) -> Result<EventId, StoreError>;
}
