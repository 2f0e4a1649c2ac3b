//! The state of a thing before or after a change, as JSON for the audit trail.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    ApiToken, Environment, EnvironmentName, Group, GroupDescription, GroupId, GroupName, Holder, NewGroup,
    NewPersonalToken, NewRole, NewUser, Permission, PersonName, PersonalToken, Project, Role, RoleId,
    SsoGroupName, Timestamp, User, UserId, UserIdentity,
};

/// The state of a thing before or after a change: a JSON object that is stored as it was then, so that old events stay
/// readable when the model changes. It is the format of stores and of the wire (`data` and `preData`). It is built from
/// domain values only, none of which holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(Map<String, Value>);

impl Snapshot {
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            other => Self(Map::from_iter([("value".to_owned(), other)])),
        }
    }

    /// Returns the snapshot of a stored value; `None` if the JSON is not an object.
    pub fn from_record(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// Returns the JSON object.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Returns the members of the JSON object.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The member with the id.
    pub const ID: &str = "id";

    /// Returns a member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns the snapshot with the id that a store assigned.
    #[must_use]
    pub(crate) fn with_id(self, id: i64) -> Self {
        self.with_member(Self::ID, id.into())
    }

    /// Returns the snapshot with an additional timestamp.
    #[must_use]
    pub fn with_moment(self, name: &str, at: Option<Timestamp>) -> Self {
        self.with_member(name, json!(moment(at)))
    }

    /// Returns the snapshot with an additional member.
    #[must_use]
    pub(crate) fn with_member(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Returns the snapshot of roles that users and groups were given in a project.
    pub fn of_memberships(users: &[UserId], groups: &[GroupId], roles: &[RoleId]) -> Self {
        let users: Vec<_> = users.iter().map(|user| user.0).collect();
        let groups: Vec<_> = groups.iter().map(|group| group.0).collect();
        let entry = |role: &RoleId| json!({ "roleId": role.0, "groupIds": groups, "userIds": users });
        Self::of(json!({ "roles": roles.iter().map(entry).collect::<Vec<_>>() }))
    }

    /// Returns the snapshot of all roles that users and groups hold in a project: for each role, its holders.
    pub fn of_holdings<'h>(holdings: impl IntoIterator<Item = &'h (Holder, RoleId)>) -> Self {
        let mut roles = BTreeMap::<RoleId, (Vec<i64>, Vec<i64>)>::new();
        for (holder, role) in holdings {
            let (users, groups) = roles.entry(*role).or_default();
            match holder {
                Holder::User(id) => users.push(id.0),
                Holder::Group(id) => groups.push(id.0),
            }
        }
        let entries = roles
            .into_iter()
            .map(|(role, (users, groups))| json!({ "roleId": role.0, "groupIds": groups, "userIds": users }));
        Self::of(json!({ "roles": entries.collect::<Vec<_>>() }))
    }

    /// The maximum number of tokens that one event of an import names, so that a page of events stays small.
    pub const MAX_IMPORTED_TOKENS: usize = 500;

    /// Returns the snapshot of API tokens that came from another system, each with the name of the user who created it
    /// there. Neighbours with the same scope are listed under it together. Members have the names of those of one token.
    pub fn of_imported_tokens(source: &str, tokens: &[(&ApiToken, Option<&str>)]) -> Self {
        let entry = |(token, created_by): &(&ApiToken, Option<&str>)| {
            let mut members = Map::new();
            members.insert("id".to_owned(), token.id.to_string().into());
            members.insert("tokenName".to_owned(), token.name.as_str().into());
            members.extend(token.expires_at.map(|at| ("expiresAt".to_owned(), at.to_string().into())));
            members.extend(created_by.map(|name| ("createdBy".to_owned(), name.into())));
            Value::Object(members)
        };
        let scope = |tokens: &[(&ApiToken, Option<&str>)]| {
            let (token, _) = tokens.first()?;
            Some(json!({
                "type": token.access.kind().as_str(),
                "environment": environment(token),
                "projects": token.access.projects().shown(),
                "tokens": tokens.iter().map(entry).collect::<Vec<_>>(),
            }))
        };
        let scopes = tokens.chunk_by(|(one, _), (other, _)| one.access == other.access);
        Self::of(json!({ "source": source, "scopes": scopes.filter_map(scope).collect::<Vec<_>>() }))
    }

    /// Returns the snapshot of all roles of a user or a group in a project.
    pub fn of_roles(holder: Holder, roles: &[RoleId]) -> Self {
        let roles: Vec<_> = roles.iter().map(|role| role.0).collect();
        Self::of(match holder {
            Holder::User(UserId(id)) => json!({ "userId": id, "roles": roles }),
            Holder::Group(GroupId(id)) => json!({ "groupId": id, "roles": roles }),
        })
    }

    /// Returns the snapshot of the sort order of environments.
    pub fn of_sort_orders(orders: &[(EnvironmentName, i32)]) -> Self {
        let entry = |(name, order): &(EnvironmentName, i32)| (name.to_string(), Value::from(*order));
        Self(orders.iter().map(entry).collect())
    }

    /// Returns a snapshot that only identifies a user.
    pub fn of_user_alone(user: &User) -> Self {
        let mut map = identity(&user.identity);
        map.insert("id".to_owned(), user.id.0.into());
        Self(map)
    }
}

fn environment(token: &ApiToken) -> &str {
    token.access.environment().map_or("*", EnvironmentName::as_str)
}

