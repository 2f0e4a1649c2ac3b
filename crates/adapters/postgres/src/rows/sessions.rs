//! Sessions, and failures to begin one.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{LoginFailures, Origin, Session, SessionId, UserId};
use latchkey_ports::{Inconsistency, SecretRecord};
use uuid::Uuid;

use super::Row;
use crate::schema::sessions;

/// A row of `sessions`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Pg))]
pub(crate) struct SessionRow {
    id: Uuid,
    user_id: i64,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<String>,
    user_agent: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Inconsistency;

    fn try_from(row: SessionRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "sessions", key: row.id };
        let address = row.address.as_deref().map(str::parse).transpose();
        Ok(Self {
            id: SessionId(row.id),
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
    id: Uuid,
    user_id: i64,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<String>,
    user_agent: Option<&'a str>,
}

impl<'a> NewSessionRow<'a> {
    pub(crate) fn new(session: &'a Session, secret: &'a SecretRecord) -> Self {
        Self {
            id: session.id.0,
            user_id: session.user.0,
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            created_at: session.created_at.to_datetime(),
            expires_at: session.expires_at.to_datetime(),
            address: session.origin.address.map(|address| address.to_string()),
            user_agent: session.origin.user_agent.as_deref(),
        }
    }
}

/// What a row of `login_failures` counts.
pub(crate) fn login_failures(
    kind: &str,
    count: i64,
    last_at: DateTime<Utc>,
) -> Result<LoginFailures, Inconsistency> {
    let at = Row { table: "login_failures", key: kind };
    let count = at.column("count", u32::try_from(count))?;
    Ok(LoginFailures { count, last_at: at.moment("last_at", last_at)? })
}
