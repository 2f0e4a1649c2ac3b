//! Users and their accounts.

use chrono::{DateTime, Utc};
use diesel::{AsChangeset, Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    AccountKind, Email, NewUser, PasswordHash, PersonName, RoleId, User, UserId, UserIdentity, Username,
};
use latchkey_ports::{Account, Inconsistency};

use super::Row;
use crate::schema::users;

/// A row of `users`, without the password.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub(crate) struct UserRow {
    pub(crate) id: i64,
    username: Option<String>,
    email: Option<String>,
    name: Option<String>,
    account_kind: String,
    root_role_id: i64,
    created_at: DateTime<Utc>,
    seen_at: Option<DateTime<Utc>>,
}

impl TryFrom<UserRow> for User {
    type Error = Inconsistency;

    fn try_from(row: UserRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "users", key: row.id };
        let username = row.username.as_deref().map(Username::new).transpose();
        let email = row.email.as_deref().map(Email::new).transpose();
        let identity = UserIdentity::new(at.column("username", username)?, at.column("email", email)?);
        let name = row.name.as_deref().map(PersonName::new).transpose();
        let kinds = [AccountKind::Person, AccountKind::Service];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == row.account_kind);
        Ok(Self {
            id: UserId(row.id),
            identity: at.column("username", identity)?,
            name: at.column("name", name)?,
            kind: at.column("account_kind", kind.ok_or("must be person or service"))?,
            root_role: RoleId(row.root_role_id),
            created_at: at.moment("created_at", row.created_at)?,
            last_seen_at: at.optional_moment("seen_at", row.seen_at)?,
        })
    }
}

/// A row of `users`, with what is kept of the password.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub(crate) struct AccountRow {
    #[diesel(embed)]
    user: UserRow,
    password_hash: Option<String>,
}

impl AccountRow {
    /// Whether that is the user name.
    pub(crate) fn has_username(&self, name: &str) -> bool {
        self.user.username.as_deref() == Some(name)
    }
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
pub(crate) struct NewUserRow<'a> {
    #[diesel(embed)]
    changeable: ChangedUserRow<'a>,
    account_kind: &'static str,
    created_at: DateTime<Utc>,
    password_hash: Option<&'a str>,
}

impl<'a> NewUserRow<'a> {
    pub(crate) fn new(user: &'a NewUser, password: Option<&'a PasswordHash>) -> Self {
        Self {
            changeable: ChangedUserRow::new(&user.identity, user.name.as_ref(), user.root_role),
            account_kind: user.kind.as_str(),
            created_at: user.created_at.to_datetime(),
            password_hash: password.map(|hash| hash.0.as_ref()),
        }
    }
}

/// What of a row of `users` changes with the user.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct ChangedUserRow<'a> {
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
