//! The port of API tokens.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use diesel::{
    Connection, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, dsl::exists, select, sql_query,
    sql_types::Text,
};
use latchkey_domain::{ApiToken, EventId, NewEvent, ProjectId, Timestamp, TokenId, TokenKind, TokenSelector};
use latchkey_ports::{
    CountingMoments, Entity, MAX_TOKEN_USES, NewToken, Rotation, SecretDigest, StoreError, StoredToken,
    TokenCounts, TokenMatch, TokenQuery, TokenRepository, TokenUpdate,
};
use latchkey_sql::{
    columns::{DbId, DbTime, UtcTime},
    errors::{DbError, not_found},
    rows,
    schema::api_tokens,
    token_counts::{COUNT_TOKENS, TokenCountsRow, token_counts},
};

use crate::{
    SqliteStore,
    events::record,
    token_lists::{Filter, token_list},
    token_queries::{
        RECORD_USE, TokenRow, ends_of_retired_secrets, first_tokens_of_project, token_by_digest, token_by_id,
        token_by_retired_digest, token_by_selector, with_links, with_links_of_all,
    },
    token_writes::{
        check_places, create_token, create_tokens, move_end_of_retired, remove_token, rotate_token,
        update_token,
    },
};

#[async_trait]
impl TokenRepository for SqliteStore {
    async fn create_tokens(&self, tokens: &[NewToken]) -> Result<Vec<EventId>, StoreError> {
        let tokens = tokens.to_vec();
        self.write(move |connection| create_tokens(connection, &tokens)).await
    }

