//! Tables whose rows are of the moment. No archive has them.

diesel::table! {
    use crate::columns::prelude::*;

    /// The processes that serve the database, as they report themselves.
    replicas (id) {
        id -> Id,
        host -> Text,
        address -> Text,
        version -> Text,
        started_at -> UtcTime,
        seen_at -> UtcTime,
        feed_age_ms -> Nullable<BigInt>,
    }
}
