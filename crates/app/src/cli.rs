//! The command line, as `--help` explains it. The arguments of a command stand beside its code, in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        audit::AuditCommand,
        backup::{self, BackupArgs, CopyArgs, RestoreArgs},
        doctor::DoctorArgs,
        export::ExportCommand,
        grant::GrantArgs,
        groups::GroupCommand,
        health::HealthArgs,
        import::ImportCommand,
        keys::KeysCommand,
        mail::MailCommand,
        personal_tokens::PatCommand,
        policies::PolicyCommand,
        projects::ProjectCommand,
        scan::{self, ScanArgs},
        shell::{CompletionsArgs, ManArgs},
        tokens::TokenCommand,
        users::UserCommand,
        webhooks::WebhookCommand,
    },
    config::Flag,
};

const EXAMPLES: &str = "\
Examples:
  latchkey                                      serve on 127.0.0.1:4242 with an embedded database in data/
  latchkey --port 8080                          the same on another port
  DATABASE_URL=postgres://… latchkey serve      serve from PostgreSQL
  DATABASE_URL=postgres://… latchkey serve --role verifier
                                                verify tokens only, from a standby
  latchkey config                               print the settings in effect, each with its source
  latchkey token create --type admin --name ops create an admin token and print its secret, once
  latchkey user set-password --user ed@example.com --password-stdin
                                                set the password of a user who is locked out

Settings come from flags, then LATCHKEY__SECTION__KEY (LATCHKEY__SERVER__PORT=8080), then DATABASE_URL and PORT, then
latchkey.toml, then defaults. Secrets are read from the environment only: LATCHKEY_MASTER_KEY, and
INIT_ADMIN_API_TOKENS, INIT_CLIENT_API_TOKENS, INIT_FRONTEND_API_TOKENS for the first tokens of an empty database.

Commands can change the database while servers run on it; the servers see the changes within moments.";

const DATABASE_URL_HELP: &str =
    "sqlite://<path>, postgres://…, or memory: (prefer DATABASE_URL for one with a password)";

/// The heading of the flags of every command.
const GLOBAL_HEADING: &str = "Settings";

/// A self-hosted service for API tokens, compatible with Unleash's Admin API for tokens.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, after_help = EXAMPLES, propagate_version = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) serve: ServeFlags,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// A configuration file; by default latchkey.toml in the working directory, if there is one
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "URL", help = DATABASE_URL_HELP)]
    pub(crate) database_url: Option<String>,
    /// off, error, warn, info, debug or trace
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// auto, human or json
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

/// Flags of the server.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeFlags {
    /// full, or verifier: serve verification only, from a standby
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// The address to listen on: an IP address, or unix: and a path
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The port to listen on; 0 takes any free one
    #[arg(long)]
    pub(crate) port: Option<u16>,
}

impl ServeFlags {
    pub(crate) fn is_empty(&self) -> bool {
        self.role.is_none() && self.listen.is_none() && self.port.is_none()
    }
}

impl Cli {
    /// Returns the settings that flags set.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let (before, after) = match &self.command {
            Some(Command::Serve(after)) => (&self.serve, after),
            _ => (&self.serve, &self.serve),
        };
        let global = &self.global;
        let flags = [
            ("--role", "server.role", after.role.clone().or(before.role.clone())),
            ("--listen", "server.listen", after.listen.clone().or(before.listen.clone())),
            ("--port", "server.port", after.port.or(before.port).map(|port| port.to_string())),
            ("--database-url", "database.url", global.database_url.clone()),
            ("--log-level", "log.level", global.log_level.clone()),
            ("--log-format", "log.format", global.log_format.clone()),
        ];
        flags.into_iter().filter_map(|(name, key, value)| Some(Flag { name, key, value: value? })).collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API (the default)
    Serve(ServeFlags),
    /// Apply the migrations of the database and exit (`serve` applies them too)
    Migrate,
    /// Look for problems of configuration, database, keys, certificates, files and disk; exits with 1 if there is an error
    Doctor(DoctorArgs),
    /// Write the whole database to a file, while servers run
    #[command(after_help = backup::BACKUP_HELP)]
    Backup(BackupArgs),
    /// Load a backup into an empty database, which is created if it is missing
    #[command(after_help = backup::RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Copy the database into another, empty one, also of another kind
    #[command(after_help = backup::COPY_HELP)]
    Copy(CopyArgs),
    /// Verify and export the audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the settings in effect as TOML, passwords masked, each with its source
    Config(ConfigArgs),
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage groups: users who hold roles together
    #[command(subcommand)]
    Group(GroupCommand),
    /// Manage projects
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Give a user or a group a role in a project
    #[command(
        after_help = "Examples:\n  latchkey grant --user ed@example.com --project shop --role Member\n  \
        latchkey grant --group Payments --project shop"
    )]
    Grant(GrantArgs),
    /// Manage personal access tokens, with which users call the API
    #[command(subcommand)]
    Pat(PatCommand),
    /// Manage API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show the policies for API tokens, and the tokens that break them
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Manage webhooks, to which events are sent
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Try out how mail is sent
    #[command(subcommand)]
    Mail(MailCommand),
    /// Import tokens of other systems
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write tokens into the database of another system
    #[command(subcommand)]
    Export(ExportCommand),
    /// Find secrets of Latchkey in files, logs and git histories, offline; exits with 1 if there are some
    #[command(after_help = scan::SCAN_HELP)]
    Scan(ScanArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Ask a server whether it is well; exits with 1 if it is not
    #[command(
        after_help = "Examples:\n  latchkey health\n  latchkey health --ready --url http://10.0.0.7:4242"
    )]
    Health(HealthArgs),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  latchkey completions bash > /usr/share/bash-completion/completions/latchkey"
    )]
    Completions(CompletionsArgs),
    /// Print a manual page
    #[command(
        after_help = "Examples:\n  latchkey man > latchkey.1\n  latchkey man token create > latchkey-token-create.1"
    )]
    Man(ManArgs),
    /// Manage master keys
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ConfigArgs {
    /// Print latchkey.example.toml instead: every setting with its default and a comment
    #[arg(long)]
    pub(crate) example: bool,
    /// Print the reference page of all settings instead, as Markdown
    #[arg(long)]
    pub(crate) reference: bool,
}

#[cfg(test)]
mod tests;
