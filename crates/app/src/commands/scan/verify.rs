//! Asks a server which of the secrets are valid, and whose they are.

use std::{collections::BTreeMap, fmt, time::Duration};

use actix_web::http::Uri;
use anyhow::{Context as _, bail};
use latchkey_domain::SecretForm;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use ureq::Agent;

use super::finding::Finding;
use crate::{
    config::{EnvVars, TOKEN},
    http_client,
    output::Usage,
};

/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Where API tokens are introspected.
const INTROSPECT: &str = "/oauth2/introspect";
/// Who the caller is, for secrets of users.
const USER: &str = "/api/admin/user";
/// The cookie that carries the secret of a session.
const SESSION_COOKIE: &str = "latchkey-session";

/// What the server says of the secrets, by their SHA-256.
#[derive(Default)]
pub(super) struct Statuses(BTreeMap<String, Status>);

/// What the server says of a secret: whether it is valid, and whose it is.
#[derive(Default, Serialize)]
pub(super) struct Status {
    pub(super) live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
}

/// An API token, as the server introspects it.
#[derive(Serialize, Deserialize)]
struct Token {
    #[serde(rename(deserialize = "sub"))]
    id: String,
    #[serde(rename(deserialize = "client_id"))]
    name: String,
    r#type: String,
    projects: Vec<String>,
    environment: String,
}

/// A user who has a personal access token or a session.
#[derive(Serialize, Deserialize)]
struct User {
    id: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Deserialize)]
struct Introspection {
    active: bool,
    #[serde(flatten)]
    token: Option<Token>,
}

#[derive(Deserialize)]
struct Myself {
    user: User,
}

impl Statuses {
    /// Returns what the server said of a finding, if it was asked.
    pub(super) fn of(&self, finding: &Finding) -> Option<&Status> {
        self.0.get(&finding.sha256)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Token { name, r#type: kind, projects, environment, .. }) = &self.token {
            write!(f, "{kind} token \"{name}\" of {} in {environment}", projects.join(","))?;
        }
        if let Some(User { id, username, email }) = &self.user {
            write!(f, "of user {id}")?;
            email.as_ref().or(username.as_ref()).map_or(Ok(()), |name| write!(f, ", {name}"))?;
        }
        Ok(())
    }
}

/// Asks the server about each secret once.
///
/// # Errors
/// [`Usage`] if the token with which to ask is missing, or if the server does not say.
pub(super) fn verify(findings: &[Finding], url: &Uri, variables: &EnvVars) -> anyhow::Result<Statuses> {
    let server = Server::new(url, variables);
    let mut statuses = BTreeMap::new();
    for finding in findings {
        if !statuses.contains_key(&finding.sha256) {
            let status =
                server.status(finding).map_err(|error| Usage(format!("{}: {error:#}", server.url)))?;
            statuses.insert(finding.sha256.clone(), status);
        }
    }
    Ok(Statuses(statuses))
}

struct Server<'v> {
    agent: Agent,
    url: String,
    /// The token with which API tokens are introspected.
    token: Option<&'v str>,
}

impl<'v> Server<'v> {
    fn new(url: &Uri, variables: &'v EnvVars) -> Self {
        let url = url.to_string().trim_end_matches('/').to_owned();
        Self { agent: http_client::agent(&url, TIMEOUT), url, token: variables.get(TOKEN) }
    }

    fn status(&self, finding: &Finding) -> anyhow::Result<Status> {
        let secret = finding.secret.reveal();
        match finding.form {
            SecretForm::ApiToken | SecretForm::UnleashV2 => self.introspect(secret),
            SecretForm::PersonalToken => self.user(("Authorization", secret)),
            SecretForm::Session => self.user(("Cookie", &format!("{SESSION_COOKIE}={secret}"))),
        }
    }

    fn introspect(&self, secret: &str) -> anyhow::Result<Status> {
        let token = self.token.with_context(|| {
            format!("set {TOKEN} to an API token of this server with which to ask about others")
        })?;
        let body = format!("token={}", utf8_percent_encode(secret, NON_ALPHANUMERIC));
        let mut response = self
            .agent
            .post(format!("{}{INTROSPECT}", self.url))
            .header("Authorization", token)
            .content_type("application/x-www-form-urlencoded")
            .send(body)?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 => {
                bail!("the token in {TOKEN} may not ask: use a client or admin token of this server")
            }
            other => bail!("{INTROSPECT} answered {other}"),
        }
        let said: Introspection = serde_json::from_str(&response.body_mut().read_to_string()?)?;
        Ok(Status { live: said.active, token: said.token.filter(|_| said.active), user: None })
    }

    /// Presents the secret of a user, which is the only way to ask about it.
    fn user(&self, (header, value): (&str, &str)) -> anyhow::Result<Status> {
        let mut response = self.agent.get(format!("{}{USER}", self.url)).header(header, value).call()?;
        match response.status().as_u16() {
            200 => {
                let Myself { user } = serde_json::from_str(&response.body_mut().read_to_string()?)?;
                Ok(Status { live: true, token: None, user: Some(user) })
            }
            401 => Ok(Status::default()),
            other => bail!("{USER} answered {other}"),
        }
    }
}
