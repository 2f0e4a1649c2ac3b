//! The port of mail.

use async_trait::async_trait;
use diesel::{
    QueryDsl, SelectableHelper, insert_into, sql_query,
    sql_types::{BigInt, Text},
    update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::Timestamp;
use latchkey_ports::{ConsumerMove, DigestDay, MailAttempt, MailDigest, MailRepository, NewMail, StoreError};
use latchkey_sql::{
    columns::{DbInt, DbTime, Int, UtcTime},
    errors::{DbError, store_error},
    mail::{FORGOTTEN_AT_ONCE, OPEN_DIGEST, attempted_digest, due_digests, items_of},
    rows::{DigestRow, EndedMailRow, MailItemRow, day_number, mail_items as item_rows},
    schema::mail_items,
};

use crate::{PostgresStore, connection::Connection, event_consumers::move_consumer, insertion::portions};

/// Digests that another process claims, ends or adds to at this moment are skipped.
const CLAIM: &str = "\
    WITH due AS (\
        SELECT recipient, day FROM mail_digests WHERE state = 'waiting' AND next_at <= $1 \
        ORDER BY next_at, recipient LIMIT $2 FOR UPDATE SKIP LOCKED) \
    UPDATE mail_digests AS claimed \
    SET next_at = $3, attempts = claimed.attempts + 1, began_at = coalesce(claimed.began_at, $1) FROM due \
    WHERE claimed.recipient = due.recipient AND claimed.day = due.day RETURNING claimed.*";
const FORGET: &str = "\
    WITH old AS (\
        SELECT recipient, day FROM mail_digests WHERE state <> 'waiting' AND ended_at < $1 LIMIT $2 \
        FOR UPDATE SKIP LOCKED) \
    DELETE FROM mail_digests AS kept USING old WHERE kept.recipient = old.recipient AND kept.day = old.day";

#[async_trait]
impl MailRepository for PostgresStore {
    async fn file_mails(
        &self,
        step: ConsumerMove,
        day: DigestDay,
        mails: &[NewMail],
    ) -> Result<bool, StoreError> {
        let mails = mails.to_vec();
        self.write(async move |connection| {
            // Others that would file wait here, so that of two transactions that hold digests one only claims, and waits for none.
            if !move_consumer(connection, step).await? {
                return Ok(false);
            }
            for mail in &mails {
                file(connection, day, mail).await?;
            }
            Ok(true)
        })
        .await
    }

    async fn claim_digests(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MailDigest>, StoreError> {
        self.write(async move |connection| {
            let claimed: Vec<DigestRow> = sql_query(CLAIM)
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<BigInt, _>(i64::from(limit))
                .bind::<UtcTime, _>(DbTime::from(until))
                .load(connection)
                .await?;
            let mut digests = Vec::with_capacity(claimed.len());
            for digest in claimed {
                digests.push(with_items(connection, digest).await?);
            }
            Ok(digests)
        })
        .await
    }

    async fn end_mail_attempt(&self, attempt: &MailAttempt) -> Result<bool, StoreError> {
        let id = &attempt.digest;
        let claimed = attempted_digest(id.recipient.key(), day_number(id.day), DbInt(attempt.number.into()));
        Ok(self.execute(update(claimed).set(EndedMailRow::from(attempt))).await? > 0)
    }

    async fn forget_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget(|| {
            sql_query(FORGET).bind::<UtcTime, _>(DbTime::from(before)).bind::<BigInt, _>(FORGOTTEN_AT_ONCE)
        })
        .await
    }

    async fn count_due_digests(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let due = due_digests(DbTime::from(now));
        let count: i64 = due.count().get_result(&mut connection).await.map_err(store_error)?;
        Ok(count.unsigned_abs())
    }
}

async fn file(
    connection: &mut Connection,
    DigestDay { first, at }: DigestDay,
    mail: &NewMail,
) -> Result<(), DbError> {
    let (recipient, mut day) = (mail.recipient.key(), first);
    loop {
        let opened = sql_query(OPEN_DIGEST)
            .bind::<Text, _>(&recipient)
            .bind::<Int, _>(day_number(day))
            .bind::<Text, _>(mail.recipient.as_str())
            .bind::<Text, _>(&mail.message_id)
            .bind::<UtcTime, _>(DbTime::from(at.on(day)))
            .execute(connection)
            .await?;
        if opened > 0 {
            break;
        }
        day = day.next();
    }
    for some in portions(item_rows(&recipient, day, mail)) {
        insert_into(mail_items::table).values(some).on_conflict_do_nothing().execute(connection).await?;
    }
    Ok(())
}

async fn with_items(connection: &mut Connection, digest: DigestRow) -> Result<MailDigest, DbError> {
    let items = || items_of(digest.recipient.clone(), digest.day);
    let number: i64 = items().count().get_result(connection).await?;
    let first: Vec<MailItemRow> = items()
        .order(mail_items::event_id)
        .limit(MailDigest::MAX_ITEMS.into())
        .select(MailItemRow::as_select())
        .load(connection)
        .await?;
    Ok(digest.with_items(first, number)?)
}
