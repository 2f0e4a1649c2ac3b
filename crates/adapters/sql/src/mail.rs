//! Mail: the statements that both stores run.

#![expect(
    missing_docs,
    clippy::must_use_candidate,
    reason = "`auto_type` makes a type alias, and a statement must be used anyway"
)]

use diesel::{ExpressionMethods, QueryDsl, dsl::auto_type};
use latchkey_domain::DeliveryState;

use crate::{
    columns::{DbInt, DbTime},
    schema::{mail_digests, mail_items},
};

/// The number of digests that are deleted at once, so that others can write in between.
pub const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Makes sure that there is the digest of the recipient `$1` and the day `$2`, and holds it: no other transaction claims it meanwhile.
/// It affects no row if that digest was tried to be sent. Further binds are the address, the message id and when it is due.
pub const OPEN_DIGEST: &str = "\
    INSERT INTO mail_digests AS kept (recipient, day, address, message_id, state, attempts, due_at, next_at) \
    VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5) \
    ON CONFLICT (recipient, day) DO UPDATE SET address = kept.address WHERE kept.attempts = 0";

/// Finds a waiting digest whose last attempt has this number.
#[auto_type]
pub fn attempted_digest(recipient: String, day: DbInt, number: DbInt) -> _ {
    let waiting: &'static str = DeliveryState::Waiting.as_str();
    mail_digests::table
        .find((recipient, day))
        .filter(mail_digests::state.eq(waiting))
        .filter(mail_digests::attempts.eq(number))
}

/// Finds the digests that are due and were not sent.
#[auto_type]
pub fn due_digests(now: DbTime) -> _ {
    let waiting: &'static str = DeliveryState::Waiting.as_str();
    mail_digests::table.filter(mail_digests::state.eq(waiting)).filter(mail_digests::due_at.le(now))
}

/// Finds the items of a digest.
#[auto_type]
pub fn items_of(recipient: String, day: DbInt) -> _ {
    mail_items::table.filter(mail_items::recipient.eq(recipient)).filter(mail_items::day.eq(day))
}
