//! Mail: the statements that both stores run.

/// The number of digests that are deleted at once, so that others can write in between.
pub const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Makes sure that there is the digest of the recipient `$1` and the day `$2`, and holds it: no other transaction claims it meanwhile.
/// It affects no row if that digest was tried to be sent. Further binds are the address, the message id and when it is due.
pub const OPEN_DIGEST: &str = "\
    INSERT INTO mail_digests AS kept (recipient, day, address, message_id, state, attempts, due_at, next_at) \
    VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5) \
    ON CONFLICT (recipient, day) DO UPDATE SET address = kept.address WHERE kept.attempts = 0";
