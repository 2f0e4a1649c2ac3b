//! Groups, their members and their roles in projects.

use std::collections::BTreeMap;

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use latchkey_domain::{
    Group, GroupDescription, GroupId, GroupName, NewGroup, ProjectId, RoleId, SsoGroupName, Timestamp, User,
    UserId,
};
use latchkey_ports::{GroupOverview, Inconsistency, MemberGroup};

use super::{Row, UserRow};
use crate::{
    columns::{DbJson, DbTime, NewJson, Parsed},
    schema::{group_members, group_roles, user_groups},
};

/// A row of `user_groups`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_groups)]
pub struct GroupRow {
    pub id: i64,
    name: Parsed<GroupName>,
    description: Parsed<GroupDescription>,
    sso_groups: DbJson,
    root_role_id: Option<i64>,
    created_at: DbTime,
}

impl GroupRow {
    fn into_group(self, members: BTreeMap<UserId, Timestamp>) -> Result<Group, Inconsistency> {
        let at = Row { table: "user_groups", key: self.id };
        let sso_groups = at.column("sso_groups", self.sso_groups.0)?;
        let sso_groups: Vec<SsoGroupName> = at.column("sso_groups", serde_json::from_value(sso_groups))?;
        Ok(Group {
            id: GroupId(self.id),
            name: at.parsed("name", self.name)?,
            description: at.parsed("description", self.description)?,
            sso_groups,
            root_role: self.root_role_id.map(RoleId),
            members,
            created_at: at.time("created_at", self.created_at)?,
        })
    }
}

/// A row of `group_members` with its user.
#[derive(Queryable, Selectable)]
#[diesel(table_name = group_members)]
pub struct GroupMemberRow {
    group_id: i64,
    added_at: DbTime,
    #[diesel(embed)]
    user: UserRow,
}

