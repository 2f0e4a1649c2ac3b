//! `latchkey export`: the way back to another system.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use latchkey_ports::{Outcome, RowKind};
use latchkey_postgres::Access;
use latchkey_service::{Caller, InstancePermit, ReadInstanceTokens, RevealedToken, TokenFilter};
use latchkey_unleash::{OutgoingToken, UnleashExport};

use crate::{
    commands::{import::unleash::unleash_url, report::Report},
    config::{Config, Database},
    output, store,
    wiring::App,
};

pub(crate) const EXPORT_UNLEASH_HELP: &str = "\
Example:
  latchkey export unleash --to postgres://unleash@db.example.com/unleash --dry-run

Writes the API tokens into the database of an Unleash server (5 to 7), in one transaction, so that clients can go back to it.
What is there stays as it is. Tokens whose projects or environment are not there are left out, because Unleash would give them
another scope. It takes tokens.reveal = \"always\": secrets that are shown once, and those of the second form of Unleash, are known to
their owners alone, and are named in the report. The server accepts the tokens within a minute.";

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write the API tokens into the database of an Unleash server
    #[command(after_help = EXPORT_UNLEASH_HELP)]
    Unleash(ExportUnleashArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportUnleashArgs {
    /// The database of the Unleash server: `postgres://…`
    #[arg(long, value_name = "URL")]
    pub(crate) to: Database,
    /// Its schema, the `DATABASE_SCHEMA` of the server
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
    /// Say what would be written, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a line of JSON for every token to this new file: whether it was written, and why not
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// Writes all API tokens that Unleash would give the same scope.
pub(super) async fn unleash(app: &App, config: &Config, arguments: ExportUnleashArgs) -> anyhow::Result<()> {
    let url = unleash_url("--to", &arguments.to)?;
    let mut report = Report::begin(arguments.report)?;
    let failed = || format!("{}: nothing was written", arguments.to.shown());
    let client = store::connect_foreign(url, config, Access::Full).await.with_context(failed)?;
    let export = UnleashExport::begin(client, &arguments.schema).await.with_context(failed)?;
    let permit = InstancePermit::<ReadInstanceTokens>::request(&Caller::system())?;
    let mut after = None;
    loop {
        let filter = TokenFilter { after, limit: Some(TokenFilter::MAX), ..TokenFilter::default() };
        let page = app.use_cases.instance_tokens.search(&permit, filter).await.with_context(failed)?;
        let outgoing = page
            .tokens
            .into_iter()
            .map(|RevealedToken { token, secret, alias, .. }| OutgoingToken { token, secret, alias });
        report.add(export.add(outgoing.collect()).await.with_context(failed)?)?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if !arguments.dry_run {
        export.commit().await.with_context(failed)?;
    }
    let written = report.count(RowKind::Token, Outcome::Came);
    report.finish()?;
    output::explain(if arguments.dry_run {
        format!("{written} API tokens would be written. Nothing was changed.")
    } else {
        format!("{written} API tokens were written.")
    });
    Ok(())
}
