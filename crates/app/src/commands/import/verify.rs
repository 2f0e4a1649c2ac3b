//! Presents every token of an Unleash server to it and to Latchkey, and compares the answers.
//!
//! Those of the second form are counted only: nothing but their clients has the secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use actix_web::http::Uri;
use anyhow::{Context as _, bail, ensure};
use latchkey_unleash::{Presented, UnleashDatabase};
use serde::Deserialize;
use serde_json::json;
use tokio::{task::spawn_blocking, try_join};
use ureq::Agent;

use crate::{commands::progress::Progress, http_client, output};

/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many secrets are presented in one request.
const SECRETS_AT_ONCE: usize = 500;
/// Where API tokens are presented, without credentials.
const VALIDATE: &str = "/edge/validate";
/// Where personal access tokens are presented.
const USER: &str = "/api/admin/user";

/// A server to which tokens are presented.
#[derive(Clone)]
struct Server {
    agent: Agent,
    url: String,
}

/// The answer about the tokens that are accepted.
#[derive(Deserialize)]
struct Answer {
    tokens: Vec<Accepted>,
}

#[derive(Deserialize)]
struct Accepted {
    token: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    projects: Vec<String>,
    environment: Option<String>,
}

/// Compares what both servers say of each token. The database is that of the old one.
///
/// # Errors
/// If they do not agree, after each difference was printed; if one of them does not answer.
pub(super) async fn verify(database: &mut UnleashDatabase, old: &Uri, new: Uri) -> anyhow::Result<()> {
    let (old, new) = (Server::new(old), Server::new(&new));
    let all = database.token_count();
    let (mut presented, mut accepted, mut differences) = (0_u64, 0_u64, 0_u64);
    let mut progress = Progress::default();
    let mut tell = |label: &str, there: Option<String>, here: Option<String>| {
        differences += 1;
        let said = |scope: Option<String>| scope.unwrap_or_else(|| "not accepted".to_owned());
        output::result(format_args!("{label}: {} there, {} here", said(there), said(here)))
    };
    while let Some(batch) = database.next_presented().await? {
        for portion in batch.chunks(SECRETS_AT_ONCE) {
            let secrets: Vec<String> = portion.iter().map(|one| one.secret.reveal().to_owned()).collect();
            let (there, here) = try_join!(old.validate(secrets.clone()), new.validate(secrets))?;
            for Presented { secret, label } in portion {
                let (there, here) = (there.get(secret.reveal()), here.get(secret.reveal()));
                accepted += u64::from(there.is_some());
                if !agree(there, here) {
                    progress.interrupt();
                    tell(label, there.map(Scope::to_string), here.map(Scope::to_string))?;
                }
            }
            presented += portion.len() as u64;
            progress.show("presented", presented, all.max(presented));
        }
    }
    progress.interrupt();
    for Presented { secret, label } in database.presented_personal_tokens().await? {
        let secret = secret.reveal().to_owned();
        let (there, here) = try_join!(old.accepts(secret.clone()), new.accepts(secret))?;
        presented += 1;
        accepted += u64::from(there);
        if there != here {
            let said = |accepted: bool| accepted.then(|| "accepted".to_owned());
            tell(&label, said(there), said(here))?;
        }
    }
    output::explain(format_args!(
        "{presented} secrets and aliases were presented, of which {accepted} are accepted there."
    ));
    let hidden = database.hidden_secrets();
    if hidden > 0 {
        output::explain(format_args!(
            "{hidden} tokens of the second form (v2_…) were not presented: their clients alone have the secrets. Run the import again \
             with --dry-run to see that each is here."
        ));
    }
    if differences > 0 {
        bail!("{differences} answers differ: see above");
    }
    output::explain("Both servers say the same of each.");
    Ok(())
}

impl Server {
    fn new(url: &Uri) -> Self {
        let url = url.to_string().trim_end_matches('/').to_owned();
        Self { agent: http_client::agent(&url, TIMEOUT), url }
    }

    /// Returns the scope of each of these secrets that is accepted.
    async fn validate(&self, secrets: Vec<String>) -> anyhow::Result<BTreeMap<String, Scope>> {
        let server = self.clone();
        let asked = spawn_blocking(move || {
            let target = format!("{}{VALIDATE}", server.url);
            let body = json!({ "tokens": secrets }).to_string();
            let mut response = server.agent.post(&target).content_type("application/json").send(body)?;
            ensure!(response.status() == 200, "it answered {}", response.status());
            let Answer { tokens } = serde_json::from_str(&response.body_mut().read_to_string()?)?;
            Ok(tokens.into_iter().map(|accepted| (accepted.token.clone(), Scope::of(accepted))).collect())
        });
        asked.await?.with_context(|| format!("{}{VALIDATE}", self.url))
    }

    /// Whether this personal access token is accepted.
    async fn accepts(&self, secret: String) -> anyhow::Result<bool> {
        let server = self.clone();
        let asked = spawn_blocking(move || {
            let target = format!("{}{USER}", server.url);
            let response = server.agent.get(&target).header("Authorization", secret).call()?;
            match response.status().as_u16() {
                200 => Ok(true),
                401 | 403 => Ok(false),
                other => bail!("it answered {other}"),
            }
        });
        asked.await?.with_context(|| format!("{}{USER}", self.url))
    }
}

/// What a token may do, in a form that both servers have in common.
#[derive(PartialEq)]
struct Scope {
    kind: String,
    projects: BTreeSet<String>,
    /// Servers before 7.4 do not say it.
    environment: Option<String>,
}

impl Scope {
    fn of(accepted: Accepted) -> Self {
        let kind = accepted.kind.unwrap_or_default().to_lowercase();
        let kind = if kind == "backend" { "client".to_owned() } else { kind };
        Self { kind, projects: accepted.projects.into_iter().collect(), environment: accepted.environment }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projects: Vec<&str> = self.projects.iter().map(String::as_str).collect();
        write!(f, "{} {}", self.kind, projects.join(","))?;
        self.environment.iter().try_for_each(|environment| write!(f, ":{environment}"))
    }
}

/// Whether both servers say the same, as far as both say it.
fn agree(there: Option<&Scope>, here: Option<&Scope>) -> bool {
    match (there, here) {
        (Some(there), Some(here)) => {
            let environments = there.environment.as_ref().zip(here.environment.as_ref());
            (&there.kind, &there.projects) == (&here.kind, &here.projects)
                && environments.is_none_or(|(there, here)| there == here)
        }
        (there, here) => there.is_none() && here.is_none(),
    }
}
