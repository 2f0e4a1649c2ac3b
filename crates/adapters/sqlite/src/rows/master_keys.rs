//! What is kept of secrets, by master key.

use diesel::{
    Queryable, QueryableByName, Selectable,
    sql_types::{BigInt, Binary},
    sqlite::Sqlite,
};
use latchkey_domain::TokenId;
use latchkey_ports::{
    Inconsistency, KeyId, SecretCount, SecretForm, SecretRecord, SecretsByKey, TokenSecrets,
};
use uuid::Uuid;

use super::Row;
use crate::schema::api_tokens;

/// The part of a row of `api_tokens` that is about secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(Sqlite))]
pub(crate) struct TokenSecretsRow {
    pub(super) id: Vec<u8>,
    secret_digest: Vec<u8>,
    secret_key: Vec<u8>,
    secret_sealed: Option<Vec<u8>>,
    alias_digest: Option<Vec<u8>>,
    alias_key: Option<Vec<u8>>,
    alias_sealed: Option<Vec<u8>>,
}

impl TryFrom<TokenSecretsRow> for TokenSecrets {
    type Error = Inconsistency;

    fn try_from(row: TokenSecretsRow) -> Result<Self, Inconsistency> {
        let unreadable = Row { table: "api_tokens", key: "of an unreadable id" };
        let token = TokenId::from_uuid(Uuid::from_bytes(unreadable.bytes("id", &row.id)?));
        let at = Row { table: "api_tokens", key: token };
        let secret = SecretRecord {
            digest: at.digest("secret_digest", &row.secret_digest)?,
            key: KeyId(at.bytes("secret_key", &row.secret_key)?),
            sealed: row.secret_sealed.map(Vec::into_boxed_slice),
        };
        let alias = match (row.alias_digest, row.alias_key) {
            (None, None) => None,
            (Some(digest), Some(key)) => Some(SecretRecord {
                digest: at.digest("alias_digest", &digest)?,
                key: KeyId(at.bytes("alias_key", &key)?),
                sealed: row.alias_sealed.map(Vec::into_boxed_slice),
            }),
            _ => return Err(at.inconsistency("alias_key", "an alias is a digest and a key")),
        };
        Ok(Self { token, secret, alias })
    }
}

/// How many secrets are in one form under one key.
#[derive(QueryableByName)]
pub(crate) struct SecretCountRow {
    /// The place of the form in [`SecretForm::ALL`].
    #[diesel(sql_type = BigInt)]
    form: i64,
    #[diesel(sql_type = Binary)]
    key: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    good: i64,
    #[diesel(sql_type = BigInt)]
    ended: i64,
}

/// What those rows count.
pub(crate) fn secrets_by_key(rows: Vec<SecretCountRow>) -> Result<SecretsByKey, Inconsistency> {
    let count = |row: SecretCountRow| {
        let at = Row { table: "all that hold secrets", key: "of one key" };
        let form = SecretForm::numbered(row.form).ok_or_else(|| at.inconsistency("form", row.form))?;
        let key = KeyId(at.bytes("secret_key", &row.key)?);
        let good = at.number("good", Some(row.good))?;
        Ok(((key, form), SecretCount { good, ended: at.number("ended", Some(row.ended))? }))
    };
    rows.into_iter().map(count).collect()
}
