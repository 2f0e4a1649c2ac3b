//! `latchkey token`.

use anyhow::{Context as _, bail};
use latchkey_domain::{
    EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, TokenAccess, TokenKind,
};
use latchkey_service::{Initiator, TokenDraft};

use crate::{
    cli::TokenArgs,
    output::{self, Usage},
    wiring::App,
};

/// What stands for all projects, and for all environments.
const ALL: &str = "*";
/// The environment of a token that names none (contract, "Create body").
const DEFAULT_ENVIRONMENT: &str = "development";

/// Makes an API token; prints its secret, this once.
pub(super) async fn create(app: &App, arguments: TokenArgs) -> anyhow::Result<()> {
    let TokenArgs { kind, name, projects, environment, expiry } = arguments;
    let access = match access(kind, &projects, environment.as_deref()) {
        Ok(access) => access,
        Err(error) => bail!(Usage(error.to_string())),
    };
    let expiry = expiry.expires_in.or(expiry.expires_at);
    let draft = TokenDraft {
        name,
        access,
        expires_at: expiry.map(|expiry| expiry.moment(app.clock.now())).transpose()?,
    };
    let issued =
        app.use_cases.issuer.issue(draft, &Initiator::system()).await.context("no token was made")?;
    let secret = issued.secret.context("the new token has no secret")?;
    output::result(secret.reveal()).context(super::UNSHOWN)?;
    let until = issued.token.expires_at.map_or("for ever".to_owned(), |end| format!("until {end}"));
    output::explain(format_args!("This is a new {kind} token, valid {until}."));
    Ok(())
}

fn access(kind: TokenKind, projects: &[String], environment: Option<&str>) -> anyhow::Result<TokenAccess> {
    let projects = if projects.is_empty() || projects.iter().any(|project| project == ALL) {
        ProjectScope::All
    } else {
        let ids: Vec<_> = projects.iter().map(|id| ProjectId::new(id)).collect::<Result<_, _>>()?;
        ProjectScope::Only(ProjectSet::new(ids)?)
    };
    let environment = match (environment, kind) {
        (Some(ALL), _) | (None, TokenKind::Admin) => EnvironmentScope::All,
        (name, _) => EnvironmentScope::Only(EnvironmentName::new(name.unwrap_or(DEFAULT_ENVIRONMENT))?),
    };
    match TokenAccess::new(kind, projects, environment) {
        Ok(access) => Ok(access),
        Err(_) if kind == TokenKind::Admin => {
            bail!(
                "an admin token is for all projects and environments: leave --project and --environment out"
            )
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: TokenKind, projects: &[&str], environment: Option<&str>) -> String {
        let projects: Vec<_> = projects.iter().map(ToString::to_string).collect();
        match access(kind, &projects, environment) {
            Ok(access) => latchkey_domain::SecretPrefix::of(&access).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        assert_eq!(said(TokenKind::Admin, &[], None), "*:*.");
        assert_eq!(said(TokenKind::Client, &[], None), "*:development.");
        assert_eq!(said(TokenKind::Client, &["a", "*"], Some("production")), "*:production.");
        assert_eq!(said(TokenKind::Frontend, &["a", "a"], None), "a:development.");
        assert_eq!(said(TokenKind::Frontend, &["a", "b"], None), "[]:development.");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let error = said(TokenKind::Admin, &["a"], None);
        assert!(error.contains("leave --project and --environment out"), "{error}");
        assert!(said(TokenKind::Client, &[], Some("*")).contains("one environment"));
        assert!(said(TokenKind::Client, &["a/b"], None).contains("project id"));
    }
}
