//! How API tokens come into being.

use diesel::{ExpressionMethods, QueryDsl, dsl::exists, insert_into, select};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EnvironmentName, EventId, NewEvent, ProjectId, ProjectScope};
use latchkey_ports::{Entity, FirstToken, Quota, SecretDigest, SecretRecord, StoreError, StoredToken};

use crate::{
    connection::Connection,
    errors::{Failure, conflict, not_found, taken},
    events::record,
    locks::{ALL_PROJECTS, Numbering, lock, number},
    places::{first_missing, hold_environments, hold_projects},
    rows::{NewTokenRow, TokenRow},
    schema::{api_token_projects, api_tokens},
    token_queries::{by_digest, number_of_all_projects, numbers_of_projects},
};

/// Keeps a new token where there is room for it, with its event.
pub(crate) async fn create(
    connection: &mut Connection,
    stored: &StoredToken,
    quota: Quota,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    Places::hold(connection, &[stored]).await?.check(stored)?;
    check_quota(connection, stored.token.access.projects(), quota).await?;
    let writing = number(connection).await?;
    insert(connection, &writing, stored).await?;
    record(connection, &writing, event).await
}

/// Keeps these tokens, each with its event, where there is none yet.
pub(crate) async fn create_first(
    connection: &mut Connection,
    tokens: &[FirstToken],
) -> Result<bool, Failure> {
    if any_token(connection).await? {
        return Ok(false);
    }
    let all: Vec<&StoredToken> = tokens.iter().map(|first| &first.token).collect();
    let places = Places::hold(connection, &all).await?;
    let writing = number(connection).await?;
    // Nobody else writes from here on, so this answer stays true.
    if any_token(connection).await? {
        return Ok(false);
    }
    for FirstToken { token, event } in tokens {
        places.check(token)?;
        insert(connection, &writing, token).await?;
        record(connection, &writing, event).await?;
    }
    Ok(true)
}

async fn any_token(connection: &mut Connection) -> Result<bool, Failure> {
    Ok(select(exists(api_tokens::table.select(api_tokens::id))).get_result(connection).await?)
}

/// The places that tokens name, so far as they exist. They are held: whoever counts or creates tokens there waits, and
/// nobody can remove one meanwhile.
struct Places {
    projects: Vec<String>,
    environments: Vec<String>,
}

impl Places {
    async fn hold(connection: &mut Connection, tokens: &[&StoredToken]) -> Result<Self, Failure> {
        let accesses = || tokens.iter().map(|stored| &stored.token.access);
        let projects: Vec<_> = accesses().flat_map(|access| access.projects().named()).collect();
        let environments: Vec<_> = accesses().filter_map(|access| access.environment()).collect();
        Ok(Self {
            projects: hold_projects(connection, &projects).await?,
            environments: hold_environments(connection, &environments).await?,
        })
    }

    /// Finds what the token names: first the environment, then the projects.
    fn check(&self, stored: &StoredToken) -> Result<(), Failure> {
        let access = &stored.token.access;
        let environment = access.environment().map(std::slice::from_ref).unwrap_or_default();
        if let Some(name) = first_missing(environment, EnvironmentName::as_str, &self.environments) {
            return Err(not_found(Entity::Environment(name.clone())));
        }
        match first_missing(access.projects().named(), ProjectId::as_str, &self.projects) {
            Some(id) => Err(not_found(Entity::Project(id.clone()))),
            None => Ok(()),
        }
    }
}

async fn check_quota(
    connection: &mut Connection,
    projects: &ProjectScope,
    Quota(limit): Quota,
) -> Result<(), Failure> {
    let most = match projects {
        ProjectScope::All => {
            lock(connection, ALL_PROJECTS).await?;
            number_of_all_projects().get_result::<i64>(connection).await?
        }
        ProjectScope::Only(set) => {
            let ids: Vec<_> = set.as_slice().iter().map(ProjectId::as_str).collect();
            numbers_of_projects(&ids).load::<i64>(connection).await?.into_iter().max().unwrap_or(0)
        }
    };
    Ok(StoreError::unless_full(most.unsigned_abs(), limit)?)
}

/// Refuses secrets that some token has, as secret, alias or retired secret. The unique indexes would not see one that is
/// of another sort there.
pub(crate) async fn check_new(
    connection: &mut Connection,
    _writing: &Numbering,
    records: impl Iterator<Item = &SecretRecord> + Send,
) -> Result<(), Failure> {
    let digests: Vec<SecretDigest> = records.map(|record| record.digest).collect();
    let bytes: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
    let found: Vec<TokenRow> = by_digest(&bytes).load(connection).await?;
    if found.is_empty() { Ok(()) } else { Err(conflict(Entity::Secret)) }
}

async fn insert(
    connection: &mut Connection,
    writing: &Numbering,
    stored: &StoredToken,
) -> Result<(), Failure> {
    check_new(connection, writing, std::iter::once(&stored.secret).chain(&stored.alias)).await?;
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