    async fn create_first_tokens(&self, tokens: &[NewToken]) -> Result<bool, StoreError> {
        let tokens = tokens.to_vec();
        self.write(move |connection| {
            if select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection)? {
                return Ok(false);
            }
            for new in &tokens {
                check_places(connection, &new.token)?;
                create_token(connection, new)?;
            }
            Ok(true)
        })
        .await
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        self.read_snapshot(move |connection| {
            let row: Option<TokenRow> = token_by_id(id.into()).first(connection).optional()?;
            row.map(|row| with_links(connection, row)).transpose()
        })
        .await
    }

    async fn retired_secret_ends(&self, token: TokenId) -> Result<Vec<Timestamp>, StoreError> {
        self.read(move |connection| {
            let ends: Vec<DbTime> = ends_of_retired_secrets(token.into()).load(connection)?;
            Ok(ends.into_iter().map(|end| rows::retired_secret_end(token, end)).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn find_token_by_selector(
        &self,
        selector: &TokenSelector,
    ) -> Result<Option<StoredToken>, StoreError> {
        let selector = selector.clone();
        self.read_snapshot(move |connection| {
            let row: Option<TokenRow> = token_by_selector(selector.as_str()).first(connection).optional()?;
            row.map(|row| with_links(connection, row)).transpose()
        })
        .await
    }

    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError> {
        let query = query.clone();
        self.read(move |connection| {
            if let Some(project) = query.whole_project() {
                let rows = tokens_of(connection, project, &query)?;
                // One statement in the usual case: no token names another project.
                if !rows.iter().any(|row| row.named_projects() > 1) {
                    return with_links_of_all(connection, rows, Some(project));
                }
            }
            connection.transaction(|connection| {
                let rows = if let Some(project) = query.whole_project() {
                    tokens_of(connection, project, &query)?
                } else {
                    let few = Filter::that_leaves_few(connection, &query)?;
                    token_list(&query, few).load(connection)?
                };
                with_links_of_all(connection, rows, query.project.as_ref())
            })
        })
        .await
    }

    async fn find_token_by_digest(&self, digests: &[SecretDigest]) -> Result<Option<TokenMatch>, StoreError> {
        let digests = digests.to_vec();
        self.read_snapshot(move |connection| {
            // One after the other: nearly always it is the first, and each statement stays prepared.
            let mut find = |by: Find| digests.iter().find_map(|digest| by(connection, digest).transpose());
            find(find_current).or_else(|| find(find_retired)).transpose()
        })
        .await
    }

    async fn find_tokens_by_digests(&self, digests: &[SecretDigest]) -> Result<Vec<TokenMatch>, StoreError> {
        let digests: BTreeSet<SecretDigest> = digests.iter().copied().collect();
        self.read_snapshot(move |connection| {
            let mut found = Vec::new();
            for digest in &digests {
                found.extend(match find_current(connection, digest)? {
                    None => find_retired(connection, digest)?,
                    current => current,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn update_token(
        &self,
        before: &ApiToken,
        after: &ApiToken,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            update_token(connection, &before, &after)?;
            record(connection, &event)
        })
        .await
    }

    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError> {
        let (rotation, event) = (rotation.clone(), event.clone());
        self.write(move |connection| {
            rotate_token(connection, &rotation, event.at)?;
            record(connection, &event)
        })
        .await
    }

    async fn end_rotation(
        &self,
        update: &TokenUpdate,
        ends: (Timestamp, Timestamp),
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (update, event) = (update.clone(), event.clone());
        self.write(move |connection| {
            update_token(connection, &update.before, &update.after)?;
            move_end_of_retired(connection, update.before.id, ends)?;
            record(connection, &event)
        })
        .await
    }

    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if !remove_token(connection, id)? {
                return Err(not_found(Entity::Token(id)));
            }
            record(connection, &event)
        })
        .await
    }

    async fn count_tokens(
        &self,
        moments: &CountingMoments,
    ) -> Result<Option<BTreeMap<TokenKind, TokenCounts>>, StoreError> {
        let CountingMoments { now, in_7_days, in_30_days, before_90_days } = *moments;
        self.read(move |connection| {
            let rows: Vec<TokenCountsRow> = sql_query(COUNT_TOKENS)
                .bind::<UtcTime, _>(DbTime::from(now))
                .bind::<UtcTime, _>(DbTime::from(in_7_days))
                .bind::<UtcTime, _>(DbTime::from(in_30_days))
                .bind::<UtcTime, _>(DbTime::from(before_90_days))
                .load(connection)?;
            Ok(Some(token_counts(rows)?))
        })
        .await
    }

    async fn record_token_use(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        let row = |(id, at): &(TokenId, Timestamp)| {
            serde_json::json!([id.as_uuid().simple().to_string(), at.millis()])
        };
        for seen in seen.chunks(MAX_TOKEN_USES) {
            let seen = seen.iter().map(row).collect::<serde_json::Value>().to_string();
            self.write(move |connection| {
                sql_query(RECORD_USE).bind::<Text, _>(seen).execute(connection)?;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// The tokens of a [`TokenQuery::whole_project`].
fn tokens_of(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    query: &TokenQuery,
) -> Result<Vec<TokenRow>, DbError> {
    let Some(from) = DbId::following(query.after) else { return Ok(Vec::new()) };
    first_tokens_of_project(connection, project.as_str(), from, query.page.limit.unwrap_or(u32::MAX))
}

/// A way to find the token of a digest.
type Find = fn(&mut SqliteConnection, &SecretDigest) -> Result<Option<TokenMatch>, DbError>;

/// The token whose secret or alias has this digest.
fn find_current(
    connection: &mut SqliteConnection,
    found_by: &SecretDigest,
) -> Result<Option<TokenMatch>, DbError> {
    let row: Option<TokenRow> = token_by_digest(&found_by.0).first(connection).optional()?;
    let Some(row) = row else { return Ok(None) };
    let stored = with_links(connection, row)?;
    Ok(Some(TokenMatch { stored, secret_until: None, found_by: *found_by }))
}

/// The token of which a retired secret has this digest.
fn find_retired(
    connection: &mut SqliteConnection,
    found_by: &SecretDigest,
) -> Result<Option<TokenMatch>, DbError> {
    let (found_by, SecretDigest(digest)) = (*found_by, found_by);
    let retired: Option<(TokenRow, DbTime)> = token_by_retired_digest(digest).first(connection).optional()?;
    let Some((row, until)) = retired else { return Ok(None) };
    let stored = with_links(connection, row)?;
    let secret_until = Some(rows::retired_secret_end(stored.token.id, until)?);
    Ok(Some(TokenMatch { stored, secret_until, found_by }))
}
