//! Users, roles, grants and personal access tokens.

use std::collections::BTreeSet;

use diesel::{Insertable, Queryable, Selectable, sqlite::Sqlite};
use latchkey_domain::{
    AccountKind, Description, Email, Grant, Grants, NewPersonalToken, NewUser, Permission, PersonName,
    PersonalToken, PersonalTokenId, Place, ProjectId, Role, RoleId, RoleKind, User, UserId, UserIdentity,
    Username,
};
use latchkey_ports::{Inconsistency, SecretRecord};

use super::Row;
use crate::schema::{personal_tokens, roles, user_grants, users};

const PERSON: &str = "person";
const SERVICE: &str = "service";

/// A row of `users`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
pub(crate) struct UserRow {
    id: i64,
    username: Option<String>,
    email: Option<String>,
    name: Option<String>,
    account_kind: String,
    root_role_id: i64,
    created_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = Inconsistency;

    fn try_from(row: UserRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "users", key: row.id };
        let username = row.username.as_deref().map(Username::new).transpose();
        let email = row.email.as_deref().map(Email::new).transpose();
        let identity = UserIdentity::new(at.column("username", username)?, at.column("email", email)?);
        let name = row.name.as_deref().map(PersonName::new).transpose();
        Ok(Self {
            id: UserId(row.id),
            identity: at.column("username", identity)?,
            name: at.column("name", name)?,
            kind: match row.account_kind.as_str() {
                PERSON => AccountKind::Person,
                SERVICE => AccountKind::Service,
                _ => return Err(at.inconsistency("account_kind", "must be person or service")),
            },
            root_role: RoleId(row.root_role_id),
            created_at: at.moment("created_at", row.created_at)?,
        })
    }
}

/// A new row of `users`.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct NewUserRow<'a> {
    username: Option<&'a str>,
    email: Option<&'a str>,
    email_key: Option<String>,
    name: Option<&'a str>,
    account_kind: &'static str,
    root_role_id: i64,
    created_at: i64,
}

impl<'a> From<&'a NewUser> for NewUserRow<'a> {
    fn from(user: &'a NewUser) -> Self {
        Self {
            username: user.identity.username().map(Username::as_str),
            email: user.identity.email().map(Email::as_str),
            email_key: user.identity.email().map(Email::key),
            name: user.name.as_ref().map(PersonName::as_str),
            account_kind: match user.kind {
                AccountKind::Person => PERSON,
                AccountKind::Service => SERVICE,
            },
            root_role_id: user.root_role.0,
            created_at: user.created_at.millis(),
        }
    }
}

/// A row of `roles`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = roles, check_for_backend(Sqlite))]
pub(crate) struct RoleRow {
    id: i64,
    name: String,
    kind: String,
    description: String,
}

impl RoleRow {
    /// Where the role is held.
    pub(crate) fn role_kind(&self) -> Result<RoleKind, Inconsistency> {
        let at = Row { table: "roles", key: self.id };
        at.column("kind", self.kind.parse())
    }
}

/// Roles with their permissions. Both lists are in the order of role ids.
pub(crate) fn roles(
    roles: Vec<RoleRow>,
    permissions: Vec<(i64, String)>,
) -> Result<Vec<Role>, Inconsistency> {
    let mut permissions = permissions.into_iter().peekable();
    roles
        .into_iter()
        .map(|row| {
            let mut held = BTreeSet::new();
            while let Some((_, name)) = permissions.next_if(|(role, _)| *role == row.id) {
                held.insert(permission(row.id, &name)?);
            }
            Ok(Role {
                id: RoleId(row.id),
                kind: row.role_kind()?,
                name: row.name,
                description: row.description,
                permissions: held,
            })
        })
        .collect()
}

fn permission(role: i64, name: &str) -> Result<Permission, Inconsistency> {
    let at = Row { table: "role_permissions", key: role };
    at.column("permission", name.parse())
}

/// A row of the view `user_grants`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_grants, check_for_backend(Sqlite))]
pub(crate) struct GrantRow {
    user_id: i64,
    project_id: Option<String>,
    role_id: i64,
    permission: String,
}

/// All that the rows of one user allow.
pub(crate) fn grants(rows: Vec<GrantRow>) -> Result<Grants, Inconsistency> {
    rows.into_iter()
        .map(|row| {
            let at = Row { table: "memberships", key: row.user_id };
            let place = match row.project_id {
                None => Place::Instance,
                Some(id) => Place::Project(at.column("project_id", ProjectId::new(&id))?),
            };
            Ok(Grant { permission: permission(row.role_id, &row.permission)?, place })
        })
        .collect()
}

/// A row of `personal_tokens`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = personal_tokens, check_for_backend(Sqlite))]
pub(crate) struct PersonalTokenRow {
    id: i64,
    user_id: i64,
    description: String,
    expires_at: i64,
    created_at: i64,
    seen_at: Option<i64>,
}

impl TryFrom<PersonalTokenRow> for PersonalToken {
    type Error = Inconsistency;

    fn try_from(row: PersonalTokenRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "personal_tokens", key: row.id };
        Ok(Self {
            id: PersonalTokenId(row.id),
            user: UserId(row.user_id),
            description: at.column("description", Description::new(&row.description))?,
            expires_at: at.moment("expires_at", row.expires_at)?,
            created_at: at.moment("created_at", row.created_at)?,
            seen_at: at.optional_moment("seen_at", row.seen_at)?,
        })
    }
}

/// A new row of `personal_tokens`. Nothing of the secret but its digest.
#[derive(Insertable)]
#[diesel(table_name = personal_tokens)]
pub(crate) struct NewPersonalTokenRow<'a> {
    user_id: i64,
    description: &'a str,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    expires_at: i64,
    created_at: i64,
}

impl<'a> NewPersonalTokenRow<'a> {
    pub(crate) fn new(token: &'a NewPersonalToken, secret: &'a SecretRecord) -> Self {
        Self {
            user_id: token.user.0,
            description: token.description.as_str(),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            expires_at: token.expires_at.millis(),
            created_at: token.created_at.millis(),
        }
    }
}
