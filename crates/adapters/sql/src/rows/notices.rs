//! Notices of tokens.

use std::collections::HashMap;

use diesel::{Insertable, QueryableByName, sql_types::Text};
use latchkey_domain::{Notice, Timestamp, TokenId};
use latchkey_ports::{Inconsistency, NewNotice};

use super::Row;
use crate::{
    columns::{DbId, DbTime, Id, UtcTime},
    schema::notices,
};

/// A notice that was recorded.
#[derive(QueryableByName)]
pub struct NoticeRow {
    #[diesel(sql_type = Id)]
    token_id: DbId,
    #[diesel(sql_type = Text)]
    notice: String,
    #[diesel(sql_type = UtcTime)]
    at: DbTime,
}

impl NoticeRow {
    /// Returns the key of the row.
    #[must_use]
    pub fn into_key(self) -> (DbId, String) {
        (self.token_id, self.notice)
    }
}

/// Returns when each of these notices was recorded, by the rows that were found.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn notice_times(
    notices: &[Notice],
    found: Vec<NoticeRow>,
) -> Result<Vec<Option<Timestamp>>, Inconsistency> {
    let mut times = HashMap::with_capacity(found.len());
    for row in found {
        let at = Row { table: "notices", key: TokenId::from_uuid(row.token_id.0) }.time("at", row.at)?;
        times.insert(row.into_key(), at);
    }
    let time = |notice: &Notice| times.get(&(DbId::from(notice.token), notice.cause.to_string())).copied();
    Ok(notices.iter().map(time).collect())
}

/// A new row of `notices`.
#[derive(Insertable)]
#[diesel(table_name = notices)]
pub struct NewNoticeRow {
    token_id: DbId,
    notice: String,
    at: DbTime,
}

impl From<&NewNotice> for NewNoticeRow {
    fn from(NewNotice { notice, event }: &NewNotice) -> Self {
        Self { token_id: notice.token.into(), notice: notice.cause.to_string(), at: event.at.into() }
    }
}
