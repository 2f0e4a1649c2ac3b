//! What is kept of secrets, by master key.

use diesel::{
    Queryable, QueryableByName, Selectable,
    pg::Pg,
    sql_types::{BigInt, Binary},
};
use latchkey_domain::TokenId;
use latchkey_ports::{
    Inconsistency, KeyId, SecretCount, SecretDigest, SecretForm, SecretRecord, SecretsByKey, TokenSecrets,
};
use uuid::Uuid;

use super::{Row, columns::Bytes};
use crate::schema::api_tokens;

/// The part of a row of `api_tokens` that is about secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(Pg))]
pub(crate) struct TokenSecretsRow {
    id: Uuid,
    secret_digest: Bytes<32>,
    secret_key: Bytes<4>,
    secret_sealed: Option<Vec<u8>>,
    alias_digest: Option<Bytes<32>>,
    alias_key: Option<Bytes<4>>,
    alias_sealed: Option<Vec<u8>>,
}

impl TryFrom<TokenSecretsRow> for TokenSecrets {
    type Error = Inconsistency;

    fn try_from(row: TokenSecretsRow) -> Result<Self, Inconsistency> {
        let token = TokenId::from_uuid(row.id);
        let at = Row { table: "api_tokens", key: token };
        let secret = (row.secret_digest, row.secret_key, row.secret_sealed);
        let (secret, alias) = records(&at, secret, (row.alias_digest, row.alias_key, row.alias_sealed))?;
        Ok(Self { token, secret, alias })
    }
}

/// What is kept of a token's secret and of its alias: digest, key and sealed copy of each.
pub(super) fn records(
    at: &Row<TokenId>,
    (digest, key, sealed): (Bytes<32>, Bytes<4>, Option<Vec<u8>>),
    alias: (Option<Bytes<32>>, Option<Bytes<4>>, Option<Vec<u8>>),
) -> Result<(SecretRecord, Option<SecretRecord>), Inconsistency> {
    let secret = SecretRecord {
        digest: SecretDigest(at.column("secret_digest", digest.0)?),
        key: KeyId(at.column("secret_key", key.0)?),
        sealed: sealed.map(Vec::into_boxed_slice),
    };
    let alias = match alias {
        (None, None, _) => None,
        (Some(digest), Some(key), sealed) => Some(SecretRecord {
            digest: SecretDigest(at.column("alias_digest", digest.0)?),
            key: KeyId(at.column("alias_key", key.0)?),
            sealed: sealed.map(Vec::into_boxed_slice),
        }),
        _ => return Err(at.inconsistency("alias_key", "an alias is a digest and a key")),
    };
    Ok((secret, alias))
}

/// A secret that is under its new key, by the digest that it had.
#[derive(QueryableByName)]
pub(crate) struct RekeyedRow {
    #[diesel(sql_type = Binary)]
    old: Bytes<32>,
}

impl TryFrom<RekeyedRow> for SecretDigest {
    type Error = Inconsistency;

    fn try_from(row: RekeyedRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "all that hold secrets", key: "that was rekeyed" };
        at.column("secret_digest", row.old.0).map(Self)
    }
}

/// How many secrets are in one form under one key.
#[derive(QueryableByName)]
pub(crate) struct SecretCountRow {
    /// The place of the form in [`SecretForm::ALL`].
    #[diesel(sql_type = BigInt)]
    form: i64,
    #[diesel(sql_type = Binary)]
    key: Bytes<4>,
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
        let key = KeyId(at.column("secret_key", row.key.0)?);
        let (good, ended) = (at.number("good", row.good)?, at.number("ended", row.ended)?);
        Ok(((key, form), SecretCount { good, ended }))
    };
    rows.into_iter().map(count).collect()
}
