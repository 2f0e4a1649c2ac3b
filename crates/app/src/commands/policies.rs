//! `latchkey policy`.

use clap::{Args, Subcommand};
use latchkey_domain::{Policy, PolicyRule, ProjectId};
use latchkey_service::{Caller, InstancePermit, Permit, PolicyViolation, ReadTokens};
use serde_json::Value;

use crate::{output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the policy that holds, of the instance or of a project
    #[command(after_help = "Examples:\n  latchkey policy show\n  latchkey policy show --project shop")]
    Show(ScopeArgs),
    /// Print the tokens that break a policy, by creation: a line for each, with the rules that it breaks
    #[command(
        after_help = "Examples:\n  latchkey policy violations\n  latchkey policy violations --project shop"
    )]
    Violations(ScopeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// Of this project alone
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<ProjectId>,
}

/// Runs a command about policies.
pub(super) async fn run(app: &App, command: PolicyCommand) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Show(scope) => show(app, scope).await,
        PolicyCommand::Violations(scope) => violations(app, scope).await,
    }
}

/// Prints the policy that holds.
async fn show(app: &App, ScopeArgs { project }: ScopeArgs) -> anyhow::Result<()> {
    let policies = &app.use_cases.policies;
    let policy = match project {
        Some(project) => policies.of_project(&permit(project)?).await?.effective(),
        None => policies.of_instance(),
    };
    if policy == Policy::default() {
        output::explain("Nothing is demanded of tokens.");
    }
    for (name, value) in policy.to_json() {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        output::result(format_args!("{name:18}  {value}"))?;
    }
    Ok(())
}

/// Prints the tokens that break a policy.
async fn violations(app: &App, ScopeArgs { project }: ScopeArgs) -> anyhow::Result<()> {
    let policies = &app.use_cases.policies;
    output::result(format_args!("{:36}  {:8}  {:24}  {:40}  name", "id", "type", "expires", "breaks"))?;
    let mut after = None;
    loop {
        let page = if let Some(project) = &project {
            policies.violations_in_project(&permit(project.clone())?, after).await?
        } else {
            let permit = InstancePermit::request(&Caller::system())?;
            policies.violations_in_instance(&permit, after).await?
        };
        page.violations.iter().try_for_each(print_line)?;
        match page.next {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

fn print_line(PolicyViolation { token, rules }: &PolicyViolation) -> anyhow::Result<()> {
    let rules: Vec<_> = rules.iter().copied().map(PolicyRule::as_str).collect();
    output::result(format_args!(
        "{:36}  {:8}  {:24}  {:40}  {}",
        token.id.to_string(),
        token.access.kind().as_str(),
        token.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string()),
        rules.join(", "),
        token.name,
    ))
}

fn permit(project: ProjectId) -> anyhow::Result<Permit<ReadTokens>> {
    Ok(Permit::request(&Caller::system(), project)?)
}
