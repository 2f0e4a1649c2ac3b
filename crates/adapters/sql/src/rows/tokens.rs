//! API tokens.

use std::{collections::HashMap, mem};

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, TokenAccess,
    TokenAttributes, TokenId, TokenKind, TokenName, TokenSelector,
};
use latchkey_ports::{Entity, Inconsistency, StoredToken, TokenSecrets};

use super::{Row, secrets::TokenSecretsRow};
use crate::{
    DbError,
    columns::{Bytes, DbId, DbInt, DbTime, NewJson, Parsed},
    errors::stale,
    schema::{api_token_projects, api_tokens},
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
    selector: Option<Parsed<TokenSelector>>,
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
            $table::selector,
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
            selector: at.optional("selector", self.selector)?,
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

/// A new row of `api_tokens`.
#[derive(Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub struct NewTokenRow<'a> {
    pub id: DbId,
    pub name: &'a str,
    pub kind: &'static str,
    pub all_projects: bool,
    pub environment: Option<&'a str>,
    pub expires_at: Option<DbTime>,
    pub created_at: DbTime,
    pub seen_at: Option<DbTime>,
    pub secret_digest: &'a [u8],
    pub secret_key: &'a [u8],
    pub secret_sealed: Option<&'a [u8]>,
    pub alias_digest: Option<&'a [u8]>,
    pub alias_key: Option<&'a [u8]>,
    pub alias_sealed: Option<&'a [u8]>,
    pub attributes: NewJson,
    pub selector: Option<&'a str>,
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
            selector: token.selector.as_ref().map(TokenSelector::as_str),
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
