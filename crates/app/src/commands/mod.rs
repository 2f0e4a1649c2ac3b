//! What each command does. A command parses nothing: `cli` hands it values of the domain; it calls one use case and
//! says what came of it.

pub(crate) mod expiry;
mod key_usage;
mod keys;
mod password;
mod personal_tokens;
mod progress;
mod projects;
mod tokens;
mod users;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;

use crate::{
    cli::{Cli, Command, ConfigArgs, KeysCommand, PatCommand, ProjectCommand, TokenCommand, UserCommand},
    config::{self, Config, Database, EnvVars, Log},
    output::{self, Usage},
    serve, store, telemetry,
    wiring::App,
};

/// What to do about a secret that could not be printed.
const UNSHOWN: &str = "it was made, but its secret could not be shown: delete it and make another";

/// Does what the command line says.
///
/// # Errors
/// [`Usage`] for a command line that makes no sense; else what went wrong.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let flags = cli.flags();
    let variables = EnvVars::from_process()?;
    let command = cli.command.unwrap_or(Command::Serve(cli.serve.clone()));
    if !matches!(command, Command::Serve(_)) && !cli.serve.is_empty() {
        bail!(Usage("--listen and --port are for serving, not for this command".to_owned()));
    }
    match command {
        Command::Openapi => return openapi(),
        Command::Config(ConfigArgs { example: true, .. }) => {
            return output::result(config::example().trim_end());
        }
        Command::Config(ConfigArgs { reference: true, .. }) => {
            return output::result(config::reference().trim_end());
        }
        Command::Keys(KeysCommand::Generate) => return keys::generate(),
        _ => {}
    }
    let config = Config::load(cli.global.config.as_deref(), &variables, &flags)?;
    match command {
        Command::Config(_) => output::result(config.effective.trim_end())?,
        Command::Serve(_) => {
            telemetry::start(&config.log, &variables)?;
            runtime()?.block_on(serve::run(&config, &variables))?;
        }
        command => {
            // Whoever types a command wants its result, not a journal.
            let level = config.log.level.min(LevelFilter::WARN);
            telemetry::start(&Log { level, ..config.log }, &variables)?;
            runtime()?.block_on(on_database(command, &config, &variables))?;
        }
    }
    Ok(())
}

/// The runtime on which everything but the HTTP workers lives: several threads, so that no task waits for another's
/// work.
fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("latchkey")
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")
}

/// The commands that work on the database. Each brings it up to date first, as a server's start would.
async fn on_database(command: Command, config: &Config, variables: &EnvVars) -> anyhow::Result<()> {
    if matches!(config.database.url, Database::Memory | Database::SqliteMemory) {
        bail!(Usage(
            "this command makes no sense on a database in memory, which ends with the command: name another with \
             DATABASE_URL or --database-url"
                .to_owned()
        ));
    }
    if let Command::Migrate = command {
        return migrate(config, variables).await;
    }
    let app = App::open(config, variables).await?;
    if let Some(key) = app.use_cases.master_keys.missing().await? {
        output::explain(format_args!("latchkey: warning: {}.", crate::keys::missing(key)));
    }
    match command {
        Command::User(UserCommand::Create(user)) => users::create(&app, user).await,
        Command::User(UserCommand::SetPassword(password)) => users::set_password(&app, password).await,
        Command::Grant(grant) => users::grant(&app, grant).await,
        Command::Project(ProjectCommand::Create(project)) => projects::create(&app, project).await,
        Command::Pat(PatCommand::Create(token)) => personal_tokens::create(&app, token).await,
        Command::Token(TokenCommand::Create(token)) => tokens::create(&app, token).await,
        Command::Keys(KeysCommand::List) => keys::list(&app).await,
        Command::Keys(KeysCommand::Rotate) => keys::rotate(&app).await,
        Command::Serve(_)
        | Command::Migrate
        | Command::Config(_)
        | Command::Openapi
        | Command::Keys(KeysCommand::Generate) => Ok(()),
    }
}

async fn migrate(config: &Config, variables: &EnvVars) -> anyhow::Result<()> {
    // A new SQLite database gets its key here as at a start: later it would count as lost. PostgreSQL's key is
    // given to servers, and the job that migrates need not know it.
    if let Database::SqliteFile(_) = config.database.url {
        crate::keys::ring(config, variables)?;
    }
    let opened = store::open(config).await?;
    output::explain(match opened.migrations {
        0 => format!("{}: up to date", config.database.url),
        1 => format!("{}: 1 migration was made", config.database.url),
        count => format!("{}: {count} migrations were made", config.database.url),
    });
    Ok(())
}

fn openapi() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&latchkey_http::openapi());
    output::result(document.context("the OpenAPI document cannot be printed")?)
}
