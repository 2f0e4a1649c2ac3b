//! The port of mail.

use async_trait::async_trait;
use diesel::{
    QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, insert_into, sql_query,
    sql_types::{BigInt, Text},
    update,
};
use latchkey_domain::Timestamp;
use latchkey_ports::{ConsumerMove, DigestDay, MailAttempt, MailDigest, MailRepository, NewMail, StoreError};
use latchkey_sql::{
    columns::{DbInt, DbTime, Int, UtcTime},
    errors::DbError,
    mail::{FORGOTTEN_AT_ONCE, OPEN_DIGEST, attempted_digest, due_digests, items_of},
    rows::{DigestRow, EndedMailRow, MailItemRow, day_number, mail_items as item_rows},
    schema::mail_items,
};

use crate::{SqliteStore, event_consumers::move_consumer};

/// The binds are when the claim ends, the present twice, and the number.
const CLAIM: &str = "\
    UPDATE mail_digests SET next_at = ?, attempts = attempts + 1, began_at = coalesce(began_at, ?) \
    WHERE (recipient, day) IN (\
        SELECT recipient, day FROM mail_digests WHERE state = 'waiting' AND next_at <= ? \
        ORDER BY next_at, recipient LIMIT ?) \
    RETURNING *";
const FORGET: &str = "\
    DELETE FROM mail_digests WHERE (recipient, day) IN (\
        SELECT recipient, day FROM mail_digests WHERE state <> 'waiting' AND ended_at < ? LIMIT ?)";

#[async_trait]
impl MailRepository for SqliteStore {
    async fn file_mails(
        &self,
        step: ConsumerMove,
        day: DigestDay,
        mails: &[NewMail],
    ) -> Result<bool, StoreError> {
        let mails = mails.to_vec();
        self.write(move |connection| {
            if !move_consumer(connection, step)? {
                return Ok(false);
            }
            for mail in &mails {
                file(connection, day, mail)?;
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
        self.write(move |connection| {
            let claimed: Vec<DigestRow> = sql_query(CLAIM)
                .bind::<UtcTime, _>(DbTime::from(until))
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<BigInt, _>(i64::from(limit))
                .load(connection)?;
            claimed.into_iter().map(|digest| with_items(connection, digest)).collect()
        })
        .await
    }

    async fn end_mail_attempt(&self, attempt: &MailAttempt) -> Result<bool, StoreError> {
        let attempt = attempt.clone();
        self.write(move |connection| {
            let id = &attempt.digest;
            let claimed =
                attempted_digest(id.recipient.key(), day_number(id.day), DbInt(attempt.number.into()));
            Ok(update(claimed).set(EndedMailRow::from(&attempt)).execute(connection)? > 0)
        })
        .await
    }

    async fn forget_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget(move |connection| {
            let portion = sql_query(FORGET)
                .bind::<UtcTime, _>(DbTime::from(before))
                .bind::<BigInt, _>(FORGOTTEN_AT_ONCE);
            Ok(portion.execute(connection)?)
        })
        .await
    }

    async fn count_due_digests(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.read(move |connection| {
            let count: i64 = due_digests(DbTime::from(now)).count().get_result(connection)?;
            Ok(count.unsigned_abs())
        })
        .await
    }
}

fn file(
    connection: &mut SqliteConnection,
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
            .execute(connection)?;
        if opened > 0 {
            break;
        }
        day = day.next();
    }
    for row in item_rows(&recipient, day, mail) {
        insert_into(mail_items::table).values(row).on_conflict_do_nothing().execute(connection)?;
    }
    Ok(())
}

fn with_items(connection: &mut SqliteConnection, digest: DigestRow) -> Result<MailDigest, DbError> {
    let items = || items_of(digest.recipient.clone(), digest.day);
    let number: i64 = items().count().get_result(connection)?;
    let first: Vec<MailItemRow> = items()
        .order(mail_items::event_id)
        .limit(MailDigest::MAX_ITEMS.into())
        .select(MailItemRow::as_select())
        .load(connection)?;
    Ok(digest.with_items(first, number)?)
}
