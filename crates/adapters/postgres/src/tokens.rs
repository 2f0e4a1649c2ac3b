//! The port of API tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use diesel::{OptionalExtension, sql_query, sql_types::Array};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{ApiToken, EventId, NewEvent, ProjectId, Timestamp, TokenId, TokenKind, TokenSelector};
use latchkey_ports::{
    CountingMoments, MAX_TOKEN_USES, NewToken, Rotation, SecretDigest, StoreError, StoredToken, TokenCounts,
    TokenMatch, TokenQuery, TokenRepository, TokenUpdate,
};
use latchkey_sql::{
    columns::{Bytes, DbId, DbTime, Id, Parsed, UtcTime},
    errors::store_error,
    queries::{page_limit, projects_of_tokens},
    rows,
    token_counts::{COUNT_TOKENS, TokenCountsRow, token_counts},
};

use crate::{
    PostgresStore,
    connection::Unprepared,
    locks::{COUNTING, try_lock},
    token_creation::{create_first_tokens, create_in_transaction},
    token_lists::token_list,
    token_queries::{
        RECORD_USE, TokenRow, TokenWithoutProjects, end_of_retired_secret, ends_of_retired_secrets,
        retired_secrets_of, token_by_digest, token_by_id, token_by_selector, tokens_by_digests,
        tokens_of_project_from,
    },
    token_writes::{end_rotation, remove_token, rotate_token, update_token},
};

impl PostgresStore {
    /// The tokens of a [`TokenQuery::whole_project`]: one statement in the usual case, in which no token names another project.
    async fn tokens_of_project(
        &self,
        project: &ProjectId,
        query: &TokenQuery,
    ) -> Result<Vec<StoredToken>, StoreError> {
        let Some(from) = DbId::following(query.after) else { return Ok(Vec::new()) };
        let statement = tokens_of_project_from(project.as_str(), from, page_limit(query.page));
        let reader = self.reader().await?;
        let mut rows: Vec<TokenWithoutProjects> =
            statement.load(&mut &**reader).await.map_err(store_error)?;
        rows.sort_unstable_by_key(TokenWithoutProjects::id);

        let several: Vec<DbId> =
            rows.iter().filter(|row| row.may_name_several()).map(TokenWithoutProjects::id).collect();
        let links = if several.is_empty() {
            Vec::new()
        } else {
            projects_of_tokens(&several).load(&mut &**reader).await.map_err(store_error)?
        };
        let mut projects = rows::projects_by_token(links);
        let mut tokens = Vec::with_capacity(rows.len());
        for row in rows {
            if !row.may_name_several() {
                tokens.push(row.into_token(vec![Parsed(Ok(project.clone()))])?);
            } else if let Some(projects) = projects.remove(&row.id()) {
                tokens.push(row.into_token(projects)?);
            }
            // A token without projects was deleted between the two statements.
        }
        Ok(tokens)
    }
}

