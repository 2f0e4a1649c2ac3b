//! API tokens and their secrets.

use std::{collections::HashMap, mem};

use diesel::{
    AsChangeset, Insertable, Queryable, QueryableByName, Selectable,
    sql_types::{BigInt, Binary},
};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, Timestamp, TokenAccess,
    TokenAttributes, TokenId, TokenKind, TokenName,
};
use latchkey_ports::{
    Entity, Inconsistency, KeyId, SecretCount, SecretDigest, SecretForm, SecretRecord, SecretsByKey,
    StoredToken, TokenSecrets,
};

use super::Row;
use crate::{
    DbError,
    columns::{Bytes, DbId, DbInt, DbTime, NewJson, Parsed},
    errors::stale,
    schema::{api_token_projects, api_tokens, retired_secrets},
};

/// A row of `api_tokens`, or of a view of it, with the projects that the token names: `P` is their ids or whether they may be
/// several (PostgreSQL), or their number (SQLite). It is flat, because a list reads thousands of rows, and a nested tuple takes
/// twice the code for each.
#[derive(Queryable)]
pub struct TokenRow<P> {
    id: DbId,
    secret_digest: Bytes<32>,
    secret_key: Bytes<4>,
    secret_sealed: Option<Vec<u8>>,
    alias_digest: Option<Bytes<32>>,
    alias_key: Option<Bytes<4>>,
    alias_sealed: Option<Vec<u8>>,
    name: Parsed<TokenName>,
    kind: Parsed<TokenKind>,
    all_projects: bool,
    environment: Option<Parsed<EnvironmentName>>,
    expires_at: Option<DbTime>,
    created_at: DbTime,
    seen_at: Option<DbTime>,
    attributes: Parsed<TokenAttributes>,
    projects: P,
}

/// The columns of a [`TokenRow`] in a table or view, the last of which is about the projects that the token names.
#[macro_export]
macro_rules! token_columns {
    ($table:ident, $projects:ident) => {
        (
            $table::id,
            $table::secret_digest,
            $table::secret_key,
            $table::secret_sealed,
            $table::alias_digest,
            $table::alias_key,
            $table::alias_sealed,
            $table::name,
            $table::kind,
            $table::all_projects,
            $table::environment,
            $table::expires_at,
            $table::created_at,
            $table::seen_at,
            $table::attributes,
            $table::$projects,
        )
    };
}

/// The projects that a token names, in order.
pub type ProjectIds = Vec<Parsed<ProjectId>>;

/// Groups the rows of [`crate::queries::projects_of_tokens()`] by token.
#[must_use]
pub fn projects_by_token(links: Vec<(DbId, Parsed<ProjectId>)>) -> HashMap<DbId, ProjectIds> {
    let mut projects = HashMap::<_, ProjectIds>::new();
    for (token, project) in links {
        projects.entry(token).or_default().push(project);
    }
    projects
}

/// A row with the number of projects that the token names.
impl TokenRow<i64> {
    /// The number of projects that the token names.
    #[must_use]
    pub fn named_projects(&self) -> i64 {
        self.projects
    }

    /// As [`TokenRow::into_token`]; the number of projects must be that of the row.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_checked_token(self, projects: ProjectIds) -> Result<StoredToken, Inconsistency> {
        if i64::try_from(projects.len()) != Ok(self.projects) {
            let at = Row { table: "api_tokens", key: TokenId::from_uuid(self.id.0) };
            let fault = format!("api_token_projects has {} and not {}", projects.len(), self.projects);
            return Err(at.inconsistency("named_projects", fault));
        }
        self.into_token(projects)
    }
}

/// A row that says whether the token may name several projects.
impl TokenRow<bool> {
    /// Whether the token may name more than one project.
    #[must_use]
    pub fn may_name_several(&self) -> bool {
        self.projects
    }
}

/// A row with the projects that the token names.
impl TryFrom<TokenRow<ProjectIds>> for StoredToken {
    type Error = Inconsistency;

    fn try_from(mut row: TokenRow<ProjectIds>) -> Result<Self, Inconsistency> {
        let projects = mem::take(&mut row.projects);
        row.into_token(projects)
    }
}

impl<P> TokenRow<P> {
    /// The token's id.
    #[must_use]
    pub fn id(&self) -> DbId {
        self.id
    }

