//! Views, which are only read.

use super::Keyed;

tables! {
    /// PostgreSQL only, a view: `api_tokens`, with the projects that each token names.
    token_rows (id) {
        id -> Id,
        name -> Text,
        kind -> Text,
        all_projects -> Bool,
        environment -> Nullable<Text>,
        expires_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        seen_at -> Nullable<UtcTime>,
        secret_digest -> Binary,
        secret_key -> Binary,
        secret_sealed -> Nullable<Binary>,
        alias_digest -> Nullable<Binary>,
        alias_key -> Nullable<Binary>,
        alias_sealed -> Nullable<Binary>,
        attributes -> Json,
        selector -> Nullable<Text>,
        project_ids -> Array<Text>,
        /// False only for a token that names one project, or none.
        may_name_several -> Bool,
        /// Whether the attributes do not say that it is disabled.
        enabled -> Bool,
        /// The owner in the attributes.
        owner -> Nullable<Text>,
    }
}
