//! The port of API tokens.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, delete, dsl::exists,
    insert_into, select, sql_query, sql_types::Text,
};
use latchkey_domain::{EventId, NewEvent, ProjectId, ProjectScope, Timestamp, TokenId};
use latchkey_ports::{Entity, FirstToken, Quota, SecretDigest, StoreError, StoredToken, TokenRepository};
use tracing::instrument;

use crate::{
    SqliteStore,
    errors::{Failure, conflict, not_found, taken},
    events::record,
    places::{environment_exists, project_exists},
    rows::{self, LinkRow, NewTokenRow, TokenRow},
    schema::{api_token_projects, api_tokens},
    token_queries::{
        RECORD_SEEN, by_digest, by_id, links, links_beyond_project, number_of_all_projects,
        number_of_project, of_project,
    },
};

#[async_trait]
impl TokenRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(token = %stored.token.id))]
    async fn create_token(
        &self,
        stored: &StoredToken,
        quota: Quota,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (stored, event) = (stored.clone(), event.clone());
        self.write(move |connection| {
            check_places(connection, &stored)?;
            check_quota(connection, stored.token.access.projects(), quota)?;
            insert(connection, &stored)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(tokens = tokens.len()))]
    async fn create_first_tokens(&self, tokens: &[FirstToken]) -> Result<bool, StoreError> {
        let tokens = tokens.to_vec();
        self.write(move |connection| {
            if select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection)? {
                return Ok(false);
            }
            for FirstToken { token, event } in &tokens {
                check_places(connection, token)?;
                insert(connection, token)?;
                record(connection, event)?;
            }
            Ok(true)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%project))]
    async fn tokens_of_project(&self, project: &ProjectId) -> Result<Vec<StoredToken>, StoreError> {
        let project = project.clone();
        self.read_snapshot(move |connection| {
            let rows: Vec<TokenRow> = of_project(project.as_str()).load(connection)?;
            if rows.is_empty() && !project_exists(connection, &project)? {
                return Err(not_found(Entity::Project(project)));
            }
            // One statement in the usual case: most tokens name just this project.
            let links: Vec<LinkRow> = if rows.iter().any(TokenRow::names_several) {
                links_beyond_project(project.as_str()).load(connection)?
            } else {
                Vec::new()
            };
            Ok(rows::tokens_of_project(project.as_str(), rows, &links)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(token = %id))]
    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        self.read_snapshot(move |connection| {
            let row = by_id(id.as_uuid().as_bytes()).first(connection).optional()?;
            row.map(|row| with_links(connection, row)).transpose()
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<StoredToken>, StoreError> {
        let digests = digests.to_vec();
        self.read_snapshot(move |connection| {
            // One after the other: nearly always the first is the only one, and each statement stays prepared.
            for digest in &digests {
                let row: Option<TokenRow> = by_digest(&digest.0).first(connection).optional()?;
                if let Some(row) = row {
                    return with_links(connection, row).map(Some);
                }
            }
            Ok(None)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(token = %id))]
    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            let key = id.as_uuid();
            let token = api_tokens::table.filter(api_tokens::id.eq(key.as_bytes().as_slice()));
            if delete(token).execute(connection)? == 0 {
                return Err(not_found(Entity::Token(id)));
            }
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(tokens = seen.len()))]
    async fn record_tokens_seen(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let row = |(id, at): &(TokenId, Timestamp)| {
            serde_json::json!([id.as_uuid().simple().to_string(), at.millis()])
        };
        let seen = seen.iter().map(row).collect::<serde_json::Value>().to_string();
        self.write(move |connection| {
            sql_query(RECORD_SEEN).bind::<Text, _>(seen).execute(connection)?;
            Ok(())
        })
        .await
    }
}

fn with_links(connection: &mut SqliteConnection, row: TokenRow) -> Result<StoredToken, Failure> {
    let projects: Vec<String> = links(row.key()).load(connection)?;
    Ok(row.into_token(projects.iter().map(String::as_str))?)
}

fn check_places(connection: &mut SqliteConnection, stored: &StoredToken) -> Result<(), Failure> {
    let access = &stored.token.access;
    if let Some(environment) = access.environment()
        && !environment_exists(connection, environment)?
    {
        return Err(not_found(Entity::Environment(environment.clone())));
    }
    for project in access.projects().named() {
        if !project_exists(connection, project)? {
            return Err(not_found(Entity::Project(project.clone())));
        }
    }
    Ok(())
}

fn check_quota(
    connection: &mut SqliteConnection,
    projects: &ProjectScope,
    Quota(limit): Quota,
) -> Result<(), Failure> {
    let check = |number: i64| match u64::try_from(number) {
        Ok(number) if number < limit => Ok(()),
        _ => Err(Failure::Answer(StoreError::LimitReached { limit })),
    };
    match projects {
        ProjectScope::All => check(number_of_all_projects().get_result(connection)?),
        ProjectScope::Only(set) => set
            .as_slice()
            .iter()
            .try_for_each(|project| check(number_of_project(project.as_str()).get_result(connection)?)),
    }
}

fn insert(connection: &mut SqliteConnection, stored: &StoredToken) -> Result<(), Failure> {
    // The unique indexes keep secrets apart, and aliases; that no secret is another's alias, they cannot see.
    for record in std::iter::once(&stored.secret).chain(&stored.alias) {
        if select(exists(by_digest(&record.digest.0))).get_result(connection)? {
            return Err(conflict(Entity::Secret));
        }
    }
    let id = stored.token.id.as_uuid();
    insert_into(api_tokens::table).values(NewTokenRow::new(stored, &id)).execute(connection).map_err(
        taken(|columns| match columns {
            "api_tokens.id" => Some(Entity::Token(stored.token.id)),
            "api_tokens.secret_digest" | "api_tokens.alias_digest" => Some(Entity::Secret),
            _ => None,
        }),
    )?;
    for (position, project) in (0_i64..).zip(stored.token.access.projects().named()) {
        insert_into(api_token_projects::table)
            .values((
                api_token_projects::project_id.eq(project.as_str()),
                api_token_projects::token_id.eq(id.as_bytes().as_slice()),
                api_token_projects::position.eq(position),
            ))
            .execute(connection)?;
    }
    Ok(())
}
