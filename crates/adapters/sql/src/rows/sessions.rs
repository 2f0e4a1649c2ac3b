//! Sessions, personal access tokens, and failed logins.

use std::net::IpAddr;

use diesel::{Insertable, Queryable, Selectable};
use latchkey_domain::{
    Description, LoginFailures, NewPersonalToken, Origin, PersonalToken, PersonalTokenId, Session, SessionId,
    Timestamp, UserId,
};
use latchkey_ports::{Inconsistency, LoginKey, SecretRecord};

use super::Row;
use crate::{
    columns::{DbId, DbRawText, DbTime, Parsed},
    schema::{login_failures, personal_tokens, sessions},
};

/// A row of `sessions`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    id: DbId,
    user_id: i64,
    created_at: DbTime,
    expires_at: DbTime,
    address: Option<Parsed<IpAddr>>,
    user_agent: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Inconsistency;

    fn try_from(row: SessionRow) -> Result<Self, Inconsistency> {
        let id = SessionId(row.id.0);
        let at = Row { table: "sessions", key: id };
        Ok(Self {
            id,
            user: UserId(row.user_id),
            created_at: at.time("created_at", row.created_at)?,
            expires_at: at.time("expires_at", row.expires_at)?,
            origin: Origin { address: at.optional("address", row.address)?, user_agent: row.user_agent },
        })
    }
}

/// A new row of `sessions`. Of the secret, it has the digest alone.
#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct NewSessionRow<'a> {
    id: DbId,
    user_id: i64,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    created_at: DbTime,
    expires_at: DbTime,
    address: Option<String>,
    user_agent: Option<&'a str>,
}

impl<'a> NewSessionRow<'a> {
    /// Returns the row of a session with this secret.
    #[must_use]
    pub fn new(session: &'a Session, secret: &'a SecretRecord) -> Self {
        Self {
            id: DbId(session.id.0),
            user_id: session.user.0,
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            created_at: session.created_at.into(),
            expires_at: session.expires_at.into(),
            address: session.origin.address.map(|address| address.to_string()),
            user_agent: session.origin.user_agent.as_deref(),
        }
    }
}

/// A row of `personal_tokens`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = personal_tokens)]
pub struct PersonalTokenRow {
    id: i64,
    user_id: i64,
    description: Parsed<Description>,
    expires_at: DbTime,
    created_at: DbTime,
    seen_at: Option<DbTime>,
}

impl TryFrom<PersonalTokenRow> for PersonalToken {
    type Error = Inconsistency;

    fn try_from(row: PersonalTokenRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "personal_tokens", key: row.id };
        Ok(Self {
            id: PersonalTokenId(row.id),
            user: UserId(row.user_id),
            description: at.parsed("description", row.description)?,
            expires_at: at.time("expires_at", row.expires_at)?,
            created_at: at.time("created_at", row.created_at)?,
            last_used_at: at.optional_time("seen_at", row.seen_at)?,
        })
    }
}

/// A new row of `personal_tokens`. Of the secret, it has the digest alone.
#[derive(Insertable)]
#[diesel(table_name = personal_tokens, treat_none_as_default_value = false)]
pub struct NewPersonalTokenRow<'a> {
    user_id: i64,
    description: &'a str,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    expires_at: DbTime,
    created_at: DbTime,
    seen_at: Option<DbTime>,
}

impl<'a> NewPersonalTokenRow<'a> {
    /// Returns the row of a token with this secret.
    #[must_use]
    pub fn new(token: &'a NewPersonalToken, secret: &'a SecretRecord) -> Self {
        Self {
            user_id: token.user.0,
            description: token.description.as_str(),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            expires_at: token.expires_at.into(),
            created_at: token.created_at.into(),
            seen_at: None,
        }
    }

    /// Returns the row of a token that was last used then.
    #[must_use]
    pub fn seen_at(self, last: Option<Timestamp>) -> Self {
        Self { seen_at: last.map(DbTime::from), ..self }
    }
}

/// Returns the key of a row of `login_failures`: its kind and its text.
#[must_use]
pub fn login_key(key: &LoginKey) -> (&'static str, DbRawText) {
    let (kind, text) = match key {
        LoginKey::Account(name) => ("account", name.clone()),
        LoginKey::Address(address) => ("address", address.to_string()),
        // No address contains a space, so the text is unique to the pair.
        LoginKey::AccountFrom(name, address) => ("account-from", format!("{address} {name}")),
    };
    (kind, DbRawText(text))
}

/// Returns the time up to which failed logins are forgotten.
#[must_use]
pub fn login_failures_forgotten(now: Timestamp) -> DbTime {
    let after = i64::try_from(LoginFailures::FORGOTTEN_AFTER.as_millis()).unwrap_or(i64::MAX);
    DbTime(now.millis().saturating_sub(after))
}

/// A row of `login_failures`, without its key.
#[derive(Queryable, Selectable)]
#[diesel(table_name = login_failures)]
pub struct LoginFailuresRow {
    count: i64,
    last_at: DbTime,
}

impl LoginFailuresRow {
    /// Converts the row of a key of this kind. The key itself may be a person's name and is not repeated in an error.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_failures(self, kind: &str) -> Result<LoginFailures, Inconsistency> {
        let at = Row { table: "login_failures", key: kind };
        let count = at.column("count", u32::try_from(self.count))?;
        Ok(LoginFailures { count, last_at: at.time("last_at", self.last_at)? })
    }
}
