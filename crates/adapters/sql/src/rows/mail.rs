//! Digests of events for recipients of mail.

use diesel::{AsChangeset, Insertable, Queryable, QueryableByName, Selectable};
use latchkey_domain::{Day, Email, EventId};
use latchkey_ports::{DigestId, Inconsistency, MailAttempt, MailDigest, MailItem, NewMail};

use super::{Row, all};
use crate::{
    columns::{DbInt, DbTime, Int, UtcTime},
    schema::{mail_digests, mail_items},
};

/// Returns the day as stores keep it.
#[must_use]
pub fn day_number(Day(day): Day) -> DbInt {
    DbInt(day.into())
}

/// A row of `mail_digests` that was claimed.
#[derive(Debug, Clone, QueryableByName)]
pub struct DigestRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub recipient: String,
    #[diesel(sql_type = Int)]
    pub day: DbInt,
    #[diesel(sql_type = diesel::sql_types::Text)]
    address: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    message_id: String,
    #[diesel(sql_type = Int)]
    attempts: DbInt,
    #[diesel(sql_type = UtcTime)]
    began_at: DbTime,
}

/// A row of `mail_items` without its key.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = mail_items)]
pub struct MailItemRow {
    event_id: i64,
    at: DbTime,
    text: String,
}

impl TryFrom<MailItemRow> for MailItem {
    type Error = Inconsistency;

    fn try_from(row: MailItemRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "mail_items", key: row.event_id };
        Ok(Self { event: EventId(row.event_id), at: at.time("at", row.at)?, text: row.text })
    }
}

impl DigestRow {
    /// Returns the digest with its first items, and the number of all that it has.
    ///
    /// # Errors
    /// The [`Inconsistency`] of the first column that has one.
    pub fn with_items(self, items: Vec<MailItemRow>, number: i64) -> Result<MailDigest, Inconsistency> {
        let at = Row { table: "mail_digests", key: format!("{}, {}", self.recipient, self.day.0) };
        let items: Vec<MailItem> = all(items)?;
        let shown = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let day = Day(at.column("day", u32::try_from(self.day.0))?);
        Ok(MailDigest {
            id: DigestId { recipient: at.column("address", Email::new(&self.address))?, day },
            message_id: self.message_id,
            attempts: at.column("attempts", u32::try_from(self.attempts.0))?,
            began_at: at.time("began_at", self.began_at)?,
            items,
            left_out: at.count("items", number.saturating_sub(shown))?,
        })
    }
}

/// A new row of `mail_items`.
#[derive(Insertable)]
#[diesel(table_name = mail_items)]
pub struct NewMailItemRow<'a> {
    recipient: &'a str,
    day: DbInt,
    event_id: i64,
    at: DbTime,
    text: &'a str,
}

/// Returns the rows of the items of a mail, for the digest of this recipient and day.
#[must_use]
pub fn mail_items<'a>(recipient: &'a str, day: Day, mail: &'a NewMail) -> Vec<NewMailItemRow<'a>> {
    let row = |item: &'a MailItem| NewMailItemRow {
        recipient,
        day: day_number(day),
        event_id: item.event.0,
        at: item.at.into(),
        text: &item.text,
    };
    mail.items.iter().map(row).collect()
}

/// The columns of `mail_digests` that the end of an attempt sets.
#[derive(AsChangeset)]
#[diesel(table_name = mail_digests, treat_none_as_null = true)]
pub struct EndedMailRow<'a> {
    state: &'static str,
    next_at: Option<DbTime>,
    ended_at: Option<DbTime>,
    error: Option<&'a str>,
}

impl<'a> From<&'a MailAttempt> for EndedMailRow<'a> {
    fn from(attempt: &'a MailAttempt) -> Self {
        let next_at = attempt.outcome.next_at();
        Self {
            state: attempt.outcome.state().as_str(),
            next_at: next_at.map(DbTime::from),
            ended_at: next_at.is_none().then_some(attempt.ended_at.into()),
            error: attempt.error.as_deref(),
        }
    }
}
