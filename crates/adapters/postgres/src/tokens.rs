//! The port of API tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, delete,
    dsl::exists,
    insert_into, select, sql_query,
    sql_types::{Array, Timestamptz, Uuid},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use latchkey_domain::{EventId, NewEvent, ProjectId, ProjectScope, Timestamp, TokenId};
use latchkey_ports::{Entity, FirstToken, Quota, SecretDigest, StoreError, StoredToken, TokenRepository};
use tracing::instrument;

use crate::{
    PostgresStore,
    errors::{Failure, not_found, taken, unavailable},
    events::{lock, record},
    places::{environment_exists, project_exists},
    rows::{NewTokenRow, TokenRow},
    schema::{api_token_projects, api_tokens, projects},
    token_queries::{RECORD_SEEN, by_digest, by_id, number_of_all_projects, number_of_project, of_project},
};

/// Held while tokens of all projects are counted and created: "latchall" in ASCII.
const ALL_PROJECTS: i64 = 0x6c61_7463_6861_6c6c;
/// Held while first tokens are created: "latch1st" in ASCII.
const FIRST_TOKENS: i64 = 0x6c61_7463_6831_7374;

#[async_trait]
impl TokenRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(token = %stored.token.id))]
    async fn create_token(
        &self,
        stored: &StoredToken,
        quota: Quota,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (stored, event) = (stored.clone(), event.clone());
        self.write(move |connection| {
            async move {
                check_places(connection, &stored).await?;
                check_quota(connection, stored.token.access.projects(), quota).await?;
                insert(connection, &stored).await?;
                record(connection, &event).await
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(tokens = tokens.len()))]
    async fn create_first_tokens(&self, tokens: &[FirstToken]) -> Result<bool, StoreError> {
        let tokens = tokens.to_vec();
        self.write(move |connection| {
            async move {
                lock(connection, FIRST_TOKENS).await?;
                if select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection).await? {
                    return Ok(false);
                }
                for FirstToken { token, event } in &tokens {
                    check_places(connection, token).await?;
                    insert(connection, token).await?;
                    record(connection, event).await?;
                }
                Ok(true)
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%project))]
    async fn tokens_of_project(&self, project: &ProjectId) -> Result<Vec<StoredToken>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<TokenRow> =
            of_project(project.as_str()).load(&mut connection).await.map_err(unavailable)?;
        // One statement in the usual case. A project that comes into being between the two is empty, or was so for a
        // moment.
        if rows.is_empty() && !project_exists(&mut connection, project).await? {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        let tokens: Result<_, _> = rows.into_iter().map(StoredToken::try_from).collect();
        Ok(tokens?)
    }

    #[instrument(level = "debug", skip_all, fields(token = %id))]
    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        let mut connection = self.connection().await?;
        let row = by_id(id.as_uuid()).first(&mut connection).await.optional().map_err(unavailable)?;
        Ok(row.map(StoredToken::try_from).transpose()?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<StoredToken>, StoreError> {
        let mut connection = self.connection().await?;
        let digests: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
        let row = by_digest(&digests).first(&mut connection).await.optional().map_err(unavailable)?;
        Ok(row.map(StoredToken::try_from).transpose()?)
    }

    #[instrument(level = "debug", skip_all, fields(token = %id))]
    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            async move {
                let token = api_tokens::table.filter(api_tokens::id.eq(id.as_uuid()));
                if delete(token).execute(connection).await? == 0 {
                    return Err(not_found(Entity::Token(id)));
                }
                record(connection, &event).await
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(tokens = seen.len()))]
    async fn record_tokens_seen(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let (ids, moments): (Vec<_>, Vec<_>) =
            seen.iter().map(|(id, at)| (id.as_uuid(), at.to_datetime())).unzip();
        let mut connection = self.connection().await?;
        sql_query(RECORD_SEEN)
            .bind::<Array<Uuid>, _>(ids)
            .bind::<Array<Timestamptz>, _>(moments)
            .execute(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}

/// Finds what the token names, and holds its projects: whoever counts or creates tokens there waits, and nobody can
/// remove one meanwhile.
async fn check_places(connection: &mut AsyncPgConnection, stored: &StoredToken) -> Result<(), Failure> {
    let access = &stored.token.access;
    if let Some(environment) = access.environment()
        && !environment_exists(connection, environment).await?
    {
        return Err(not_found(Entity::Environment(environment.clone())));
    }
    let named = access.projects().named();
    // In one order for everybody, so that two transactions cannot wait for each other.
    let found: Vec<String> = projects::table
        .filter(projects::id.eq_any(named.iter().map(ProjectId::as_str)))
        .order(projects::id)
        .select(projects::id)
        .for_no_key_update()
        .load(connection)
        .await?;
    match named.iter().find(|project| !found.iter().any(|id| id == project.as_str())) {
        Some(project) => Err(not_found(Entity::Project(project.clone()))),
        None => Ok(()),
    }
}

async fn check_quota(
    connection: &mut AsyncPgConnection,
    projects: &ProjectScope,
    Quota(limit): Quota,
) -> Result<(), Failure> {
    let counts = match projects {
        ProjectScope::All => {
            lock(connection, ALL_PROJECTS).await?;
            vec![number_of_all_projects().get_result::<i64>(connection).await?]
        }
        ProjectScope::Only(set) => {
            let mut counts = Vec::new();
            for project in set.as_slice() {
                counts.push(number_of_project(project.as_str()).get_result::<i64>(connection).await?);
            }
            counts
        }
    };
    let has_room = |count: i64| u64::try_from(count).is_ok_and(|count| count < limit);
    if counts.into_iter().all(has_room) {
        Ok(())
    } else {
        Err(Failure::Answer(StoreError::LimitReached { limit }))
    }
}

async fn insert(connection: &mut AsyncPgConnection, stored: &StoredToken) -> Result<(), Failure> {
    // The unique indexes keep secrets apart, and aliases; that no secret is another's alias, they cannot see.
    let records = std::iter::once(&stored.secret).chain(&stored.alias);
    let digests: Vec<&[u8]> = records.map(|record| record.digest.0.as_slice()).collect();
    if select(exists(by_digest(&digests))).get_result(connection).await? {
        return Err(Failure::Answer(StoreError::Conflict(Entity::Secret)));
    }
    insert_into(api_tokens::table).values(NewTokenRow::new(stored)).execute(connection).await.map_err(
        taken(|constraint| match constraint {
            "api_tokens_id_unique" => Some(Entity::Token(stored.token.id)),
            "api_tokens_secret_unique" | "api_tokens_alias_unique" => Some(Entity::Secret),
            _ => None,
        }),
    )?;
    let links: Vec<_> = (0_i32..)
        .zip(stored.token.access.projects().named())
        .map(|(position, project)| {
            (
                api_token_projects::project_id.eq(project.as_str()),
                api_token_projects::token_id.eq(stored.token.id.as_uuid()),
                api_token_projects::position.eq(position),
            )
        })
        .collect();
    if !links.is_empty() {
        insert_into(api_token_projects::table).values(links).execute(connection).await?;
    }
    Ok(())
}
