//! The secrets of API tokens, and secrets by master key.

use diesel::{
    AsChangeset, Insertable, Queryable, QueryableByName, Selectable,
    sql_types::{BigInt, Binary},
};
use latchkey_domain::{Timestamp, TokenId};
use latchkey_ports::{
    Inconsistency, KeyId, SecretCount, SecretDigest, SecretForm, SecretRecord, SecretsByKey, TokenSecrets,
};

use super::Row;
use crate::{
    columns::{Bytes, DbId, DbTime},
    schema::{api_tokens, retired_secrets},
};

/// The columns of `api_tokens` that hold secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct TokenSecretsRow {
    pub(super) id: DbId,
    pub(super) secret_digest: Bytes<32>,
    pub(super) secret_key: Bytes<4>,
    pub(super) secret_sealed: Option<Vec<u8>>,
    pub(super) alias_digest: Option<Bytes<32>>,
    pub(super) alias_key: Option<Bytes<4>>,
    pub(super) alias_sealed: Option<Vec<u8>>,
}

impl TryFrom<TokenSecretsRow> for TokenSecrets {
    type Error = Inconsistency;

    fn try_from(row: TokenSecretsRow) -> Result<Self, Inconsistency> {
        let token = TokenId::from_uuid(row.id.0);
        let at = Row { table: "api_tokens", key: token };
        let secret = SecretRecord {
            digest: SecretDigest(at.bytes("secret_digest", row.secret_digest)?),
            key: KeyId(at.bytes("secret_key", row.secret_key)?),
            sealed: row.secret_sealed.map(Vec::into_boxed_slice),
        };
        let alias = match (row.alias_digest, row.alias_key) {
            (None, None) => None,
            (Some(digest), Some(key)) => Some(SecretRecord {
                digest: SecretDigest(at.bytes("alias_digest", digest)?),
                key: KeyId(at.bytes("alias_key", key)?),
                sealed: row.alias_sealed.map(Vec::into_boxed_slice),
            }),
            _ => return Err(at.inconsistency("alias_key", "an alias is a digest and a key")),
        };
        Ok(Self { token, secret, alias })
    }
}

/// The columns of `api_tokens` that a new secret sets.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true)]
pub struct ChangedSecretRow<'a> {
    #[diesel(column_name = secret_digest)]
    digest: &'a [u8],
    #[diesel(column_name = secret_key)]
    key: &'a [u8],
    #[diesel(column_name = secret_sealed)]
    sealed: Option<&'a [u8]>,
}

impl<'a> From<&'a SecretRecord> for ChangedSecretRow<'a> {
    fn from(secret: &'a SecretRecord) -> Self {
        Self { digest: &secret.digest.0, key: &secret.key.0, sealed: secret.sealed.as_deref() }
    }
}

/// A row of `retired_secrets`.
#[derive(Insertable)]
#[diesel(table_name = retired_secrets)]
pub struct RetiredSecretRow {
    secret_digest: Vec<u8>,
    secret_key: Vec<u8>,
    token_id: DbId,
    good_until: DbTime,
}

impl RetiredSecretRow {
    /// Returns the row of the token's secret of this digest and key, which stays good until a moment.
    #[must_use]
    pub fn new(token: TokenId, (digest, key): (Vec<u8>, Vec<u8>), good_until: Timestamp) -> Self {
        let (token_id, good_until) = (token.into(), good_until.into());
        Self { secret_digest: digest, secret_key: key, token_id, good_until }
    }
}

/// Converts the moment until which a retired secret of the token is good.
///
/// # Errors
/// [`Inconsistency`].
pub fn retired_secret_end(token: TokenId, good_until: DbTime) -> Result<Timestamp, Inconsistency> {
    Row { table: "retired_secrets", key: token }.time("good_until", good_until)
}

/// How many secrets are in one form under one master key.
#[derive(QueryableByName)]
pub struct SecretCountRow {
    /// The index of the form in [`SecretForm::ALL`].
    #[diesel(sql_type = BigInt)]
    form: i64,
    #[diesel(sql_type = Binary)]
    key: Bytes<4>,
    #[diesel(sql_type = BigInt)]
    good: i64,
    #[diesel(sql_type = BigInt)]
    ended: i64,
}

/// Converts the counts of secrets by form and master key.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn secrets_by_key(rows: Vec<SecretCountRow>) -> Result<SecretsByKey, Inconsistency> {
    let count = |row: SecretCountRow| {
        let at = Row { table: "all tables with secrets", key: "of one key" };
        let form = SecretForm::numbered(row.form).ok_or_else(|| at.inconsistency("form", row.form))?;
        let key = KeyId(at.bytes("secret_key", row.key)?);
        let (good, ended) = (at.count("good", row.good)?, at.count("ended", row.ended)?);
        Ok(((key, form), SecretCount { good, ended }))
    };
    rows.into_iter().map(count).collect()
}
