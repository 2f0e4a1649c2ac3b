//! The command line, as `--help` explains it.

mod keys;

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use latchkey_domain::{
    Description, Email, PersonName, ProjectDescription, ProjectId, ProjectName, TokenKind, TokenName,
    Username,
};

pub(crate) use self::keys::{KeysCommand, PROCEDURE};
use crate::{commands::expiry::Expiry, config::Flag};

const EXAMPLES: &str = "\
Examples:
  latchkey                                      serve on 127.0.0.1:4242 with an embedded database in data/
  latchkey --port 8080                          the same on another port
  DATABASE_URL=postgres://… latchkey serve      serve from PostgreSQL
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
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<IpAddr>,
    /// The port to listen on; 0 takes any free one
    #[arg(long)]
    pub(crate) port: Option<u16>,
}

impl ServeFlags {
    pub(crate) fn is_empty(&self) -> bool {
        self.listen.is_none() && self.port.is_none()
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
            ("--listen", "server.listen", after.listen.or(before.listen).map(|address| address.to_string())),
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
    /// Print the settings in effect as TOML, passwords masked, each with its source
    Config(ConfigArgs),
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage projects
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Give a user a role in a project
    #[command(after_help = "Example:\n  latchkey grant --user ed@example.com --project shop --role Member")]
    Grant(GrantArgs),
    /// Manage personal access tokens, with which users call the API
    #[command(subcommand)]
    Pat(PatCommand),
    /// Manage API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print the OpenAPI document
    Openapi,
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

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user and print the id
    #[command(
        after_help = "Examples:\n  latchkey user create --email ed@example.com --name Ed --role Editor\n  \
        latchkey user create --username ops --role Admin --password-stdin < password.txt\n  \
        latchkey user create --username deployer"
    )]
    Create(UserArgs),
    /// Set a user's password and end all their sessions
    #[command(
        after_help = "Example:\n  latchkey user set-password --user ed@example.com --password-stdin < password.txt"
    )]
    SetPassword(PasswordArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(flatten)]
    pub(crate) login: Login,
    /// The display name
    #[arg(long)]
    pub(crate) name: Option<PersonName>,
    /// The role for the whole instance: Admin, Editor or Viewer
    #[arg(long, default_value = "Viewer")]
    pub(crate) role: String,
    /// Read the password from the first line of standard input; without a password, the user cannot sign in
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: String,
    /// Read the password from the first line of standard input
    // The only way: every user of the machine can see the arguments of its processes.
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
}

/// The login names of a user: one of them, or both.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Login {
    /// The e-mail address
    #[arg(long, value_parser = Email::new)]
    pub(crate) email: Option<Email>,
    /// The user name
    #[arg(long)]
    pub(crate) username: Option<Username>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Create a project and print its id
    #[command(after_help = "Example:\n  latchkey project create shop --name \"Web shop\"")]
    Create(ProjectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// The id: up to 100 of the characters A-Z, a-z, 0-9, _, ~, . and -
    pub(crate) id: ProjectId,
    /// The name; by default the id
    #[arg(long)]
    pub(crate) name: Option<ProjectName>,
    /// The description
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) description: ProjectDescription,
}

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: String,
    /// The project's id
    #[arg(long)]
    pub(crate) project: ProjectId,
    /// The role: Owner or Member
    #[arg(long, default_value = "Member")]
    pub(crate) role: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatCommand {
    /// Create a personal access token and print its secret, once
    #[command(
        after_help = "Example:\n  latchkey pat create --user ed@example.com --description ci --expires-in 90d"
    )]
    Create(PatArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PatArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: String,
    /// The description, unique among the user's tokens
    #[arg(long)]
    pub(crate) description: Description,
    #[command(flatten)]
    pub(crate) expiry: RequiredExpiry,
}

/// A required expiry.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RequiredExpiry {
    /// The lifetime: 12h, 90d, 1y
    #[arg(long, value_name = "DURATION", value_parser = Expiry::after)]
    pub(crate) expires_in: Option<Expiry>,
    /// The end of the lifetime: 2030-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = Expiry::at)]
    pub(crate) expires_at: Option<Expiry>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create an API token and print its secret, once
    #[command(after_help = "Examples:\n  latchkey token create --type admin --name ops\n  \
        latchkey token create --type client --name web --project shop --environment production\n  \
        latchkey token create --type frontend --name ads --project shop --project blog --expires-in 30d")]
    Create(TokenArgs),
}

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
    pub(crate) expiry: OptionalExpiry,
}

/// An optional expiry.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct OptionalExpiry {
    /// The lifetime: 12h, 90d, 1y; by default unlimited
    #[arg(long, value_name = "DURATION", value_parser = Expiry::after)]
    pub(crate) expires_in: Option<Expiry>,
    /// The end of the lifetime: 2030-01-31T00:00:00Z
    #[arg(long, value_name = "RFC3339", value_parser = Expiry::at)]
    pub(crate) expires_at: Option<Expiry>,
}

#[cfg(test)]
mod tests;
