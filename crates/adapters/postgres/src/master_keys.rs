//! The port of secrets by master key.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, QueryableByName,
    pg::Pg,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{Array, BigInt, Binary, Nullable},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Timestamp, TokenId};
use latchkey_ports::{
    Inconsistency, MasterKeyRepository, Rekeying, SecretDigest, SecretOf, SecretsByKey, StoreError,
    TokenSecrets,
};
use latchkey_sql::{
    columns::{Bytes, DbId, DbTime, Id, UtcTime},
    errors::{DbError, store_error},
    queries,
    rows::{self, SecretCountRow, TokenSecretsRow},
    schema::api_tokens,
};
use uuid::Uuid;

use crate::{connection::Connection, store::PostgresStore};

#[async_trait]
impl MasterKeyRepository for PostgresStore {
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError> {
        // No token has the nil id, which comes before all others.
        let after = DbId(after.map_or(Uuid::nil(), TokenId::as_uuid));
        self.load_all::<TokenSecretsRow, _>(queries::token_secrets_after(after, limit.into())).await
    }

    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError> {
        if rekeyings.is_empty() {
            return Ok(Vec::new());
        }
        let rekeyings = rekeyings.to_vec();
        self.write(async move |connection| rekey(connection, &rekeyings).await).await
    }

    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<SecretCountRow> = sql_query(queries::COUNT_SECRETS)
            .bind::<UtcTime, _>(DbTime::from(now))
            .bind::<UtcTime, _>(rows::answers_kept_since(now))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(rows::secrets_by_key(rows)?)
    }
}

/// Tokens are locked before anything is compared, by id as everywhere (`locks`).
///
/// Each new digest is looked up by itself: for a join, the planner would read a whole table.
const SECRETS: &str = "\
    UPDATE api_tokens AS kept SET secret_digest = new.digest, secret_key = new.key, secret_sealed = new.sealed \
    FROM unnest($1, $2, $3, $4, $5) AS new (id, old, digest, key, sealed) \
    WHERE kept.id = new.id AND kept.secret_digest = new.old \
    AND (kept.secret_sealed IS NULL) = (new.sealed IS NULL) \
    AND (SELECT true FROM api_tokens AS other WHERE other.secret_digest = new.digest) IS NULL \
    AND (SELECT true FROM api_tokens AS other WHERE other.alias_digest = new.digest) IS NULL \
    AND (SELECT true FROM retired_secrets AS other WHERE other.secret_digest = new.digest) IS NULL \
    RETURNING new.old";
const ALIASES: &str = "\
    UPDATE api_tokens AS kept SET alias_digest = new.digest, alias_key = new.key, alias_sealed = new.sealed \
    FROM unnest($1, $2, $3, $4, $5) AS new (id, old, digest, key, sealed) \
    WHERE kept.id = new.id AND kept.alias_digest = new.old \
    AND (kept.alias_sealed IS NULL) = (new.sealed IS NULL) \
    AND (SELECT true FROM api_tokens AS other WHERE other.secret_digest = new.digest) IS NULL \
    AND (SELECT true FROM api_tokens AS other WHERE other.alias_digest = new.digest) IS NULL \
    AND (SELECT true FROM retired_secrets AS other WHERE other.secret_digest = new.digest) IS NULL \
    RETURNING new.old";

/// Rows of these tables are deleted with their users and tokens, in any order, so locked rows are skipped: waiting for them
/// could deadlock.
const RETIRED: &str = "\
    WITH free AS (\
        SELECT secret_digest FROM retired_secrets WHERE secret_digest = ANY ($2) FOR UPDATE SKIP LOCKED) \
    UPDATE retired_secrets AS kept SET secret_digest = new.digest, secret_key = new.key \
    FROM unnest($1, $2, $3, $4) AS new (id, old, digest, key) INNER JOIN free ON free.secret_digest = new.old \
    WHERE kept.secret_digest = new.old AND kept.token_id = new.id \
    AND (SELECT true FROM api_tokens AS other WHERE other.secret_digest = new.digest) IS NULL \
    AND (SELECT true FROM api_tokens AS other WHERE other.alias_digest = new.digest) IS NULL \
    AND (SELECT true FROM retired_secrets AS other WHERE other.secret_digest = new.digest) IS NULL \
    RETURNING new.old";
const PERSONAL_TOKENS: &str = "\
    WITH free AS (SELECT id FROM personal_tokens WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED) \
    UPDATE personal_tokens AS kept SET secret_digest = new.digest, secret_key = new.key \
    FROM unnest($1, $2, $3, $4) AS new (id, old, digest, key) INNER JOIN free ON free.id = new.id \
    WHERE kept.id = new.id AND kept.secret_digest = new.old \
    AND (SELECT true FROM personal_tokens AS other WHERE other.secret_digest = new.digest) IS NULL \
    RETURNING new.old";
const SESSIONS: &str = "\
    WITH free AS (SELECT id FROM sessions WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED) \
    UPDATE sessions AS kept SET secret_digest = new.digest, secret_key = new.key \
    FROM unnest($1, $2, $3, $4) AS new (id, old, digest, key) INNER JOIN free ON free.id = new.id \
    WHERE kept.id = new.id AND kept.secret_digest = new.old \
    AND (SELECT true FROM sessions AS other WHERE other.secret_digest = new.digest) IS NULL \
    RETURNING new.old";

