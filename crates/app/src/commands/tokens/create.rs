//! `latchkey token create`.

use anyhow::{Context as _, bail};
use clap::Args;
use latchkey_domain::{
    Enabled, EnvironmentName, EnvironmentScope, ProjectId, ProjectScope, ProjectSet, Timestamp, TokenAccess,
    TokenAttributes, TokenKind, TokenName,
};
use latchkey_service::{Initiator, TokenDraft};

use super::attributes::AttributeArgs;
use crate::{
    commands::expiry::OptionalExpiry,
    output::{self, Usage},
    wiring::App,
};

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// admin, client or frontend
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: TokenKind,
    /// The name
    #[arg(long)]
    pub(crate) name: TokenName,
    /// A project of the token, may be repeated; by default all projects
    #[arg(long = "project", value_name = "ID")]
    pub(crate) projects: Vec<String>,
    /// The environment of the token; by default development, and all for an admin token
    #[arg(long)]
    pub(crate) environment: Option<String>,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
    /// Create the token disabled; `latchkey token enable` lets it in
    #[arg(long)]
    pub(crate) disabled: bool,
    #[command(flatten)]
    pub(crate) expiry: OptionalExpiry,
}

/// Stands for all projects, or all environments.
const ALL: &str = "*";
/// The environment of a token without one.
const DEFAULT_ENVIRONMENT: &str = "development";

/// Creates an API token and prints its secret.
pub(super) async fn create(app: &App, arguments: TokenArgs) -> anyhow::Result<()> {
    let kind = arguments.kind;
    let draft = draft(arguments, app.clock.now())?;
    let issued =
        app.use_cases.issuer.issue(draft, &Initiator::system()).await.context("no token was created")?;
    let secret = issued.secret.context("the new token has no secret")?;
    output::secret(secret.reveal())?;
    let until = issued.token.expires_at.map_or("without expiry".to_owned(), |end| format!("until {end}"));
    output::explain(format_args!("This is a new {kind} token, valid {until}."));
    Ok(())
}

fn draft(arguments: TokenArgs, now: Timestamp) -> anyhow::Result<TokenDraft> {
    let TokenArgs { kind, name, projects, environment, attributes, disabled, expiry } = arguments;
    let access = match access(kind, &projects, environment.as_deref()) {
        Ok(access) => access,
        Err(error) => bail!(Usage(error.to_string())),
    };
    let expiry = expiry.expires_in.or(expiry.expires_at);
    let expires_at = expiry.map(|expiry| expiry.time(now)).transpose()?.into();
    let attributes = TokenAttributes { enabled: Enabled(!disabled), ..attributes.of_new_token()? };
    Ok(TokenDraft { name, access, expires_at, attributes })
}

fn access(kind: TokenKind, projects: &[String], environment: Option<&str>) -> anyhow::Result<TokenAccess> {
    let projects = if projects.is_empty() { ProjectScope::All } else { project_scope(projects)? };
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

/// Returns the scope of these projects; `*` among them is all.
pub(crate) fn project_scope(ids: &[String]) -> anyhow::Result<ProjectScope> {
    if ids.iter().any(|id| id == ALL) {
        return Ok(ProjectScope::All);
    }
    let ids: Vec<_> = ids.iter().map(|id| ProjectId::new(id)).collect::<Result<_, _>>()?;
    Ok(ProjectScope::Only(ProjectSet::new(ids)?))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn prefix_or_error(kind: TokenKind, projects: &[&str], environment: Option<&str>) -> String {
        let projects: Vec<_> = projects.iter().map(ToString::to_string).collect();
        match access(kind, &projects, environment) {
            Ok(access) => latchkey_domain::SecretPrefix::of(&access).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        arguments: TokenArgs,
    }

    #[test]
    fn a_description_is_part_of_the_token() {
        let parse = |description: &str| {
            Line::try_parse_from(["create", "--type", "client", "--name", "t", "--description", description])
        };
        let now = Timestamp::from_millis(0).expect("in range");
        let drafted = draft(parse(" Checkout ").expect("parsed").arguments, now).expect("a draft");
        assert_eq!(drafted.attributes.description.expect("described").as_str(), "Checkout");
        assert!(parse(&"x".repeat(1_001)).is_err());
    }

    #[test]
    fn attributes_are_part_of_the_token() {
        let line = "create --type client --name t --owner ada --metadata team=a --metadata url=x=y --scope b:* --scope a \
            --allowed-network 10.0.0.0/8 --allowed-network ::1 --rate-limit 100/PT1M+20 --uses 9+5/P1D --disabled";
        let now = Timestamp::from_millis(0).expect("in range");
        let parsed = Line::try_parse_from(line.split_whitespace()).expect("parsed");
        let attributes = draft(parsed.arguments, now).expect("a draft").attributes;
        let expected = serde_json::json!({
            "owner": "ada",
            "metadata": { "team": "a", "url": "x=y" },
            "scopes": ["a", "b:*"],
            "allowedNetworks": ["10.0.0.0/8", "::1/128"],
            "rateLimit": { "requests": 100, "per": "PT1M", "burst": 20 },
            "uses": { "remaining": 9, "refill": { "amount": 5, "every": "P1D" } },
            "enabled": false,
        });
        assert_eq!(serde_json::Value::Object(attributes.to_json()), expected);
        let wrong = [
            "--scope a:",
            "--metadata team",
            "--metadata",
            "--allowed-network 10.0.0.1/8",
            "--rate-limit 100",
            "--rate-limit 0/PT1M",
            "--rate-limit 5/60s",
            "--uses many",
            "--uses 5+5",
            "--uses 5+0/P1D",
        ];
        for wrong in wrong {
            let line = format!("create --type client --name t {wrong}");
            let parsed = Line::try_parse_from(line.split_whitespace());
            assert!(parsed.is_err() || draft(parsed.expect("parsed").arguments, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn omitted_arguments_have_defaults() {
        assert_eq!(prefix_or_error(TokenKind::Admin, &[], None), "*:*.");
        assert_eq!(prefix_or_error(TokenKind::Client, &[], None), "*:development.");
        assert_eq!(prefix_or_error(TokenKind::Client, &["a", "*"], Some("production")), "*:production.");
        assert_eq!(prefix_or_error(TokenKind::Frontend, &["a", "a"], None), "a:development.");
        assert_eq!(prefix_or_error(TokenKind::Frontend, &["a", "b"], None), "[]:development.");
    }

    #[test]
    fn impossible_scopes_are_refused() {
        let error = prefix_or_error(TokenKind::Admin, &["a"], None);
        assert!(error.contains("leave --project and --environment out"), "{error}");
        assert!(prefix_or_error(TokenKind::Client, &[], Some("*")).contains("one environment"));
        assert!(prefix_or_error(TokenKind::Client, &["a/b"], None).contains("project id"));
    }
}
