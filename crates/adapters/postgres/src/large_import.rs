//! Imports of any number of API tokens into a store that has few.
//!
//! The tables lose their indexes and references, get all rows by `COPY`, and have both made anew. Row by row, the upkeep of the
//! indexes and the checks of the references would take most of the time. Until the commit no other transaction can read these tables, and a
//! failure leaves them as they were.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::{StreamExt, TryStreamExt};
use latchkey_domain::{EnvironmentName, NewEvent, ProjectId};
use latchkey_ports::{Entity, StoreError, StoredToken, TokenPortion, TokenPortions};
use latchkey_sql::{
    columns::DbTime,
    errors::{DbError, conflict, conflict_of, not_found},
    rows::NewTokenRow,
};
use tokio::task::spawn_blocking;
use tokio_postgres::types::{Json, Type};

use crate::{
    connection::{Connection, CopyRows},
    events::record_all,
    locks::EventLogLock,
};

/// No statement is compiled (JIT), and tokens are not counted by each statement, but at the end. Events are long
/// here, and LZ4 compresses them in a fraction of the time of the default, where the server was built with it.
const BEGIN: &str = "\
    SET LOCAL jit = off; ALTER TABLE api_tokens DISABLE TRIGGER tokens_came; \
    ALTER TABLE api_token_projects DISABLE TRIGGER links_came; \
    SELECT set_config('default_toast_compression', 'lz4', true) FROM pg_settings \
    WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
const COUNT_IN_PROJECTS: &str =
    "SELECT add_tokens_to_project(project, tokens) FROM unnest($1, $2) AS added (project, tokens)";
const COUNT_IN_ENVIRONMENTS: &str =
    "SELECT add_tokens_to_environment(name, tokens) FROM unnest($1, $2) AS added (name, tokens)";

/// How many portions are made ready at once.
const READY_AT_ONCE: usize = 2;

const COPY_TOKENS: &str = "\
    COPY api_tokens (\
        id, name, kind, all_projects, environment, expires_at, created_at, seen_at, \
        secret_digest, secret_key, secret_sealed, alias_digest, alias_key, alias_sealed, attributes, selector) \
    FROM STDIN BINARY";
static TYPES_OF_TOKENS: [Type; 16] = [
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::BOOL,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::JSONB,
    Type::TEXT,
];

const COPY_LINKS: &str = "COPY api_token_projects (token_id, project_id, position) FROM STDIN BINARY";
static TYPES_OF_LINKS: [Type; 3] = [Type::UUID, Type::TEXT, Type::INT4];

/// What rows cost most by: the references, unique constraints, checks and indexes of the two tables, as statements that remove
/// and make them. All constraints of a kind and table are one statement, so that the table is read once. References are removed
/// first, and made last; with them the references to tokens, which need their key.
const PARTS: &str = "\
    SELECT \
        format('ALTER TABLE %s %s', conrelid::regclass, string_agg(format('DROP CONSTRAINT %I', conname), ', ')) AS removal, \
        format('ALTER TABLE %s %s', conrelid::regclass, \
            string_agg(format('ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ', ')) AS making, \
        contype = 'f' AS is_reference \
    FROM pg_constraint \
    WHERE conrelid IN ('api_tokens'::regclass, 'api_token_projects'::regclass) AND contype IN ('f', 'u', 'p', 'c') \
        OR confrelid = 'api_tokens'::regclass \
    GROUP BY conrelid, contype \
    UNION ALL \
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), false \
    FROM pg_index \
    WHERE indrelid IN ('api_tokens'::regclass, 'api_token_projects'::regclass) \
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid) \
    ORDER BY is_reference DESC";

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    removal: String,
    #[diesel(sql_type = Text)]
    making: String,
}

/// For what follows, the planner may read whole tables, which the rest of an import tells it not to, and sort in memory.
const WHOLE_TABLES: &str = "SET LOCAL enable_seqscan = on; SET LOCAL maintenance_work_mem = '256MB'";