#[async_trait]
impl TokenRepository for PostgresStore {
    async fn create_tokens(&self, tokens: &[NewToken]) -> Result<Vec<EventId>, StoreError> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let store = self.clone();
        let transaction = move |tokens| {
            let store = store.clone();
            async move { create_in_transaction(&store, tokens, None).await }.boxed()
        };
        self.creation_groups.create(tokens.to_vec(), transaction).await
    }

    async fn create_first_tokens(&self, tokens: &[NewToken]) -> Result<bool, StoreError> {
        let tokens = tokens.to_vec();
        self.write(async move |connection| create_first_tokens(connection, &tokens).await).await
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        let mut connection = self.connection().await?;
        let row: Option<TokenRow> =
            token_by_id(id.into()).first(&mut connection).await.optional().map_err(store_error)?;
        Ok(rows::optional(row)?)
    }

    async fn retired_secret_ends(&self, token: TokenId) -> Result<Vec<Timestamp>, StoreError> {
        let mut connection = self.connection().await?;
        let ends: Vec<DbTime> =
            ends_of_retired_secrets(token.into()).load(&mut connection).await.map_err(store_error)?;
        Ok(ends.into_iter().map(|end| rows::retired_secret_end(token, end)).collect::<Result<_, _>>()?)
    }

    async fn find_token_by_selector(
        &self,
        selector: &TokenSelector,
    ) -> Result<Option<StoredToken>, StoreError> {
        self.load_optional::<TokenRow, _>(token_by_selector(selector.as_str())).await
    }

    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError> {
        if let Some(project) = query.whole_project() {
            return self.tokens_of_project(project, query).await;
        }
        let Some(statement) = token_list(query) else { return Ok(Vec::new()) };
        let mut connection = self.connection().await?;
        let rows: Vec<TokenRow> = statement.load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    async fn find_token_by_digest(&self, digests: &[SecretDigest]) -> Result<Option<TokenMatch>, StoreError> {
        let reader = self.reader().await?;
        self.replica.check_followed(&reader)?;
        let bytes: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
        let rows: Vec<TokenRow> = token_by_digest(&bytes).load(&mut &**reader).await.map_err(store_error)?;
        let mut tokens: Vec<StoredToken> = rows::all(rows)?;
        let current = digests.iter().find_map(|digest| {
            let place = tokens.iter().position(|stored| stored.current_digests().any(|own| own == *digest));
            Some((place?, *digest))
        });
        if let Some((place, found_by)) = current {
            let stored = tokens.swap_remove(place);
            return Ok(Some(TokenMatch { stored, secret_until: None, found_by }));
        }
        let Some(stored) = tokens.into_iter().next() else { return Ok(None) };
        let id = stored.token.id;
        let retired: Option<(Vec<u8>, DbTime)> = end_of_retired_secret(id.into(), &bytes)
            .first(&mut &**reader)
            .await
            .optional()
            .map_err(store_error)?;
        // Without an end it was swept away since the last statement.
        let Some((digest, end)) = retired else { return Ok(None) };
        let secret_until = Some(rows::retired_secret_end(id, end)?);
        let found_by = digests.iter().find(|asked| asked.0.as_slice() == digest).copied();
        Ok(found_by.map(|found_by| TokenMatch { stored, secret_until, found_by }))
    }

    async fn find_tokens_by_digests(&self, digests: &[SecretDigest]) -> Result<Vec<TokenMatch>, StoreError> {
        let mut connection = self.connection().await?;
        self.replica.check_followed(&connection)?;
        let rows = tokens_by_digests(&mut connection, digests).await.map_err(store_error)?;
        let tokens: Vec<StoredToken> = rows::all(rows)?;
        let mut unknown: BTreeSet<SecretDigest> = digests.iter().copied().collect();
        let mut found = Vec::with_capacity(tokens.len());
        for stored in &tokens {
            for found_by in stored.current_digests().filter(|digest| unknown.remove(digest)) {
                found.push(TokenMatch { stored: stored.clone(), secret_until: None, found_by });
            }
        }
        if unknown.is_empty() || tokens.is_empty() {
            return Ok(found);
        }
        let unknown: Vec<&[u8]> = unknown.iter().map(|digest| digest.0.as_slice()).collect();
        let retired: Vec<(Bytes<32>, DbId, DbTime)> =
            Unprepared(retired_secrets_of(&unknown)).load(&mut connection).await.map_err(store_error)?;
        let tokens: HashMap<DbId, StoredToken> =
            tokens.into_iter().map(|stored| (DbId::from(stored.token.id), stored)).collect();
        for (digest, id, end) in retired {
            // One that was retired since the first statement is missed, as if it had been asked for earlier.
            if let (Some(stored), Bytes(Ok(digest))) = (tokens.get(&id), digest) {
                let secret_until = Some(rows::retired_secret_end(stored.token.id, end)?);
                let (stored, found_by) = (stored.clone(), SecretDigest(digest));
                found.push(TokenMatch { stored, secret_until, found_by });
            }
        }
        Ok(found)
    }

    async fn update_token(
        &self,
        before: &ApiToken,
        after: &ApiToken,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| update_token(connection, &before, &after, &event).await).await
    }

    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError> {
        let (rotation, event) = (rotation.clone(), event.clone());
        self.write(async move |connection| rotate_token(connection, &rotation, &event).await).await
    }

    async fn end_rotation(
        &self,
        update: &TokenUpdate,
        ends: (Timestamp, Timestamp),
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (update, event) = (update.clone(), event.clone());
        self.write(async move |connection| end_rotation(connection, &update, ends, &event).await).await
    }

    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| remove_token(connection, id, &event).await).await
    }

    async fn count_tokens(
        &self,
        moments: &CountingMoments,
    ) -> Result<Option<BTreeMap<TokenKind, TokenCounts>>, StoreError> {
        let moments = *moments;
        self.write(async move |connection| {
            if !try_lock(connection, COUNTING).await? {
                return Ok(None);
            }
            let CountingMoments { now, in_7_days, in_30_days, before_90_days } = moments;
            let rows: Vec<TokenCountsRow> = sql_query(COUNT_TOKENS)
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<UtcTime, _>(DbTime::from(in_7_days))
                .bind::<UtcTime, _>(DbTime::from(in_30_days))
                .bind::<UtcTime, _>(DbTime::from(before_90_days))
                .load(connection)
                .await?;
            Ok(Some(token_counts(rows)?))
        })
        .await
    }

    async fn record_token_use(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        for seen in seen.chunks(MAX_TOKEN_USES) {
            let (ids, moments): (Vec<_>, Vec<_>) =
                seen.iter().map(|(id, at)| (DbId::from(*id), DbTime::from(*at))).unzip();
            // Given back between statements, so that others get a turn.
            let mut connection = self.connection().await?;
            sql_query(RECORD_USE)
                .bind::<Array<Id>, _>(ids)
                .bind::<Array<UtcTime>, _>(moments)
                .execute(&mut connection)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }
}
