//! The port of notices.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::{
    sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, Notice, Timestamp};
use latchkey_ports::{NewNotice, NoticeRepository, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime, Id, UtcTime},
    errors::{DbError, store_error},
    rows::{NoticeRow, notice_times},
};

use crate::{
    PostgresStore,
    connection::Connection,
    events::record_all,
    locks::{lock_tokens, share_event_log},
};

/// The tokens are locked, so no other transaction adds one of these keys at the same time. A key that is named twice is added once.
const ADD: &str = "\
    INSERT INTO notices (token_id, notice, at) SELECT * FROM unnest($1, $2, $3) \
    ON CONFLICT DO NOTHING RETURNING token_id, notice, at";
const FIND: &str = "\
    SELECT token_id, notice, at FROM notices WHERE (token_id, notice) IN (SELECT * FROM unnest($1, $2))";

#[async_trait]
impl NoticeRepository for PostgresStore {
    async fn record_notices(&self, notices: &[NewNotice]) -> Result<Vec<Option<EventId>>, StoreError> {
        let notices = notices.to_vec();
        self.write(async move |connection| record_once(connection, &notices).await).await
    }

    async fn notice_times(&self, notices: &[Notice]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let ids: Vec<DbId> = notices.iter().map(|notice| notice.token.into()).collect();
        let keys: Vec<String> = notices.iter().map(|notice| notice.cause.to_string()).collect();
        let mut connection = self.connection().await?;
        let statement = sql_query(FIND).bind::<Array<Id>, _>(ids).bind::<Array<Text>, _>(keys);
        let found: Vec<NoticeRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(notice_times(notices, found)?)
    }
}

async fn record_once(
    connection: &mut Connection,
    notices: &[NewNotice],
) -> Result<Vec<Option<EventId>>, DbError> {
    let there = lock_tokens(connection, notices.iter().map(|new| new.notice.token)).await?;
    let (mut ids, mut keys, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    for NewNotice { notice, event } in notices {
        if there.contains(&DbId::from(notice.token)) {
            ids.push(DbId::from(notice.token));
            keys.push(notice.cause.to_string());
            moments.push(DbTime::from(event.at));
        }
    }
    let added: Vec<NoticeRow> = sql_query(ADD)
        .bind::<Array<Id>, _>(ids)
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<UtcTime>, _>(moments)
        .load(connection)
        .await?;
    let mut added: HashSet<_> = added.into_iter().map(NoticeRow::into_key).collect();
    if added.is_empty() {
        return Ok(vec![None; notices.len()]);
    }
    let key = |notice: &Notice| (DbId::from(notice.token), notice.cause.to_string());
    let is_new: Vec<bool> = notices.iter().map(|new| added.remove(&key(&new.notice))).collect();
    let events: Vec<_> =
        notices.iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(new, _)| &new.event).collect();
    let writing = share_event_log(connection).await?;
    let mut numbers = record_all(connection, &writing, &events).await?.into_iter();
    Ok(is_new.into_iter().map(|is_new| if is_new { numbers.next() } else { None }).collect())
}