/// Converts groups, with the members of all of them and the projects in which they have roles: of each group in order.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn groups(
    rows: Vec<GroupRow>,
    members: Vec<GroupMemberRow>,
    projects: Vec<(i64, Parsed<ProjectId>)>,
) -> Result<Vec<GroupOverview>, Inconsistency> {
    let mut users_of: BTreeMap<i64, Vec<User>> = BTreeMap::new();
    let mut times_of: BTreeMap<i64, BTreeMap<UserId, Timestamp>> = BTreeMap::new();
    for row in members {
        let at = Row { table: "group_members", key: row.group_id };
        let (user, added_at) = (User::try_from(row.user)?, at.time("added_at", row.added_at)?);
        times_of.entry(row.group_id).or_default().insert(user.id, added_at);
        users_of.entry(row.group_id).or_default().push(user);
    }
    let mut projects_of: BTreeMap<i64, Vec<ProjectId>> = BTreeMap::new();
    for (group, project) in projects {
        let at = Row { table: "group_roles", key: group };
        projects_of.entry(group).or_default().push(at.parsed("project_id", project)?);
    }
    rows.into_iter()
        .map(|row| {
            let id = row.id;
            Ok(GroupOverview {
                group: row.into_group(times_of.remove(&id).unwrap_or_default())?,
                users: users_of.remove(&id).unwrap_or_default(),
                projects: projects_of.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// A row of `group_roles` with its group.
#[derive(Queryable, Selectable)]
#[diesel(table_name = group_roles)]
pub struct GroupRoleRow {
    role_id: i64,
    added_at: DbTime,
    #[diesel(embed)]
    group: GroupRow,
}

/// The groups of a project, and their roles in it: one entry for each group, in the same order.
#[derive(Default)]
pub struct GroupsWithRoles {
    pub groups: Vec<GroupRow>,
    roles: Vec<(Vec<RoleId>, Timestamp)>,
}

impl GroupsWithRoles {
    /// Collects the rows of one project, ordered by group, then role.
    ///
    /// # Errors
    /// The [`Inconsistency`] of the first row that has one.
    pub fn collect(rows: Vec<GroupRoleRow>) -> Result<Self, Inconsistency> {
        let mut collected = Self::default();
        for GroupRoleRow { role_id, added_at, group } in rows {
            let at = Row { table: "group_roles", key: group.id };
            let added_at = at.time("added_at", added_at)?;
            let is_same = collected.groups.last().is_some_and(|last| last.id == group.id);
            if let Some((roles, first)) = collected.roles.last_mut().filter(|_| is_same) {
                roles.push(RoleId(role_id));
                *first = added_at.min(*first);
            } else {
                collected.groups.push(group);
                collected.roles.push((vec![RoleId(role_id)], added_at));
            }
        }
        Ok(collected)
    }

    /// Converts the groups, with what [`groups`] needs besides.
    ///
    /// # Errors
    /// The [`Inconsistency`] of the first row that has one.
    pub fn into_member_groups(
        self,
        members: Vec<GroupMemberRow>,
        projects: Vec<(i64, Parsed<ProjectId>)>,
    ) -> Result<Vec<MemberGroup>, Inconsistency> {
        let overviews = groups(self.groups, members, projects)?;
        let entry = |(overview, (roles, added_at))| MemberGroup { overview, roles, added_at };
        Ok(overviews.into_iter().zip(self.roles).map(entry).collect())
    }
}

/// The columns of `user_groups` besides the id and the time of creation, of a new group or of one that is updated.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = user_groups, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct ChangedGroupRow<'a> {
    name: &'a str,
    description: &'a str,
    sso_groups: NewJson,
    root_role_id: Option<i64>,
}

impl<'a> ChangedGroupRow<'a> {
    fn new(
        name: &'a GroupName,
        description: &'a GroupDescription,
        sso_groups: &[SsoGroupName],
        root_role: Option<RoleId>,
    ) -> Self {
        Self {
            name: name.as_str(),
            description: description.as_str(),
            sso_groups: NewJson(sso_groups.iter().map(SsoGroupName::as_str).collect()),
            root_role_id: root_role.map(|role| role.0),
        }
    }
}

impl<'a> From<&'a NewGroup> for ChangedGroupRow<'a> {
    fn from(group: &'a NewGroup) -> Self {
        Self::new(&group.name, &group.description, &group.sso_groups, group.root_role)
    }
}

impl<'a> From<&'a Group> for ChangedGroupRow<'a> {
    fn from(group: &'a Group) -> Self {
        Self::new(&group.name, &group.description, &group.sso_groups, group.root_role)
    }
}

/// A new row of `group_members`.
#[derive(Insertable)]
#[diesel(table_name = group_members)]
pub struct NewGroupMemberRow {
    group_id: i64,
    user_id: i64,
    added_at: DbTime,
}

/// Returns the rows of the members of a group.
pub fn group_members(
    GroupId(group_id): GroupId,
    members: &BTreeMap<UserId, Timestamp>,
) -> impl Iterator<Item = NewGroupMemberRow> {
    let row = move |(user, at): (&UserId, &Timestamp)| NewGroupMemberRow {
        group_id,
        user_id: user.0,
        added_at: (*at).into(),
    };
    members.iter().map(row)
}

/// A new row of `group_roles`.
#[derive(Insertable)]
#[diesel(table_name = group_roles)]
pub struct NewGroupRoleRow<'a> {
    group_id: i64,
    project_id: &'a str,
    role_id: i64,
    added_at: DbTime,
}

impl<'a> NewGroupRoleRow<'a> {
    /// Returns the row of a group that holds a role in a project from a time on.
    #[must_use]
    pub fn new(group: GroupId, project: &'a ProjectId, role: RoleId, added_at: Timestamp) -> Self {
        let added_at = added_at.into();
        Self { group_id: group.0, project_id: project.as_str(), role_id: role.0, added_at }
    }
}
