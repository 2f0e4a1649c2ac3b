//! The port of notices.

use async_trait::async_trait;
use diesel::{
    QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, insert_into, select, sql_query, sql_types::Text,
};
use latchkey_domain::{EventId, Notice, Timestamp};
use latchkey_ports::{NewNotice, NoticeRepository, StoreError};
use latchkey_sql::{
    columns::DbId,
    errors::DbError,
    rows::{NewNoticeRow, NoticeRow, notice_times},
    schema::{api_tokens, notices},
};
use serde_json::{Value, json};

use crate::{SqliteStore, events::record};

/// The one bind is JSON: `[["<id in hex>", "<notice>"], …]`.
const FIND: &str = "\
    SELECT token_id, notice, at FROM notices \
    WHERE (token_id, notice) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?))";

#[async_trait]
impl NoticeRepository for SqliteStore {
    async fn record_notices(&self, notices: &[NewNotice]) -> Result<Vec<Option<EventId>>, StoreError> {
        let notices = notices.to_vec();
        self.write(move |connection| notices.iter().map(|notice| record_once(connection, notice)).collect())
            .await
    }

    async fn notice_times(&self, notices: &[Notice]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let notices = notices.to_vec();
        self.read(move |connection| {
            let key = |notice: &Notice| {
                json!([notice.token.as_uuid().simple().to_string(), notice.cause.to_string()])
            };
            let keys = Value::from(notices.iter().map(key).collect::<Vec<_>>()).to_string();
            let found: Vec<NoticeRow> = sql_query(FIND).bind::<Text, _>(keys).load(connection)?;
            Ok(notice_times(&notices, found)?)
        })
        .await
    }
}

/// Records a notice with its event, if it was not recorded before and its token is there.
fn record_once(connection: &mut SqliteConnection, new: &NewNotice) -> Result<Option<EventId>, DbError> {
    let token = api_tokens::table.find(DbId::from(new.notice.token));
    if !select(exists(token)).get_result::<bool>(connection)? {
        return Ok(None);
    }
    let row = NewNoticeRow::from(new);
    let added = insert_into(notices::table).values(row).on_conflict_do_nothing().execute(connection)?;
    if added == 0 { Ok(None) } else { record(connection, &new.event).map(Some) }
}
