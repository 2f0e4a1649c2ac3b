//! API tokens.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable, Selectable, pg::Pg};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, Timestamp, TokenAccess,
    TokenId, TokenKind, TokenName,
};
use latchkey_ports::{Inconsistency, StoredToken};
use uuid::Uuid;

use super::{
    Row,
    columns::{Bytes, Moment, Parsed},
    master_keys::records,
};
use crate::schema::{api_tokens, token_rows};

/// A token as the view `token_rows` shows it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_rows, check_for_backend(Pg))]
pub(crate) struct TokenRow {
    id: Uuid,
    name: Parsed<TokenName>,
    kind: Parsed<TokenKind>,
    all_projects: bool,
    environment: Option<Parsed<EnvironmentName>>,
    expires_at: Option<Moment>,
    created_at: Moment,
    seen_at: Option<Moment>,
    secret_digest: Bytes<32>,
    secret_key: Bytes<4>,
    secret_sealed: Option<Vec<u8>>,
    alias_digest: Option<Bytes<32>>,
    alias_key: Option<Bytes<4>>,
    alias_sealed: Option<Vec<u8>>,
    project_ids: Vec<Parsed<ProjectId>>,
}

impl TryFrom<TokenRow> for StoredToken {
    type Error = Inconsistency;

    fn try_from(row: TokenRow) -> Result<Self, Inconsistency> {
        let id = TokenId::from_uuid(row.id);
        let at = Row { table: "api_tokens", key: id };
        let kind = at.column("kind", row.kind.0)?;
        let projects = scope(&at, row.all_projects, row.project_ids)?;
        let moment = |column, moment: Option<Moment>| {
            moment.map(|Moment(moment)| at.column(column, moment)).transpose()
        };
        let environment = match row.environment {
            None => EnvironmentScope::All,
            Some(Parsed(name)) => EnvironmentScope::Only(at.column("environment", name)?),
        };
        let token = ApiToken {
            id,
            name: at.column("name", row.name.0)?,
            access: at.column("kind", TokenAccess::new(kind, projects, environment))?,
            expires_at: moment("expires_at", row.expires_at)?,
            created_at: at.column("created_at", row.created_at.0)?,
            last_used_at: moment("seen_at", row.seen_at)?,
        };
        let secret = (row.secret_digest, row.secret_key, row.secret_sealed);
        let (secret, alias) = records(&at, secret, (row.alias_digest, row.alias_key, row.alias_sealed))?;
        Ok(Self { token, secret, alias })
    }
}

/// A token that names no project is not for all of them: only `all_projects` says that.
fn scope(
    at: &Row<TokenId>,
    all_projects: bool,
    named: Vec<Parsed<ProjectId>>,
) -> Result<ProjectScope, Inconsistency> {
    match (all_projects, named.is_empty()) {
        (true, true) => Ok(ProjectScope::All),
        (true, false) => Err(at.inconsistency("all_projects", "a token of all projects names some")),
        (false, _) => {
            let links = Row { table: "api_token_projects", key: at.key };
            let ids: Result<Vec<_>, _> = named.into_iter().map(|Parsed(id)| id).collect();
            let set = ProjectSet::new(links.column("project_id", ids)?);
            at.column("all_projects", set).map(ProjectScope::Only)
        }
    }
}

/// Until when a retired secret of that token is good.
pub(crate) fn good_until(token: TokenId, moment: DateTime<Utc>) -> Result<Timestamp, Inconsistency> {
    Row { table: "retired_secrets", key: token }.moment("good_until", moment)
}

/// A new row of `api_tokens`.
#[derive(Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub(crate) struct NewTokenRow<'a> {
    id: Uuid,
    name: &'a str,
    kind: &'a str,
    all_projects: bool,
    environment: Option<&'a str>,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    seen_at: Option<DateTime<Utc>>,
    secret_digest: &'a [u8],
    secret_key: &'a [u8],
    secret_sealed: Option<&'a [u8]>,
    alias_digest: Option<&'a [u8]>,
    alias_key: Option<&'a [u8]>,
    alias_sealed: Option<&'a [u8]>,
}

impl<'a> NewTokenRow<'a> {
    pub(crate) fn new(stored: &'a StoredToken) -> Self {
        let StoredToken { token, secret, alias } = stored;
        let alias = alias.as_ref();
        Self {
            id: token.id.as_uuid(),
            name: token.name.as_str(),
            kind: token.access.kind().as_str(),
            all_projects: matches!(token.access.projects(), ProjectScope::All),
            environment: token.access.environment().map(EnvironmentName::as_str),
            expires_at: token.expires_at.map(Timestamp::to_datetime),
            created_at: token.created_at.to_datetime(),
            seen_at: token.last_used_at.map(Timestamp::to_datetime),
            secret_digest: &secret.digest.0,
            secret_key: &secret.key.0,
            secret_sealed: secret.sealed.as_deref(),
            alias_digest: alias.map(|alias| alias.digest.0.as_slice()),
            alias_key: alias.map(|alias| alias.key.0.as_slice()),
            alias_sealed: alias.and_then(|alias| alias.sealed.as_deref()),
        }
    }
}
