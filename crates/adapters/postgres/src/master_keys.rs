//! The port of what is kept under which master key.

use async_trait::async_trait;
use diesel::{sql_query, sql_types::Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{Timestamp, TokenId};
use latchkey_ports::{MasterKeyRepository, Rekeying, SecretDigest, SecretsByKey, StoreError, TokenSecrets};
use tracing::instrument;

use crate::{
    PostgresStore,
    errors::unavailable,
    rekeying::{first_secrets, rekey, secrets_after},
    rows::{self, SecretCountRow, TokenSecretsRow},
};

/// Forms are numbered as [`latchkey_ports::SecretForm::ALL`] has them.
const COUNT: &str = "\
    WITH kept (form, key, has_ended) AS (\
        SELECT (secret_sealed IS NULL)::int, secret_key, secret_sealed IS NULL AND coalesce(expires_at <= $1, false) \
        FROM api_tokens \
        UNION ALL \
        SELECT (alias_sealed IS NULL)::int, alias_key, alias_sealed IS NULL AND coalesce(expires_at <= $1, false) \
        FROM api_tokens WHERE alias_key IS NOT NULL \
        UNION ALL SELECT 2, secret_key, expires_at <= $1 FROM personal_tokens \
        UNION ALL SELECT 3, secret_key, expires_at <= $1 FROM sessions \
        UNION ALL SELECT 4, secret_key, good_until <= $1 FROM retired_secrets) \
    SELECT form::bigint, key, count(*) FILTER (WHERE NOT has_ended) AS good, \
        count(*) FILTER (WHERE has_ended) AS ended \
    FROM kept GROUP BY form, key";

#[async_trait]
impl MasterKeyRepository for PostgresStore {
    #[instrument(level = "debug", skip_all)]
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<TokenSecretsRow> = match after {
            Some(id) => secrets_after(id.as_uuid(), limit.into()).load(&mut connection).await,
            None => first_secrets(limit.into()).load(&mut connection).await,
        }
        .map_err(unavailable)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(secrets = rekeyings.len()))]
    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError> {
        if rekeyings.is_empty() {
            return Ok(Vec::new());
        }
        let rekeyings = rekeyings.to_vec();
        self.write(move |connection| async move { rekey(connection, &rekeyings).await }.boxed()).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<SecretCountRow> = sql_query(COUNT)
            .bind::<Timestamptz, _>(now.to_datetime())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(rows::secrets_by_key(rows)?)
    }
}
