//! Personal access tokens.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{Description, NewPersonalToken, PersonalToken, PersonalTokenId, UserId};
use latchkey_ports::{Inconsistency, SecretRecord};

use super::Row;
use crate::schema::personal_tokens;

/// A row of `personal_tokens`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = personal_tokens, check_for_backend(Pg))]
pub(crate) struct PersonalTokenRow {
    id: i64,
    user_id: i64,
    description: String,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    seen_at: Option<DateTime<Utc>>,
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
            last_used_at: at.optional_moment("seen_at", row.seen_at)?,
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
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl<'a> NewPersonalTokenRow<'a> {
    pub(crate) fn new(token: &'a NewPersonalToken, secret: &'a SecretRecord) -> Self {
        Self {
            user_id: token.user.0,
            description: token.description.as_str(),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            expires_at: token.expires_at.to_datetime(),
            created_at: token.created_at.to_datetime(),
        }
    }
}
