//! Users, roles, memberships and the permissions that follow.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use latchkey_domain::{
    AccountKind, Email, Grant, Grants, GroupId, NewRole, NewUser, PasswordHash, Permission, PersonName,
    Place, ProjectId, Role, RoleDescription, RoleId, RoleKind, RoleName, Timestamp, User, UserId,
    UserIdentity, Username,
};
use latchkey_ports::{Account, Holdings, Inconsistency, Member};

use super::Row;
use crate::{
    columns::{DbTime, Parsed},
    schema::{memberships, role_permissions, roles, user_grants, users},
};

/// A row of `users`, without the password.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRow {
    id: i64,
    username: Option<Parsed<Username>>,
    email: Option<String>,
    name: Option<Parsed<PersonName>>,
    account_kind: String,
    root_role_id: i64,
    created_at: DbTime,
    seen_at: Option<DbTime>,
}

impl TryFrom<UserRow> for User {
    type Error = Inconsistency;

    fn try_from(row: UserRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "users", key: row.id };
        let email = row.email.as_deref().map(Email::new).transpose();
        let identity = UserIdentity::new(at.optional("username", row.username)?, at.column("email", email)?);
        let kinds = [AccountKind::Person, AccountKind::Service];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == row.account_kind);
        Ok(Self {
            id: UserId(row.id),
            identity: at.column("username", identity)?,
            name: at.optional("name", row.name)?,
            kind: at.column("account_kind", kind.ok_or("must be person or service"))?,
            root_role: RoleId(row.root_role_id),
            created_at: at.time("created_at", row.created_at)?,
            last_seen_at: at.optional_time("seen_at", row.seen_at)?,
        })
    }
}

/// A row of `users`, with the hash of the password.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct AccountRow {
    #[diesel(embed)]
    user: UserRow,
    password_hash: Option<String>,
}

/// Converts the account that a login means: of the accounts found by user name and by e-mail address, the first.
///
/// # Errors
/// The row's [`Inconsistency`].
pub fn account_of_login(rows: Vec<AccountRow>, login: &str) -> Result<Option<Account>, Inconsistency> {
    let has_username =
        |row: &AccountRow| matches!(&row.user.username, Some(Parsed(Ok(name))) if name.as_str() == login);
    super::optional(rows.into_iter().max_by_key(has_username))
}

impl TryFrom<AccountRow> for Account {
    type Error = Inconsistency;

    fn try_from(row: AccountRow) -> Result<Self, Inconsistency> {
        let password = row.password_hash.map(|hash| PasswordHash(hash.into()));
        Ok(Self { user: row.user.try_into()?, password })
    }
}

/// A new row of `users`.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUserRow<'a> {
    #[diesel(embed)]
    changeable: ChangedUserRow<'a>,
    account_kind: &'static str,
    created_at: DbTime,
    seen_at: Option<DbTime>,
    password_hash: Option<&'a str>,
}

impl<'a> NewUserRow<'a> {
    /// Returns the row of a user with this password.
    #[must_use]
    pub fn new(user: &'a NewUser, password: Option<&'a PasswordHash>) -> Self {
        Self {
            changeable: ChangedUserRow::new(&user.identity, user.name.as_ref(), user.root_role),
            account_kind: user.kind.as_str(),
            created_at: user.created_at.into(),
            seen_at: None,
            password_hash: password.map(|hash| hash.0.as_ref()),
        }
    }

    /// Returns the row of a user who was last seen then.
    #[must_use]
    pub fn seen_at(self, last: Option<Timestamp>) -> Self {
        Self { seen_at: last.map(DbTime::from), ..self }
    }
}

/// The columns of `users` that an update of a user sets.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct ChangedUserRow<'a> {
    username: Option<&'a str>,
    email: Option<&'a str>,
    email_key: Option<String>,
    name: Option<&'a str>,
    root_role_id: i64,
}

impl<'a> ChangedUserRow<'a> {
    fn new(identity: &'a UserIdentity, name: Option<&'a PersonName>, root_role: RoleId) -> Self {
        Self {
            username: identity.username().map(Username::as_str),
            email: identity.email().map(Email::as_str),
            email_key: identity.email().map(Email::key),
            name: name.map(PersonName::as_str),
            root_role_id: root_role.0,
        }
    }
}

impl<'a> From<&'a User> for ChangedUserRow<'a> {
    fn from(user: &'a User) -> Self {
        Self::new(&user.identity, user.name.as_ref(), user.root_role)
    }
}

/// A row of `roles`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = roles)]
pub struct RoleRow {
    id: i64,
    name: Parsed<RoleName>,
    kind: Parsed<RoleKind>,
    description: Parsed<RoleDescription>,
}

impl RoleRow {
    /// Returns the role's id and kind.
    ///
    /// # Errors
    /// [`Inconsistency`] for an unknown kind.
    pub fn id_and_kind(self) -> Result<(RoleId, RoleKind), Inconsistency> {
        let at = Row { table: "roles", key: self.id };
        Ok((RoleId(self.id), at.parsed("kind", self.kind)?))
    }