/// `ANALYZE` also ends the plans of a running server that were made for few tokens.
const FINISH: &str = "\
    ALTER TABLE api_tokens ENABLE TRIGGER tokens_came; ALTER TABLE api_token_projects ENABLE TRIGGER links_came; \
    ANALYZE api_tokens; ANALYZE api_token_projects";

/// What a link or token names and does not exist. To be asked when the references are removed: no other transaction changes the tables then.
const MISSING_PROJECTS: &str = "\
    SELECT project AS name FROM unnest($1) AS named (project) \
    WHERE NOT EXISTS (SELECT FROM projects WHERE projects.id = named.project) ORDER BY 1 LIMIT 1";
const MISSING_ENVIRONMENTS: &str = "\
    SELECT environment AS name FROM unnest($1) AS named (environment) \
    WHERE NOT EXISTS (SELECT FROM environments WHERE environments.name = named.environment) ORDER BY 1 LIMIT 1";

#[derive(QueryableByName)]
struct Missing {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Whether a secret is an alias or a retired secret too, which no unique index compares.
const HAS_SHARED_SECRETS: &str = "\
    SELECT EXISTS (SELECT FROM api_tokens AS one INNER JOIN api_tokens AS other ON other.secret_digest = one.alias_digest \
            WHERE one.alias_digest IS NOT NULL) \
        OR EXISTS (SELECT FROM retired_secrets AS one INNER JOIN api_tokens AS other ON other.secret_digest = one.secret_digest) \
        OR EXISTS (SELECT FROM retired_secrets AS one INNER JOIN api_tokens AS other ON other.alias_digest = one.secret_digest) \
        AS found";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Adds all tokens of the portions, and their events.
pub(crate) async fn add_portions(
    connection: &mut Connection,
    lock: &EventLogLock,
    portions: TokenPortions,
) -> Result<(), DbError> {
    connection.batch_execute(BEGIN).await?;
    let parts: Vec<Part> = sql_query(PARTS).load(connection).await?;
    for part in &parts {
        connection.batch_execute(&part.removal).await?;
    }
    let taken = |_: &str| Some(Entity::Secret);
    let mut added = Named::default();
    let mut ready = portions.map(|portion| async { Rows::of(portion?).await }).buffered(READY_AT_ONCE);
    while let Some(Rows { tokens, links, named, events }) = ready.try_next().await? {
        connection.copy_in(COPY_TOKENS, tokens).await.map_err(conflict_of(taken))?;
        connection.copy_in(COPY_LINKS, links).await?;
        added.add(named);
        record_all(connection, lock, &events.iter().collect::<Vec<_>>()).await?;
    }
    connection.batch_execute(WHOLE_TABLES).await?;
    check_references(connection, &added).await?;
    count(connection, COUNT_IN_PROJECTS, &added.projects, ProjectId::as_str).await?;
    count(connection, COUNT_IN_ENVIRONMENTS, &added.environments, EnvironmentName::as_str).await?;
    for part in parts.iter().rev() {
        connection.batch_execute(&part.making).await.map_err(conflict_of(taken))?;
    }
    connection.batch_execute(FINISH).await?;
    let shared: Found = sql_query(HAS_SHARED_SECRETS).get_result(connection).await?;
    if shared.found { Err(conflict(Entity::Secret)) } else { Ok(()) }
}

/// A portion as rows.
struct Rows {
    tokens: CopyRows,
    links: CopyRows,
    named: Named,
    events: Vec<NewEvent>,
}

/// What tokens name, each with the number of tokens that name it.
#[derive(Default)]
struct Named {
    projects: BTreeMap<ProjectId, i64>,
    environments: BTreeMap<EnvironmentName, i64>,
}

impl Named {
    fn add(&mut self, other: Self) {
        for (project, tokens) in other.projects {
            *self.projects.entry(project).or_default() += tokens;
        }
        for (environment, tokens) in other.environments {
            *self.environments.entry(environment).or_default() += tokens;
        }
    }
}

fn owned<N: Ord + Clone>(counts: BTreeMap<&N, i64>) -> BTreeMap<N, i64> {
    counts.into_iter().map(|(name, tokens)| (name.clone(), tokens)).collect()
}

impl Rows {
    /// Makes the rows of a portion, on a thread of their own: others are sent meanwhile.
    async fn of(portion: TokenPortion) -> Result<Self, DbError> {
        let TokenPortion { tokens, events } = portion;
        let made = spawn_blocking(move || rows_of(&tokens)).await;
        let (tokens, links, named) = made.map_err(|error| StoreError::Fault(Box::new(error)))??;
        Ok(Self { tokens, links, named, events })
    }
}

/// Returns the rows of tokens and of the projects that they name, and what they name.
fn rows_of(tokens: &[StoredToken]) -> QueryResult<(CopyRows, CopyRows, Named)> {
    let (mut projects, mut environments) = (BTreeMap::new(), BTreeMap::new());
    let (mut all, mut links) = (CopyRows::new(&TYPES_OF_TOKENS), CopyRows::new(&TYPES_OF_LINKS));
    for stored in tokens {
        let row = NewTokenRow::from(stored);
        let at = |time: Option<DbTime>| time.map(system_time);
        all.push(&[
            &row.id.0,
            &row.name,
            &row.kind,
            &row.all_projects,
            &row.environment,
            &at(row.expires_at),
            &system_time(row.created_at),
            &at(row.seen_at),
            &row.secret_digest,
            &row.secret_key,
            &row.secret_sealed,
            &row.alias_digest,
            &row.alias_key,
            &row.alias_sealed,
            &Json(&row.attributes.0),
            &row.selector,
        ])?;
        for (position, project) in (0_i32..).zip(stored.token.access.projects().named()) {
            links.push(&[&row.id.0, &project.as_str(), &position])?;
            *projects.entry(project).or_default() += 1;
        }
        if let Some(environment) = stored.token.access.environment() {
            *environments.entry(environment).or_default() += 1;
        }
    }
    Ok((all, links, Named { projects: owned(projects), environments: owned(environments) }))
}

fn system_time(DbTime(millis): DbTime) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

/// Adds tokens to the counts of what they name, as the triggers would.
async fn count<N>(
    connection: &mut Connection,
    statement: &str,
    added: &BTreeMap<N, i64>,
    text: fn(&N) -> &str,
) -> Result<(), DbError> {
    let names: Vec<&str> = added.keys().map(text).collect();
    let tokens: Vec<i64> = added.values().copied().collect();
    let statement = sql_query(statement).bind::<Array<Text>, _>(names).bind::<Array<BigInt>, _>(tokens);
    statement.execute(connection).await?;
    Ok(())
}

/// Fails with the first project or environment that a token names and that does not exist.
async fn check_references(connection: &mut Connection, named: &Named) -> Result<(), DbError> {
    let projects: Vec<&str> = named.projects.keys().map(ProjectId::as_str).collect();
    let missing = sql_query(MISSING_PROJECTS).bind::<Array<Text>, _>(projects);
    let missing: Vec<Missing> = missing.load(connection).await?;
    if let Some(id) = missing.iter().find_map(|missing| ProjectId::new(&missing.name).ok()) {
        return Err(not_found(Entity::Project(id)));
    }
    let environments: Vec<&str> = named.environments.keys().map(EnvironmentName::as_str).collect();
    let missing = sql_query(MISSING_ENVIRONMENTS).bind::<Array<Text>, _>(environments);
    let missing: Vec<Missing> = missing.load(connection).await?;
    match missing.iter().find_map(|missing| EnvironmentName::new(&missing.name).ok()) {
        Some(name) => Err(not_found(Entity::Environment(name))),
        None => Ok(()),
    }
}