    /// Converts the row with the projects that the token names, in order.
    ///
    /// # Errors
    /// [`Inconsistency`].
    pub fn into_token(self, projects: ProjectIds) -> Result<StoredToken, Inconsistency> {
        let secrets = TokenSecretsRow {
            id: self.id,
            secret_digest: self.secret_digest,
            secret_key: self.secret_key,
            secret_sealed: self.secret_sealed,
            alias_digest: self.alias_digest,
            alias_key: self.alias_key,
            alias_sealed: self.alias_sealed,
        };
        let TokenSecrets { token: id, secret, alias } = secrets.try_into()?;
        let at = Row { table: "api_tokens", key: id };
        let kind = at.parsed("kind", self.kind)?;
        let projects = project_scope(&at, self.all_projects, projects)?;
        let environment = at.optional("environment", self.environment)?;
        let environment = environment.map_or(EnvironmentScope::All, EnvironmentScope::Only);
        let token = ApiToken {
            id,
            name: at.parsed("name", self.name)?,
            access: at.column("kind", TokenAccess::new(kind, projects, environment))?,
            expires_at: at.optional_time("expires_at", self.expires_at)?,
            created_at: at.time("created_at", self.created_at)?,
            last_used_at: at.optional_time("seen_at", self.seen_at)?,
            attributes: at.parsed("attributes", self.attributes)?,
        };
        Ok(StoredToken { token, secret, alias })
    }
}

/// A token that names no project is not for all of them: only `all_projects` says that.
fn project_scope(
    at: &Row<TokenId>,
    all_projects: bool,
    named: ProjectIds,
) -> Result<ProjectScope, Inconsistency> {
    match (all_projects, named.is_empty()) {
        (true, true) => Ok(ProjectScope::All),
        (true, false) => Err(at.inconsistency("all_projects", "a token of all projects names some")),
        (false, _) => {
            let links = Row { table: "api_token_projects", key: at.key };
            let set = ProjectSet::new(links.list("project_id", named)?);
            at.column("all_projects", set).map(ProjectScope::Only)
        }
    }
}

/// The columns of `api_tokens` that hold secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct TokenSecretsRow {
    id: DbId,
    secret_digest: Bytes<32>,
    secret_key: Bytes<4>,
    secret_sealed: Option<Vec<u8>>,
    alias_digest: Option<Bytes<32>>,
    alias_key: Option<Bytes<4>>,
    alias_sealed: Option<Vec<u8>>,
}

impl TryFrom<TokenSecretsRow> for TokenSecrets {
    type Error = Inconsistency;

    fn try_from(row: TokenSecretsRow) -> Result<Self, Inconsistency> {
        let token = TokenId::from_uuid(row.id.0);
        let at = Row { table: "api_tokens", key: token };
        let secret = SecretRecord {
            digest: SecretDigest(at.bytes("secret_digest", row.secret_digest)?),
            key: KeyId(at.bytes("secret_key", row.secret_key)?),
            sealed: row.secret_sealed.map(Vec::into_boxed_slice),
        };
        let alias = match (row.alias_digest, row.alias_key) {
            (None, None) => None,
            (Some(digest), Some(key)) => Some(SecretRecord {
                digest: SecretDigest(at.bytes("alias_digest", digest)?),
                key: KeyId(at.bytes("alias_key", key)?),
                sealed: row.alias_sealed.map(Vec::into_boxed_slice),
            }),
            _ => return Err(at.inconsistency("alias_key", "an alias is a digest and a key")),
        };
        Ok(Self { token, secret, alias })
    }
}

/// A new row of `api_tokens`.
#[derive(Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub struct NewTokenRow<'a> {
    id: DbId,
    name: &'a str,
    kind: &'static str,
    all_projects: bool,
    environment: Option<&'a str>,
    expires_at: Option<DbTime>,
    created_at: DbTime,
    seen_at: Option<DbTime>,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    secret_sealed: Option<&'a [u8]>,
    alias_digest: Option<&'a [u8]>,
    alias_key: Option<&'a [u8]>,
    alias_sealed: Option<&'a [u8]>,
    attributes: NewJson,
}

impl<'a> From<&'a StoredToken> for NewTokenRow<'a> {
    fn from(StoredToken { token, secret, alias }: &'a StoredToken) -> Self {
        let alias = alias.as_ref();
        Self {
            id: token.id.into(),
            name: token.name.as_str(),
            kind: token.access.kind().as_str(),
            all_projects: matches!(token.access.projects(), ProjectScope::All),
            environment: token.access.environment().map(EnvironmentName::as_str),
            expires_at: token.expires_at.map(DbTime::from),
            created_at: token.created_at.into(),
            seen_at: token.last_used_at.map(DbTime::from),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            secret_sealed: secret.sealed.as_deref(),
            alias_digest: alias.map(|alias| alias.digest.0.as_slice()),
            alias_key: alias.map(|alias| alias.key.0.as_slice()),
            alias_sealed: alias.and_then(|alias| alias.sealed.as_deref()),
            attributes: NewJson(token.attributes.to_json().into()),
        }
    }
}

