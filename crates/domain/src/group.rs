//! Groups: users who hold roles together, for the whole instance and in projects.

use std::{collections::BTreeMap, fmt};

use crate::{GroupDescription, GroupName, RoleId, SsoGroupName, Timestamp, UserId};

/// The id of a group, an integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub i64);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user or a group, as a holder of roles in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    User(UserId),
    Group(GroupId),
}

impl From<UserId> for Holder {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl From<GroupId> for Holder {
    fn from(id: GroupId) -> Self {
        Self::Group(id)
    }
}

/// A group to be created; the store assigns the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// Its unique name.
    pub name: GroupName,
    pub description: GroupDescription,
    /// The groups of a single sign-on provider whose members are to be members of this one.
    pub sso_groups: Vec<SsoGroupName>,
    /// The role that members hold for the whole instance, besides their own; `None` = none.
    pub root_role: Option<RoleId>,
    /// The members, with the time since when they are.
    pub members: BTreeMap<UserId, Timestamp>,
    pub created_at: Timestamp,
}

/// A group. What its roles permit, each member may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    /// Its unique name.
    pub name: GroupName,
    pub description: GroupDescription,
    /// The groups of a single sign-on provider whose members are to be members of this one.
    pub sso_groups: Vec<SsoGroupName>,
    /// The role that members hold for the whole instance, besides their own; `None` = none.
    pub root_role: Option<RoleId>,
    /// The members, with the time since when they are.
    pub members: BTreeMap<UserId, Timestamp>,
    pub created_at: Timestamp,
}

impl NewGroup {
    /// Returns the group with the id that the store assigned.
    pub fn with_id(self, id: GroupId) -> Group {
        let Self { name, description, sso_groups, root_role, members, created_at } = self;
        Group { id, name, description, sso_groups, root_role, members, created_at }
    }
}