/// The digest that a rekeyed secret had before.
#[derive(QueryableByName)]
struct RekeyedRow {
    #[diesel(sql_type = Binary)]
    old: Bytes<32>,
}

impl TryFrom<RekeyedRow> for SecretDigest {
    type Error = Inconsistency;

    fn try_from(RekeyedRow { old: Bytes(digest) }: RekeyedRow) -> Result<Self, Inconsistency> {
        digest.map(Self).map_err(|fault| {
            rows::inconsistency("all tables with secrets", "secret_digest", "rekeyed", fault)
        })
    }
}

/// Rekeyings by the table and column that they change, each with the id of its row.
#[derive(Default)]
pub(crate) struct Sorted<'a> {
    secrets: Vec<(DbId, &'a Rekeying)>,
    aliases: Vec<(DbId, &'a Rekeying)>,
    retired: Vec<(DbId, &'a Rekeying)>,
    sessions: Vec<(DbId, &'a Rekeying)>,
    personal_tokens: Vec<(i64, &'a Rekeying)>,
}

impl<'a> Sorted<'a> {
    /// Sorts rekeyings. Of several with one new digest, the first is kept: the others would conflict with it.
    pub(crate) fn of(rekeyings: &'a [Rekeying]) -> Self {
        let (mut sorted, mut seen) = (Self::default(), HashSet::new());
        for rekeying in rekeyings {
            let (Rekeying { of, to, .. }, is_bare) = (rekeying, rekeying.to.sealed.is_none());
            let owner = match of {
                SecretOf::Token(_) | SecretOf::Alias(_) | SecretOf::Retired(_) => "a token",
                SecretOf::PersonalToken(_) => "a personal token",
                SecretOf::Session(_) => "a session",
            };
            if !seen.insert((owner, to.digest)) {
                continue;
            }
            match *of {
                SecretOf::Token(id) => sorted.secrets.push((id.into(), rekeying)),
                SecretOf::Alias(id) => sorted.aliases.push((id.into(), rekeying)),
                SecretOf::Retired(id) if is_bare => sorted.retired.push((id.into(), rekeying)),
                SecretOf::PersonalToken(id) if is_bare => sorted.personal_tokens.push((id.0, rekeying)),
                SecretOf::Session(id) if is_bare => sorted.sessions.push((DbId(id.0), rekeying)),
                // The other tables have no column for a sealed form.
                _ => {}
            }
        }
        sorted
    }

    /// Returns the ids of all tokens that may change.
    fn tokens(&self) -> Vec<DbId> {
        self.secrets.iter().chain(&self.aliases).map(|(id, _)| *id).collect()
    }

    /// Returns a statement for each table and column that changes.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let by_uuid = [
            (SECRETS, &self.secrets),
            (ALIASES, &self.aliases),
            (RETIRED, &self.retired),
            (SESSIONS, &self.sessions),
        ];
        let mut statements = Vec::new();
        for (text, rekeyings) in by_uuid.into_iter().filter(|(_, rekeyings)| !rekeyings.is_empty()) {
            let ids: Vec<DbId> = rekeyings.iter().map(|(id, _)| *id).collect();
            let mut statement =
                with_secrets(sql_query(text).into_boxed().bind::<Array<Id>, _>(ids), rekeyings);
            if [SECRETS, ALIASES].contains(&text) {
                let sealed = rekeyings.iter().map(|(_, one)| one.to.sealed.as_deref().map(<[u8]>::to_vec));
                statement = statement.bind::<Array<Nullable<Binary>>, _>(sealed.collect::<Vec<_>>());
            }
            statements.push(statement);
        }
        if !self.personal_tokens.is_empty() {
            let ids: Vec<i64> = self.personal_tokens.iter().map(|(id, _)| *id).collect();
            let statement = sql_query(PERSONAL_TOKENS).into_boxed().bind::<Array<BigInt>, _>(ids);
            statements.push(with_secrets(statement, &self.personal_tokens));
        }
        statements
    }
}

/// An update that returns the digests that it replaced.
pub(crate) type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

/// Binds the old digests, the new digests and the new keys.
fn with_secrets<I>(statement: Statement, rekeyings: &[(I, &Rekeying)]) -> Statement {
    let column = |bytes: fn(&Rekeying) -> &[u8]| -> Vec<Vec<u8>> {
        rekeyings.iter().map(|(_, rekeying)| bytes(rekeying).to_vec()).collect()
    };
    statement
        .bind::<Array<Binary>, _>(column(|rekeying| &rekeying.from.0))
        .bind::<Array<Binary>, _>(column(|rekeying| &rekeying.to.digest.0))
        .bind::<Array<Binary>, _>(column(|rekeying| &rekeying.to.key.0))
}

/// Replaces secrets and returns the digests of those that it replaced.
pub(crate) async fn rekey(
    connection: &mut Connection,
    rekeyings: &[Rekeying],
) -> Result<Vec<SecretDigest>, DbError> {
    let sorted = Sorted::of(rekeyings);
    let tokens = sorted.tokens();
    if !tokens.is_empty() {
        let held = api_tokens::table.filter(api_tokens::id.eq_any(tokens)).order(api_tokens::id);
        held.select(api_tokens::id).for_update().load::<DbId>(connection).await?;
    }
    let mut done: Vec<RekeyedRow> = Vec::new();
    for statement in sorted.statements() {
        done.extend(statement.load::<RekeyedRow>(connection).await?);
    }
    Ok(rows::all(done)?)
}
