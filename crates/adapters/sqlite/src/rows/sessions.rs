//! Sessions, and failures to sign in.

use diesel::{Insertable, Queryable, Selectable, sqlite::Sqlite};
use latchkey_domain::{LoginFailures, Origin, Session, SessionId, UserId};
use latchkey_ports::{Inconsistency, LoginKey, SecretRecord};
use uuid::Uuid;

use super::Row;
use crate::schema::{login_failures, sessions};

/// A row of `sessions`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Sqlite))]
pub(crate) struct SessionRow {
    id: Vec<u8>,
    user_id: i64,
    created_at: i64,
    expires_at: i64,
    address: Option<String>,
    user_agent: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Inconsistency;

    fn try_from(row: SessionRow) -> Result<Self, Inconsistency> {
        let unreadable = Row { table: "sessions", key: "of an unreadable id" };
        let id = SessionId(Uuid::from_bytes(unreadable.bytes("id", &row.id)?));
        let at = Row { table: "sessions", key: id };
        let address = row.address.as_deref().map(str::parse).transpose();
        Ok(Self {
            id,
            user: UserId(row.user_id),
            created_at: at.moment("created_at", row.created_at)?,
            expires_at: at.moment("expires_at", row.expires_at)?,
            origin: Origin { address: at.column("address", address)?, user_agent: row.user_agent },
        })
    }
}

/// A new row of `sessions`. Nothing of the secret but its digest.
#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct NewSessionRow<'a> {
    id: &'a [u8],
    user_id: i64,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    created_at: i64,
    expires_at: i64,
    address: Option<String>,
    user_agent: Option<&'a str>,
}

impl<'a> NewSessionRow<'a> {
    pub(crate) fn new(session: &'a Session, secret: &'a SecretRecord) -> Self {
        Self {
            id: session.id.0.as_bytes(),
            user_id: session.user.0,
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            created_at: session.created_at.millis(),
            expires_at: session.expires_at.millis(),
            address: session.origin.address.map(|address| address.to_string()),
            user_agent: session.origin.user_agent.as_deref(),
        }
    }
}

/// The key of a row of `login_failures`: its kind and its text.
pub(crate) fn login_key(key: &LoginKey) -> (&'static str, String) {
    match key {
        LoginKey::Account(name) => ("account", name.clone()),
        LoginKey::Address(address) => ("address", address.to_string()),
        // No address has a blank, so no two pairs have one text.
        LoginKey::AccountFrom(name, address) => ("account-from", format!("{address} {name}")),
    }
}

/// A row of `login_failures`, without its key.
#[derive(Queryable, Selectable)]
#[diesel(table_name = login_failures, check_for_backend(Sqlite))]
pub(crate) struct LoginFailuresRow {
    count: i64,
    last_at: i64,
}

impl LoginFailuresRow {
    /// The failures of that key.
    pub(crate) fn of(self, key: &str) -> Result<LoginFailures, Inconsistency> {
        let at = Row { table: "login_failures", key };
        let count = at.column("count", u32::try_from(self.count))?;
        Ok(LoginFailures { count, last_at: at.moment("last_at", self.last_at)? })
    }
}
