//! Writing API tokens into the database of an Unleash server, so that clients can go back to it.
//!
//! Only tokens that Unleash would give the very same scope are written. One whose projects are not there would become a token
//! of all projects, and one of an environment that is not there would answer for nothing.

use std::collections::BTreeSet;

use latchkey_domain::{ApiToken, ProjectId, TokenSecret};
use latchkey_ports::{Finding, RowKind};
use tokio_postgres::{Client, Error, Statement, types::ToSql};

use crate::{
    database::columns_of,
    error::{UnleashError, forbidden},
    layout::search_path,
};

/// A token to be written, with what a client presents.
pub struct OutgoingToken {
    pub token: ApiToken,
    pub secret: Option<TokenSecret>,
    pub alias: Option<TokenSecret>,
}

/// Why a token without a known secret is not written.
const HIDDEN_SECRET: &str = "its secret is known to its client alone: make a token there for that client";

/// An open transaction in an Unleash database. Nothing is written until it is committed; it ends when it is dropped.
pub struct UnleashExport {
    client: Client,
    insert: Statement,
    link: Statement,
    projects: BTreeSet<String>,
    environments: BTreeSet<String>,
}

impl UnleashExport {
    /// Begins a transaction in this schema.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn begin(client: Client, schema: &str) -> Result<Self, UnleashError> {
        client.batch_execute(&format!("BEGIN; {}", search_path(schema))).await?;
        let layout = columns_of(&client, schema).await?;
        // Until 5.1, the name was in one column; later versions read the other.
        let (column, value) =
            if layout.has("api_tokens", "token_name") { (", token_name", ", $2") } else { ("", "") };
        let insert = format!(
            "INSERT INTO api_tokens (secret, username, type, environment, alias, created_at, expires_at, seen_at{column}) \
             VALUES ($1, $2, $3, $4, $5, to_timestamp($6), to_timestamp($7), to_timestamp($8){value}) ON CONFLICT DO NOTHING"
        );
        let insert = client.prepare(&insert).await.map_err(forbidden)?;
        let link = "INSERT INTO api_token_project (secret, project) SELECT $1, unnest($2::text[])";
        let link = client.prepare(link).await.map_err(forbidden)?;
        // Kept until the commit, so that no token outlives its projects.
        let projects = names(&client, "SELECT id::text FROM projects FOR KEY SHARE").await?;
        let environments = names(&client, "SELECT name::text FROM environments FOR KEY SHARE").await?;
        Ok(Self { client, insert, link, projects, environments })
    }

    /// Writes tokens, and returns what became of each.
    ///
    /// # Errors
    /// [`UnleashError`]; then nothing of the transaction is kept.
    pub async fn add(&self, tokens: Vec<OutgoingToken>) -> Result<Vec<Finding>, UnleashError> {
        let mut findings = Vec::with_capacity(tokens.len());
        for OutgoingToken { token, secret, alias } in tokens {
            let label = format!("{} ({}, created {})", token.name, token.access.kind(), token.created_at);
            findings.push(match (self.obstacle(&token), secret) {
                (Some(why), _) => Finding::left_out(RowKind::Token, label, why),
                (None, None) => Finding::left_out(RowKind::Token, label, HIDDEN_SECRET),
                (None, Some(secret)) if self.write(&token, &secret, alias.as_ref()).await? => {
                    Finding::came(RowKind::Token, label)
                }
                (None, Some(_)) => Finding::present(RowKind::Token, label, ""),
            });
        }
        Ok(findings)
    }

    /// Commits what was written.
    ///
    /// # Errors
    /// [`UnleashError`].
    pub async fn commit(self) -> Result<(), UnleashError> {
        Ok(self.client.batch_execute("COMMIT").await?)
    }

    /// Says why Unleash would not give the token the scope that it has here.
    fn obstacle(&self, token: &ApiToken) -> Option<String> {
        let missing = token.access.projects().named().iter().find(|id| !self.projects.contains(id.as_str()));
        if let Some(id) = missing {
            return Some(format!("there is no project {id} there"));
        }
        let environment = token.access.environment()?;
        let is_there = self.environments.contains(environment.as_str());
        (!is_there).then(|| format!("there is no environment {environment} there"))
    }

    /// Inserts a token; returns whether it was not there.
    async fn write(
        &self,
        token: &ApiToken,
        secret: &TokenSecret,
        alias: Option<&TokenSecret>,
    ) -> Result<bool, Error> {
        let seconds = |at: latchkey_domain::Timestamp| to_seconds(at.millis());
        let environment = token.access.environment().map_or("*", |name| name.as_str());
        let (secret, alias) = (secret.reveal(), alias.map(TokenSecret::reveal));
        let (name, kind) = (token.name.as_str(), token.access.kind().as_str());
        let created = seconds(token.created_at);
        let (expires, used) = (token.expires_at.map(seconds), token.last_used_at.map(seconds));
        let values: [&(dyn ToSql + Sync); 8] =
            [&secret, &name, &kind, &environment, &alias, &created, &expires, &used];
        if self.client.execute(&self.insert, &values).await? == 0 {
            return Ok(false);
        }
        let projects: Vec<&str> = token.access.projects().named().iter().map(ProjectId::as_str).collect();
        if !projects.is_empty() {
            self.client.execute(&self.link, &[&secret, &projects]).await?;
        }
        Ok(true)
    }
}

/// Seconds since 1970, as the database takes them. Of the times of this millennium, no millisecond is lost.
#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 fit 53 bits")]
fn to_seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

async fn names(client: &Client, select: &str) -> Result<BTreeSet<String>, UnleashError> {
    let rows = client.query(select, &[]).await.map_err(forbidden)?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
