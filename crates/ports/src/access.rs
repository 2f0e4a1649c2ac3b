//! The repository of roles and of memberships in projects.

use std::collections::BTreeSet;

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, GroupId, Holder, NewEvent, NewRole, ProjectId, Role, RoleId, Timestamp, User, UserId,
};
use latchkey_port_macros::observed;

use crate::StoreError;

/// A user with roles of their own in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user: User,
    /// The roles in the project, by id; never empty.
    pub roles: Vec<RoleId>,
    /// When the first of them was given.
    pub added_at: Timestamp,
}

/// Roles for users and groups in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memberships {
    pub project: ProjectId,
    pub users: Vec<UserId>,
    pub groups: Vec<GroupId>,
    pub roles: Vec<RoleId>,
    pub at: Timestamp,
}

/// The roles that users and groups hold in a project: pairs of a holder and a role.
pub type Holdings = BTreeSet<(Holder, RoleId)>;

/// New members for a project, in place of all that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersChange {
    pub project: ProjectId,
    pub before: Holdings,
    pub after: Holdings,
    /// When the roles that were not held before are given.
    pub at: Timestamp,
}

impl MembersChange {
    /// Returns what must exist: the project, and each user, group and role after the change, once. It says no more; to give
    /// them would be each role to each of them.
    #[must_use]
    pub fn references(&self) -> Memberships {
        let (mut users, mut groups, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (holder, role) in &self.after {
            roles.insert(*role);
            match holder {
                Holder::User(id) => users.insert(*id),
                Holder::Group(id) => groups.insert(*id),
            };
        }
        Memberships {
            project: self.project.clone(),
            users: users.into_iter().collect(),
            groups: groups.into_iter().collect(),
            roles: roles.into_iter().collect(),
            at: self.at,
        }
    }
}

/// The roles and memberships.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AccessRepository: Send + Sync {
    /// Returns every role, by id.
    async fn roles(&self) -> Result<Vec<Role>, StoreError>;

    /// Returns the role of this id.
    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError>;

    /// Creates a role under an id that the store assigns, with its event (to which the store adds that id).
    ///
    /// # Errors
    /// `Conflict` if the name is taken.
    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError>;

    /// Replaces `before` with `after`, which has the same id and kind, with the event.
    ///
    /// # Errors
    /// `NotFound`; `Stale` if the stored one is not `before`; `Conflict` if the name is taken.
    async fn update_role(&self, before: &Role, after: &Role, event: &NewEvent)
    -> Result<EventId, StoreError>;

    /// Removes a role without holders, with its event.
    ///
    /// # Errors
    /// `NotFound`; `InUse` if a user or a group holds it.
    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Returns the users with roles of their own in a project, by user id.
    ///
    /// # Errors
    /// `NotFound` for an unknown project.
    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError>;

    /// Gives each of these users and groups each of these roles in the project, in addition to those held, with one event.
    ///
    /// # Errors
    /// `NotFound` for the first unknown user, the first unknown group, the project, or the first role that is unknown or
    /// no role of projects (in this order); `Conflict` if each of them holds each role there already.
    async fn add_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Gives each of these users and groups exactly these roles in the project, or none, with one event. A role that is held
    /// already keeps its time.
    ///
    /// # Errors
    /// As [`AccessRepository::add_memberships`], without `Conflict`.
    async fn replace_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError>;

    /// Replaces all memberships of a project, of users and of groups, with one event. A role that is held already keeps its
    /// time.
    ///
    /// # Errors
    /// `NotFound` for the first unknown user of those after, the first unknown group, the project, or the first role that is
    /// unknown or no role of projects (in this order); `Stale` with the project if its memberships are not those before.
    async fn replace_members(&self, change: &MembersChange, event: &NewEvent) -> Result<EventId, StoreError>;

    /// Returns the roles that a user or a group holds in a project, by id; none if either is unknown. Of a user, those that
    /// a group gives are not among them.
    async fn roles_in_project(&self, holder: Holder, project: &ProjectId) -> Result<Vec<RoleId>, StoreError>;

    /// Returns the grants of a user: the union of those of the root role, of the roles in projects, and of the groups that
    /// the user is a member of. `None` for an unknown user.
    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError>;
}