fn identity(identity: &UserIdentity) -> Map<String, Value> {
    Map::from_iter([
        ("username".to_owned(), json!(identity.username().map(ToString::to_string))),
        ("email".to_owned(), json!(identity.email().map(ToString::to_string))),
    ])
}

fn moment(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

impl From<&ApiToken> for Snapshot {
    fn from(token: &ApiToken) -> Self {
        let fixed = Self::of(json!({
            "id": token.id.to_string(),
            "tokenName": token.name.as_str(),
            "username": token.name.as_str(),
            "type": token.access.kind().as_str(),
            "environment": environment(token),
            "project": token.access.projects().to_string(),
            "projects": token.access.projects().shown(),
            "expiresAt": token.expires_at.map(|moment| moment.to_string()),
            "createdAt": token.created_at.to_string(),
            "seenAt": token.last_used_at.map(|moment| moment.to_string()),
        }));
        // No attribute can hide one of the members above.
        let mut members = token.attributes.shown();
        members.extend(fixed.0);
        if let Some(selector) = &token.selector {
            members.insert("selector".to_owned(), selector.as_str().into());
        }
        Self(members)
    }
}

fn of_user(user: &UserIdentity, name: Option<&PersonName>, root_role: RoleId) -> Map<String, Value> {
    let mut map = identity(user);
    map.extend([
        ("name".to_owned(), json!(name.map(PersonName::as_str))),
        ("rootRole".to_owned(), json!(root_role.0)),
    ]);
    map
}

impl From<&NewUser> for Snapshot {
    fn from(user: &NewUser) -> Self {
        Self(of_user(&user.identity, user.name.as_ref(), user.root_role))
    }
}

impl From<&User> for Snapshot {
    fn from(user: &User) -> Self {
        Self(of_user(&user.identity, user.name.as_ref(), user.root_role)).with_id(user.id.0)
    }
}

impl From<&NewPersonalToken> for Snapshot {
    fn from(token: &NewPersonalToken) -> Self {
        Self::of(json!({
            "userId": token.user.0,
            "description": token.description.as_str(),
            "expiresAt": token.expires_at.to_string(),
        }))
    }
}

impl From<&PersonalToken> for Snapshot {
    fn from(token: &PersonalToken) -> Self {
        Self::of(json!({
            "id": token.id.0,
            "userId": token.user.0,
            "description": token.description.as_str(),
            "expiresAt": token.expires_at.to_string(),
            "createdAt": token.created_at.to_string(),
            "seenAt": moment(token.last_used_at),
        }))
    }
}

fn of_role(
    name: &str,
    kind: &str,
    description: &str,
    permissions: impl IntoIterator<Item = Permission>,
) -> Snapshot {
    let permissions: Vec<_> =
        permissions.into_iter().map(|permission| json!({ "name": permission.as_str() })).collect();
    Snapshot::of(
        json!({ "name": name, "type": kind, "description": description, "permissions": permissions }),
    )
}

impl From<&NewRole> for Snapshot {
    fn from(role: &NewRole) -> Self {
        let permissions = role.permissions.iter().copied();
        of_role(role.name.as_str(), role.kind.as_str(), role.description.as_str(), permissions)
    }
}

impl From<&Role> for Snapshot {
    fn from(role: &Role) -> Self {
        let permissions = role.permissions.iter().copied();
        of_role(role.name.as_str(), role.kind.as_str(), role.description.as_str(), permissions)
            .with_id(role.id.0)
    }
}

fn of_group(
    name: &GroupName,
    description: &GroupDescription,
    sso_groups: &[SsoGroupName],
    root_role: Option<RoleId>,
    members: &BTreeMap<UserId, Timestamp>,
) -> Snapshot {
    let sso_groups: Vec<_> = sso_groups.iter().map(SsoGroupName::as_str).collect();
    let users: Vec<_> = members.keys().map(|user| user.0).collect();
    Snapshot::of(json!({
        "name": name.as_str(),
        "description": description.as_str(),
        "mappingsSSO": sso_groups,
        "rootRole": root_role.map(|role| role.0),
        "users": users,
    }))
}

impl From<&NewGroup> for Snapshot {
    fn from(group: &NewGroup) -> Self {
        let NewGroup { name, description, sso_groups, root_role, members, created_at: _ } = group;
        of_group(name, description, sso_groups, *root_role, members)
    }
}

impl From<&Group> for Snapshot {
    fn from(group: &Group) -> Self {
        let Group { id, name, description, sso_groups, root_role, members, created_at: _ } = group;
        of_group(name, description, sso_groups, *root_role, members).with_id(id.0)
    }
}

impl From<&Project> for Snapshot {
    fn from(project: &Project) -> Self {
        Self::of(json!({
            "id": project.id.as_str(),
            "name": project.name.as_str(),
            "description": project.description.as_str(),
            "mode": project.mode.as_str(),
            "archivedAt": moment(project.archived_at),
        }))
    }
}

impl From<&Environment> for Snapshot {
    fn from(environment: &Environment) -> Self {
        Self::of(json!({
            "name": environment.name.as_str(),
            "type": environment.kind.as_str(),
            "sortOrder": environment.sort_order,
            "enabled": environment.enabled,
        }))
    }
}

impl From<&EnvironmentName> for Snapshot {
    fn from(name: &EnvironmentName) -> Self {
        Self::of(json!({ "environment": name.as_str() }))
    }
}
