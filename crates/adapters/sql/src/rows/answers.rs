//! Answers that are kept.

use diesel::{Queryable, Selectable};
use latchkey_domain::Timestamp;
use latchkey_ports::{AnswerKey, Inconsistency, KeptAnswer, KeyId, SealedBytes};

use super::Row;
use crate::{
    columns::{Bytes, DbTime},
    schema::idempotency_keys,
};

/// A row of `idempotency_keys`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub struct AnswerRow {
    digest: Bytes<32>,
    fingerprint: Bytes<32>,
    at: DbTime,
    answer_key: Bytes<4>,
    answer_sealed: Vec<u8>,
}

impl TryFrom<AnswerRow> for KeptAnswer {
    type Error = Inconsistency;

    fn try_from(row: AnswerRow) -> Result<Self, Inconsistency> {
        // A digest says nothing to an operator; the moment finds the row.
        let at = Row { table: "idempotency_keys", key: format!("of {} ms", row.at.0) };
        let sealed = row.answer_sealed.into_boxed_slice();
        Ok(Self {
            key: AnswerKey(at.bytes("digest", row.digest)?),
            fingerprint: at.bytes("fingerprint", row.fingerprint)?,
            at: at.time("at", row.at)?,
            body: SealedBytes { key: KeyId(at.bytes("answer_key", row.answer_key)?), sealed },
        })
    }
}

/// Returns the moment from which on answers are kept; earlier ones, and those of that moment, are not.
#[must_use]
pub fn answers_kept_since(now: Timestamp) -> DbTime {
    KeptAnswer::kept_since(now).into()
}