/// The columns of `api_tokens` that an update of a token compares.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct ChangeableTokenRow {
    expires_at: Option<DbTime>,
    attributes: Parsed<TokenAttributes>,
}

impl ChangeableTokenRow {
    /// Fails unless this is the row of `before`.
    ///
    /// # Errors
    /// `Stale`; [`Inconsistency`].
    pub fn check(self, before: &ApiToken) -> Result<(), DbError> {
        let at = Row { table: "api_tokens", key: before.id };
        let attributes = at.parsed("attributes", self.attributes)?;
        let is_kept =
            self.expires_at == before.expires_at.map(DbTime::from) && attributes == before.attributes;
        if is_kept { Ok(()) } else { Err(stale(Entity::Token(before.id))) }
    }
}

/// The columns of `api_tokens` that an update of a token sets.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true)]
pub struct ChangedTokenRow {
    expires_at: Option<DbTime>,
    attributes: NewJson,
}

impl From<&ApiToken> for ChangedTokenRow {
    fn from(token: &ApiToken) -> Self {
        let attributes = NewJson(token.attributes.to_json().into());
        Self { expires_at: token.expires_at.map(DbTime::from), attributes }
    }
}

/// The columns of `api_tokens` that a new secret sets.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true)]
pub struct ChangedSecretRow<'a> {
    #[diesel(column_name = secret_digest)]
    digest: &'a [u8],
    #[diesel(column_name = secret_key)]
    key: &'a [u8],
    #[diesel(column_name = secret_sealed)]
    sealed: Option<&'a [u8]>,
}

impl<'a> From<&'a SecretRecord> for ChangedSecretRow<'a> {
    fn from(secret: &'a SecretRecord) -> Self {
        Self { digest: &secret.digest.0, key: &secret.key.0, sealed: secret.sealed.as_deref() }
    }
}

/// A new row of `api_token_projects`.
#[derive(Insertable)]
#[diesel(table_name = api_token_projects)]
pub struct NewTokenProjectRow<'a> {
    token_id: DbId,
    project_id: &'a str,
    position: DbInt,
}

/// Returns the rows of the projects that a token names.
#[must_use]
pub fn token_projects(token: TokenId, projects: &[ProjectId]) -> Vec<NewTokenProjectRow<'_>> {
    (0..)
        .zip(projects)
        .map(|(position, project)| NewTokenProjectRow {
            token_id: token.into(),
            project_id: project.as_str(),
            position: DbInt(position),
        })
        .collect()
}

/// A row of `retired_secrets`.
#[derive(Insertable)]
#[diesel(table_name = retired_secrets)]
pub struct RetiredSecretRow {
    secret_digest: Vec<u8>,
    secret_key: Vec<u8>,
    token_id: DbId,
    good_until: DbTime,
}

impl RetiredSecretRow {
    /// Returns the row of the token's secret of this digest and key, which stays good until a moment.
    #[must_use]
    pub fn new(token: TokenId, (digest, key): (Vec<u8>, Vec<u8>), good_until: Timestamp) -> Self {
        let (token_id, good_until) = (token.into(), good_until.into());
        Self { secret_digest: digest, secret_key: key, token_id, good_until }
    }
}

/// Converts the moment until which a retired secret of the token is good.
///
/// # Errors
/// [`Inconsistency`].
pub fn retired_secret_end(token: TokenId, good_until: DbTime) -> Result<Timestamp, Inconsistency> {
    Row { table: "retired_secrets", key: token }.time("good_until", good_until)
}

/// How many secrets are in one form under one master key.
#[derive(QueryableByName)]
pub struct SecretCountRow {
    /// The index of the form in [`SecretForm::ALL`].
    #[diesel(sql_type = BigInt)]
    form: i64,
    #[diesel(sql_type = Binary)]
    key: Bytes<4>,
    #[diesel(sql_type = BigInt)]
    good: i64,
    #[diesel(sql_type = BigInt)]
    ended: i64,
}

/// Converts the counts of secrets by form and master key.
///
/// # Errors
/// The [`Inconsistency`] of the first row that has one.
pub fn secrets_by_key(rows: Vec<SecretCountRow>) -> Result<SecretsByKey, Inconsistency> {
    let count = |row: SecretCountRow| {
        let at = Row { table: "all tables with secrets", key: "of one key" };
        let form = SecretForm::numbered(row.form).ok_or_else(|| at.inconsistency("form", row.form))?;
        let key = KeyId(at.bytes("secret_key", row.key)?);
        let (good, ended) = (at.count("good", row.good)?, at.count("ended", row.ended)?);
        Ok(((key, form), SecretCount { good, ended }))
    };
    rows.into_iter().map(count).collect()
}
