//! The query of the hot path on SQLite, written with diesel's query builder. Diesel caches the prepared statements of
//! such queries only, and a floor that prepares its statement for each request would be too slow to compare with.

use diesel::prelude::*;

/// The tables of `migrations/sqlite` that the query reads.
mod tables {
    diesel::table! {
        api_tokens (id) {
            id -> Binary,
            name -> Text,
            kind -> Text,
            all_projects -> Bool,
            named_projects -> BigInt,
            environment -> Nullable<Text>,
            expires_at -> Nullable<BigInt>,
            created_at -> BigInt,
            seen_at -> Nullable<BigInt>,
            secret_digest -> Binary,
            secret_key -> Binary,
            secret_sealed -> Nullable<Binary>,
            alias_digest -> Nullable<Binary>,
            alias_key -> Nullable<Binary>,
            alias_sealed -> Nullable<Binary>,
        }
    }

    diesel::table! {
        api_token_projects (token_id, position) {
            project_id -> Text,
            token_id -> Binary,
            position -> BigInt,
        }
    }

    diesel::joinable!(api_token_projects -> api_tokens (token_id));
    diesel::allow_tables_to_appear_in_same_query!(api_tokens, api_token_projects);
}

use tables::{api_token_projects, api_tokens};

/// The columns that the store reads of a token.
type Row = (
    Vec<u8>,
    String,
    String,
    bool,
    i64,
    Option<String>,
    Option<i64>,
    i64,
    Option<i64>,
    Vec<u8>,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

/// Reads the tokens of a project with all columns that a list needs, and returns their number.
///
/// # Errors
/// When the query fails.
pub fn count_tokens_of_project(connection: &mut SqliteConnection, project: &str) -> QueryResult<usize> {
    let rows: Vec<Row> = api_token_projects::table
        .inner_join(api_tokens::table)
        .filter(api_token_projects::project_id.eq(project))
        .order(api_token_projects::token_id)
        .select(api_tokens::all_columns)
        .load(connection)?;
    Ok(rows.len())
}
