//! The port of secrets by master key.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select, sql_query, update,
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
use uuid::Uuid;

use crate::{SqliteStore, token_writes::is_kept};

#[async_trait]
impl MasterKeyRepository for SqliteStore {
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

    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError> {
        self.read(move |connection| {
            let rows: Vec<SecretCountRow> = sql_query(queries::COUNT_SECRETS)
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<UtcTime, _>(rows::answers_kept_since(now))
                .load(connection)?;
            Ok(rows::secrets_by_key(rows)?)
        })
        .await
    }
}

/// Replaces one secret; returns whether it was there, in the same form, and the new digest was not.
fn rekey(connection: &mut SqliteConnection, Rekeying { of, from, to }: &Rekeying) -> Result<bool, DbError> {
    let (digest, key, sealed) = (to.digest.0.as_slice(), to.key.0.as_slice(), to.sealed.as_deref());
    let from = from.0.as_slice();
    let conflicts = match of {
        SecretOf::Token(_) | SecretOf::Alias(_) | SecretOf::Retired(_) => is_kept(connection, &to.digest)?,
        SecretOf::PersonalToken(_) => {
            let tokens = personal_tokens::table.filter(personal_tokens::secret_digest.eq(digest));
            select(exists(tokens)).get_result(connection)?
        }
        SecretOf::Session(_) => {
            let sessions = sessions::table.filter(sessions::secret_digest.eq(digest));
            select(exists(sessions)).get_result(connection)?
        }
    };
    if conflicts {
        return Ok(false);
    }
    let rows = match *of {
        SecretOf::Token(id) => {
            let token = api_tokens::table.find(DbId::from(id)).filter(api_tokens::secret_digest.eq(from));
            update(token.filter(api_tokens::secret_sealed.is_null().eq(sealed.is_none())))
                .set(ChangedSecretRow::from(to))
                .execute(connection)?
        }
        SecretOf::Alias(id) => {
            let token = api_tokens::table.find(DbId::from(id)).filter(api_tokens::alias_digest.eq(from));
            update(token.filter(api_tokens::alias_sealed.is_null().eq(sealed.is_none())))
                .set((
                    api_tokens::alias_digest.eq(digest),
                    api_tokens::alias_key.eq(key),
                    api_tokens::alias_sealed.eq(sealed),
                ))
                .execute(connection)?
        }
        // The other tables have no column for a sealed form.
        _ if sealed.is_some() => 0,
        SecretOf::Retired(id) => {
            let secret =
                retired_secrets::table.find(from).filter(retired_secrets::token_id.eq(DbId::from(id)));
            update(secret)
                .set((retired_secrets::secret_digest.eq(digest), retired_secrets::secret_key.eq(key)))
                .execute(connection)?
        }
        SecretOf::PersonalToken(PersonalTokenId(id)) => {
            let token = personal_tokens::table.find(id).filter(personal_tokens::secret_digest.eq(from));
            update(token)
                .set((personal_tokens::secret_digest.eq(digest), personal_tokens::secret_key.eq(key)))
                .execute(connection)?
        }
        SecretOf::Session(SessionId(id)) => {
            let session = sessions::table.find(DbId(id)).filter(sessions::secret_digest.eq(from));
            update(session)
                .set((sessions::secret_digest.eq(digest), sessions::secret_key.eq(key)))
                .execute(connection)?
        }
    };
    Ok(rows > 0)
}
