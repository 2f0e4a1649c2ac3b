//! API tokens.

use std::collections::HashMap;

use diesel::{AsChangeset, Insertable, Queryable, Selectable, sqlite::Sqlite};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, Timestamp, TokenAccess,
    TokenId, TokenKind, TokenName,
};
use latchkey_ports::{Inconsistency, SecretRecord, StoredToken, TokenSecrets};
use uuid::Uuid;

use super::{Row, TokenSecretsRow};
use crate::schema::{api_tokens, retired_secrets};

/// A row of `api_tokens`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(Sqlite))]
pub(crate) struct TokenRow {
    #[diesel(embed)]
    secrets: TokenSecretsRow,
    name: String,
    kind: String,
    all_projects: bool,
    named_projects: i64,
    environment: Option<String>,
    expires_at: Option<i64>,
    created_at: i64,
    seen_at: Option<i64>,
}

impl TokenRow {
    /// The key by which its links are found.
    pub(crate) fn key(&self) -> &[u8] {
        &self.secrets.id
    }

    /// Whether it names more than one project.
    pub(crate) fn names_several(&self) -> bool {
        self.named_projects > 1
    }

    /// The token, with all of the projects that its links name, in their order.
    pub(crate) fn into_token<'p>(
        self,
        projects: impl IntoIterator<Item = &'p str>,
    ) -> Result<StoredToken, Inconsistency> {
        let row = self;
        let TokenSecrets { token: id, secret, alias } = row.secrets.try_into()?;
        let at = Row { table: "api_tokens", key: id };
        let kind: TokenKind = at.column("kind", row.kind.parse())?;
        let projects = scope(&at, row.all_projects, row.named_projects, projects)?;
        let environment = match row.environment {
            None => EnvironmentScope::All,
            Some(name) => EnvironmentScope::Only(at.column("environment", EnvironmentName::new(&name))?),
        };
        let token = ApiToken {
            id,
            name: at.column("name", TokenName::new(&row.name))?,
            access: at.column("kind", TokenAccess::new(kind, projects, environment))?,
            expires_at: at.optional_moment("expires_at", row.expires_at)?,
            created_at: at.moment("created_at", row.created_at)?,
            last_used_at: at.optional_moment("seen_at", row.seen_at)?,
        };
        Ok(StoredToken { token, secret, alias })
    }
}

/// A row of `api_token_projects`: token and project.
pub(crate) type LinkRow = (Vec<u8>, String);

/// The tokens of one project. Those that name others too have all of their links in `links`; both lists are in the order
/// of token ids.
pub(crate) fn tokens_of_project(
    project: &str,
    rows: Vec<TokenRow>,
    links: &[LinkRow],
) -> Result<Vec<StoredToken>, Inconsistency> {
    let mut links = links.iter().peekable();
    rows.into_iter()
        .map(|row| {
            if !row.names_several() {
                return row.into_token([project]);
            }
            let mut projects = Vec::new();
            while let Some((_, project)) = links.next_if(|(token, _)| *token == row.secrets.id) {
                projects.push(project.as_str());
            }
            row.into_token(projects)
        })
        .collect()
}

/// Tokens in any order, with all of their links in `links`, where those of each token are in order.
pub(crate) fn tokens_with_links(
    rows: Vec<TokenRow>,
    links: &[LinkRow],
) -> Result<Vec<StoredToken>, Inconsistency> {
    let mut projects: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for (token, project) in links {
        projects.entry(token).or_default().push(project);
    }
    rows.into_iter()
        .map(|row| {
            let named = projects.remove(row.key()).unwrap_or_default();
            row.into_token(named)
        })
        .collect()
}

/// A token that names no project is not for all of them: only `all_projects` says that. And one that has lost a link, or
/// got one, says so by its number of them.
fn scope<'p>(
    at: &Row<TokenId>,
    all_projects: bool,
    number: i64,
    projects: impl IntoIterator<Item = &'p str>,
) -> Result<ProjectScope, Inconsistency> {
    let ids: Vec<ProjectId> =
        projects.into_iter().map(ProjectId::new).collect::<Result<_, _>>().map_err(|fault| {
            Inconsistency {
                table: "api_token_projects",
                column: "project_id",
                row: at.key.to_string(),
                fault: fault.to_string(),
            }
        })?;
    if i64::try_from(ids.len()) != Ok(number) {
        let fault = format!("api_token_projects has {} and not {number}", ids.len());
        return Err(at.inconsistency("named_projects", fault));
    }
    match (all_projects, ids.is_empty()) {
        (true, true) => Ok(ProjectScope::All),
        (true, false) => Err(at.inconsistency("all_projects", "a token of all projects names some")),
        (false, _) => at.column("all_projects", ProjectSet::new(ids)).map(ProjectScope::Only),
    }
}

/// A new row of `api_tokens`.
#[derive(Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub(crate) struct NewTokenRow<'a> {
    id: &'a [u8],
    name: &'a str,
    kind: &'a str,
    all_projects: bool,
    named_projects: i64,
    environment: Option<&'a str>,
    expires_at: Option<i64>,
    created_at: i64,
    seen_at: Option<i64>,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    secret_sealed: Option<&'a [u8]>,
    alias_digest: Option<&'a [u8]>,
    alias_key: Option<&'a [u8]>,
    alias_sealed: Option<&'a [u8]>,
}

impl<'a> NewTokenRow<'a> {
    /// The row of this token, under this id (its own; bytes that outlive the row).
    pub(crate) fn new(stored: &'a StoredToken, id: &'a Uuid) -> Self {
        let StoredToken { token, secret, alias } = stored;
        let alias = alias.as_ref();
        Self {
            id: id.as_bytes(),
            name: token.name.as_str(),
            kind: token.access.kind().as_str(),
            all_projects: matches!(token.access.projects(), ProjectScope::All),
            // Nobody holds that many in memory.
            named_projects: i64::try_from(token.access.projects().named().len()).unwrap_or(i64::MAX),
            environment: token.access.environment().map(EnvironmentName::as_str),
            expires_at: token.expires_at.map(Timestamp::millis),
            created_at: token.created_at.millis(),
            seen_at: token.last_used_at.map(Timestamp::millis),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            secret_sealed: secret.sealed.as_deref(),
            alias_digest: alias.map(|alias| alias.digest.0.as_slice()),
            alias_key: alias.map(|alias| alias.key.0.as_slice()),
            alias_sealed: alias.and_then(|alias| alias.sealed.as_deref()),
        }
    }
}

/// A secret that takes the place of another in a row of `api_tokens`.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens, treat_none_as_null = true)]
pub(crate) struct ChangedSecretRow<'a> {
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

/// Until when a retired secret of a token is good.
pub(crate) fn end_of_retired_secret(token: TokenId, good_until: i64) -> Result<Timestamp, Inconsistency> {
    Row { table: "retired_secrets", key: token }.moment("good_until", good_until)
}

/// A new row of `retired_secrets`.
#[derive(Insertable)]
#[diesel(table_name = retired_secrets)]
pub(crate) struct RetiredSecretRow<'a> {
    pub(crate) secret_digest: &'a [u8],
    pub(crate) secret_key: &'a [u8],
    pub(crate) token_id: &'a [u8],
    pub(crate) good_until: i64,
}