    fn into_role(self, permission: Option<Permission>) -> Result<Role, Inconsistency> {
        let at = Row { table: "roles", key: self.id };
        Ok(Role {
            id: RoleId(self.id),
            kind: at.parsed("kind", self.kind)?,
            name: at.parsed("name", self.name)?,
            description: at.parsed("description", self.description)?,
            permissions: permission.into_iter().collect(),
        })
    }
}

/// Converts roles that are joined with their permissions, one in a row; the rows of a role follow one another.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn roles(rows: Vec<(RoleRow, Option<Parsed<Permission>>)>) -> Result<Vec<Role>, Inconsistency> {
    let mut roles: Vec<Role> = Vec::new();
    for (row, permission) in rows {
        let at = Row { table: "role_permissions", key: row.id };
        let permission = at.optional("permission", permission)?;
        match roles.last_mut().filter(|role| role.id.0 == row.id) {
            Some(role) => role.permissions.extend(permission),
            None => roles.push(row.into_role(permission)?),
        }
    }
    Ok(roles)
}

/// The columns of `roles` besides the id, of a new role or of one that is updated.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = roles)]
pub struct ChangedRoleRow<'a> {
    name: &'a str,
    kind: &'static str,
    description: &'a str,
}

impl<'a> From<&'a NewRole> for ChangedRoleRow<'a> {
    fn from(role: &'a NewRole) -> Self {
        Self { name: role.name.as_str(), kind: role.kind.as_str(), description: role.description.as_str() }
    }
}

impl<'a> From<&'a Role> for ChangedRoleRow<'a> {
    fn from(role: &'a Role) -> Self {
        Self { name: role.name.as_str(), kind: role.kind.as_str(), description: role.description.as_str() }
    }
}

/// A new row of `role_permissions`.
#[derive(Insertable)]
#[diesel(table_name = role_permissions)]
pub struct NewRolePermissionRow {
    role_id: i64,
    permission: &'static str,
}

/// Returns the rows of the permissions of a role.
pub fn role_permissions<'a>(
    RoleId(role_id): RoleId,
    permissions: impl IntoIterator<Item = &'a Permission>,
) -> Vec<NewRolePermissionRow> {
    let row = |permission: &Permission| NewRolePermissionRow { role_id, permission: permission.as_str() };
    permissions.into_iter().map(row).collect()
}

/// A new row of `memberships`.
#[derive(Insertable)]
#[diesel(table_name = memberships)]
pub struct NewMembershipRow<'a> {
    user_id: i64,
    project_id: &'a str,
    role_id: i64,
    added_at: DbTime,
}

impl<'a> NewMembershipRow<'a> {
    /// Returns the row of a user that holds a role in a project from a time on.
    #[must_use]
    pub fn new(user: UserId, project: &'a ProjectId, role: RoleId, added_at: Timestamp) -> Self {
        let added_at = added_at.into();
        Self { user_id: user.0, project_id: project.as_str(), role_id: role.0, added_at }
    }
}

/// A row of `memberships` with its user.
#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub struct MembershipRow {
    role_id: i64,
    added_at: DbTime,
    #[diesel(embed)]
    user: UserRow,
}

/// Converts the memberships of one project, ordered by user, then role.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn members(rows: Vec<MembershipRow>) -> Result<Vec<Member>, Inconsistency> {
    let mut members: Vec<Member> = Vec::new();
    for row in rows {
        let at = Row { table: "memberships", key: row.user.id };
        let (role, added_at) = (RoleId(row.role_id), at.time("added_at", row.added_at)?);
        match members.last_mut().filter(|member| member.user.id.0 == row.user.id) {
            Some(member) => {
                member.roles.push(role);
                member.added_at = member.added_at.min(added_at);
            }
            None => members.push(Member { user: row.user.try_into()?, roles: vec![role], added_at }),
        }
    }
    Ok(members)
}

/// A row of the view `user_grants`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_grants)]
pub struct GrantRow {
    user_id: i64,
    project_id: Option<Parsed<ProjectId>>,
    role_id: i64,
    permission: Parsed<Permission>,
}

/// Converts the ids of users, and those of groups, each with a role that it holds in a project.
pub fn holdings(of_users: Vec<(i64, i64)>, of_groups: Vec<(i64, i64)>) -> Holdings {
    let of_users = of_users.into_iter().map(|(user, role)| (UserId(user).into(), RoleId(role)));
    let of_groups = of_groups.into_iter().map(|(group, role)| (GroupId(group).into(), RoleId(role)));
    of_users.chain(of_groups).collect()
}

/// Converts the grants of one user.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn grants(rows: Vec<GrantRow>) -> Result<Grants, Inconsistency> {
    rows.into_iter()
        .map(|row| {
            let memberships = Row { table: "memberships", key: row.user_id };
            let permissions = Row { table: "role_permissions", key: row.role_id };
            let project = memberships.optional("project_id", row.project_id)?;
            Ok(Grant {
                permission: permissions.parsed("permission", row.permission)?,
                place: project.map_or(Place::Instance, Place::Project),
            })
        })
        .collect()
}
