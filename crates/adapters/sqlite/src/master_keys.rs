//! The port of what is kept under which master key.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select,
    sql_query, update,
};
use latchkey_domain::{PersonalTokenId, SessionId, Timestamp, TokenId};
use latchkey_ports::{
    MasterKeyRepository, Rekeying, SecretDigest, SecretOf, SecretsByKey, StoreError, TokenSecrets,
};
use latchkey_sql::{
    columns::{DbId, DbTime, UtcTime},
    errors::DbError,
    queries,
    rows::{self, ChangedSecretRow, SecretCountRow, TokenSecretsRow},
    schema::{api_tokens, personal_tokens, retired_secrets, sessions},
};
use tracing::instrument;
use uuid::Uuid;

use crate::{SqliteStore, token_writes::is_kept};

#[async_trait]
impl MasterKeyRepository for SqliteStore {
    #[instrument(level = "debug", skip_all)]
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError> {
        self.read(move |connection| {
            // No token has the nil id, which comes before all others.
            let after = DbId(after.map_or(Uuid::nil(), TokenId::as_uuid));
            let rows: Vec<TokenSecretsRow> =
                queries::token_secrets_after(after, limit.into()).load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(secrets = rekeyings.len()))]
    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError> {
        if rekeyings.is_empty() {
            return Ok(Vec::new());
        }
        let rekeyings = rekeyings.to_vec();
        self.write(move |connection| {
            let mut done = Vec::with_capacity(rekeyings.len());
            for rekeying in &rekeyings {
                if rekey(connection, rekeying)? {
                    done.push(rekeying.from);
                }
            }
            Ok(done)
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError> {
        self.read(move |connection| {
            let rows: Vec<SecretCountRow> =
                sql_query(queries::COUNT_SECRETS).bind::<UtcTime, _>(DbTime::from(now)).load(connection)?;
            Ok(rows::secrets_by_key(rows)?)
        })
        .await
    }
}

fn rekey(connection: &mut SqliteConnection, rekeying: &Rekeying) -> Result<bool, DbError> {
    match rekeying.of {
        SecretOf::Token(id) => rekey_token(connection, id, rekeying),
        SecretOf::Alias(id) => rekey_alias(connection, id, rekeying),
        // What has no sealed copy has no room for one either.
        _ if rekeying.to.sealed.is_some() => Ok(false),
        SecretOf::Retired(id) => rekey_retired(connection, id, rekeying),
        SecretOf::PersonalToken(id) => rekey_personal_token(connection, id, rekeying),
        SecretOf::Session(id) => rekey_session(connection, id, rekeying),
    }
}

fn rekey_token(
    connection: &mut SqliteConnection,
    id: TokenId,
    Rekeying { from, to, .. }: &Rekeying,
) -> Result<bool, DbError> {
    let token = api_tokens::table
        .filter(api_tokens::id.eq(DbId::from(id)))
        .filter(api_tokens::secret_digest.eq(from.0.as_slice()));
    let is_bare: Option<bool> =
        token.select(api_tokens::secret_sealed.is_null()).first(connection).optional()?;
    if is_bare != Some(to.sealed.is_none()) || is_kept(connection, &to.digest)? {
        return Ok(false);
    }
    update(token).set(ChangedSecretRow::from(to)).execute(connection)?;
    Ok(true)
}

fn rekey_alias(
    connection: &mut SqliteConnection,
    id: TokenId,
    Rekeying { from, to, .. }: &Rekeying,
) -> Result<bool, DbError> {
    let token = api_tokens::table
        .filter(api_tokens::id.eq(DbId::from(id)))
        .filter(api_tokens::alias_digest.eq(from.0.as_slice()));
    let is_bare: Option<bool> =
        token.select(api_tokens::alias_sealed.is_null()).first(connection).optional()?;
    if is_bare != Some(to.sealed.is_none()) || is_kept(connection, &to.digest)? {
        return Ok(false);
    }
    let (digest, key) = (to.digest.0.as_slice(), to.key.0.as_slice());
    update(token)
        .set((
            api_tokens::alias_digest.eq(digest),
            api_tokens::alias_key.eq(key),
            api_tokens::alias_sealed.eq(to.sealed.as_deref()),
        ))
        .execute(connection)?;
    Ok(true)
}

fn rekey_retired(
    connection: &mut SqliteConnection,
    id: TokenId,
    Rekeying { from, to, .. }: &Rekeying,
) -> Result<bool, DbError> {
    if is_kept(connection, &to.digest)? {
        return Ok(false);
    }
    let kept = retired_secrets::table
        .filter(retired_secrets::secret_digest.eq(from.0.as_slice()))
        .filter(retired_secrets::token_id.eq(DbId::from(id)));
    let (digest, key) = (to.digest.0.as_slice(), to.key.0.as_slice());
    let done = update(kept)
        .set((retired_secrets::secret_digest.eq(digest), retired_secrets::secret_key.eq(key)))
        .execute(connection)?;
    Ok(done > 0)
}

fn rekey_personal_token(
    connection: &mut SqliteConnection,
    PersonalTokenId(id): PersonalTokenId,
    Rekeying { from, to, .. }: &Rekeying,
) -> Result<bool, DbError> {
    let (digest, key) = (to.digest.0.as_slice(), to.key.0.as_slice());
    let conflicting = personal_tokens::table.filter(personal_tokens::secret_digest.eq(digest));
    if select(exists(conflicting)).get_result(connection)? {
        return Ok(false);
    }
    let kept = personal_tokens::table.find(id).filter(personal_tokens::secret_digest.eq(from.0.as_slice()));
    let done = update(kept)
        .set((personal_tokens::secret_digest.eq(digest), personal_tokens::secret_key.eq(key)))
        .execute(connection)?;
    Ok(done > 0)
}

fn rekey_session(
    connection: &mut SqliteConnection,
    SessionId(id): SessionId,
    Rekeying { from, to, .. }: &Rekeying,
) -> Result<bool, DbError> {
    let (digest, key) = (to.digest.0.as_slice(), to.key.0.as_slice());
    let conflicting = sessions::table.filter(sessions::secret_digest.eq(digest));
    if select(exists(conflicting)).get_result(connection)? {
        return Ok(false);
    }
    let kept = sessions::table
        .filter(sessions::id.eq(DbId(id)))
        .filter(sessions::secret_digest.eq(from.0.as_slice()));
    let done = update(kept)
        .set((sessions::secret_digest.eq(digest), sessions::secret_key.eq(key)))
        .execute(connection)?;
    Ok(done > 0)
}
