//! The commands: the arguments of each, which clap parses into domain values, and its code, which calls one use case and
//! prints the outcome.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod doctor;
pub(crate) mod expiry;
pub(crate) mod export;
pub(crate) mod grant;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod import;
mod key_usage;
pub(crate) mod keys;
pub(crate) mod mail;
mod password;
pub(crate) mod personal_tokens;
pub(crate) mod policies;
mod progress;
pub(crate) mod projects;
mod report;
pub(crate) mod scan;
pub(crate) mod shell;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhooks;

use anyhow::{Context as _, bail};
use clap::CommandFactory as _;
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;

use crate::{
    cli::{Cli, Command, ConfigArgs},
    commands::{
        export::ExportCommand,
        import::ImportCommand,
        keys::KeysCommand,
        personal_tokens::PatCommand,
        projects::ProjectCommand,
        shell::{CompletionsArgs, ManArgs},
        users::UserCommand,
    },
    config::{self, Config, Database, EnvVars, Log},
    keys as master_keys,
    output::{self, Usage},
    serve,
    server::PassedSockets,
    store::{Connected, IfMissing},
    telemetry,
    traces::Traces,
    wiring::App,
};

/// Runs the command.
///
/// # Errors
/// [`Usage`] for arguments that do not fit together; otherwise the error of the command.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let flags = cli.flags();
    let variables = EnvVars::from_process()?;
    let command = cli.command.unwrap_or(Command::Serve(cli.serve.clone()));
    if !matches!(command, Command::Serve(_)) && !cli.serve.is_empty() {
        bail!(Usage("--role, --listen and --port are flags of `serve`, not for this command".to_owned()));
    }
    match &command {
        Command::Openapi => return openapi(),
        Command::Config(ConfigArgs { example: true, .. }) => {
            return output::result(config::example().trim_end());
        }
        Command::Config(ConfigArgs { reference: true, .. }) => {
            return output::result(config::reference().trim_end());
        }
        Command::Keys(KeysCommand::Generate) => return keys::generate(),
        Command::Completions(CompletionsArgs { shell }) => return shell::completions(Cli::command(), *shell),
        Command::Man(ManArgs { command }) => return shell::man(Cli::command(), command),
        Command::Scan(arguments) => return scan::run(arguments, &variables),
        _ => {}
    }
    if let Command::Doctor(arguments) = &command {
        let report = doctor::run(cli.global.config.as_deref(), &variables, &flags, arguments);
        return runtime()?.block_on(report);
    }
    let config = Config::load(cli.global.config.as_deref(), &variables, &flags)?;
    match command {
        Command::Config(_) => {
            output::result(&config.effective)?;
            output::result(format_args!("# {}", master_keys::origin(&config, &variables)))?;
        }
        Command::Health(arguments) => health::check(&config, arguments)?,
        Command::Mail(command) => runtime()?.block_on(mail::run(&config, &variables, command))?,
        Command::Serve(_) => {
            // Before there are other threads.
            let passed = PassedSockets::take()?;
            let traces = Traces::start(&config.traces, &variables)?;
            let _log = telemetry::start(&config.log, traces.as_ref(), &variables)?;
            let served = runtime()?.block_on(serve::run(&config, &variables, passed));
            if let Some(traces) = traces {
                traces.finish();
            }
            served?;
        }
        command => {
            // Commands print their result; they log warnings only.
            let level = config.log.level.min(LevelFilter::WARN);
            let _log = telemetry::start(&Log { level, ..config.log }, None, &variables)?;
            runtime()?.block_on(on_database(command, &config, &variables))?;
        }
    }
    Ok(())
}

/// Builds the runtime of everything but the HTTP workers. It has several threads, so that no task blocks another.
fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("latchkey")
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")
}

/// Runs a command on the database, after the migrations that a server would apply.
async fn on_database(command: Command, config: &Config, variables: &EnvVars) -> anyhow::Result<()> {
    if matches!(config.database.url, Database::Memory | Database::SqliteMemory) {
        bail!(Usage(
            "this command makes no sense on a database in memory, which is lost when the command ends: set \
             DATABASE_URL or --database-url"
                .to_owned()
        ));
    }
    if !config.server.role.administers() {
        bail!(Usage(
            "this command is for the primary, and server.role = \"verifier\" reads a standby: run it with the settings of a \
             full server"
                .to_owned()
        ));
    }
    let command = match command {
        Command::Migrate => return migrate(config, variables).await,
        Command::Backup(arguments) => return backup::backup(config, arguments).await,
        Command::Restore(arguments) => return backup::restore(config, variables, arguments).await,
        Command::Copy(arguments) => return backup::copy(config, variables, arguments).await,
        command => command,
    };
    let app = App::open(config, variables, IfMissing::Fail).await?;
    output::explain(format_args!("Database: {}", config.database.url.shown()));
    // Commands about keys are those that help with an unknown one.
    let warning = match &command {
        Command::Keys(_) => app.use_cases.master_keys.missing().await?.map(master_keys::missing),
        _ => master_keys::check(&app.use_cases, config).await?,
    };
    if let Some(warning) = warning {
        output::explain(format_args!("latchkey: warning: {warning}."));
    }
    match command {
        Command::Audit(command) => audit::run(&app, command).await,
        Command::User(UserCommand::Create(user)) => users::create(&app, user).await,
        Command::User(UserCommand::SetPassword(password)) => users::set_password(&app, password).await,
        Command::Group(command) => groups::run(&app, command).await,
        Command::Grant(arguments) => grant::grant(&app, arguments).await,
        Command::Project(ProjectCommand::Create(project)) => projects::create(&app, project).await,
        Command::Policy(command) => policies::run(&app, command).await,
        Command::Pat(PatCommand::Create(token)) => personal_tokens::create(&app, token).await,
        Command::Token(command) => tokens::run(&app, command).await,
        Command::Webhook(command) => webhooks::run(&app, command).await,
        Command::Import(ImportCommand::Keys(arguments)) => import::keys::import(&app, arguments).await,
        Command::Import(ImportCommand::Unleash(arguments)) => {
            import::unleash::import(&app, config, *arguments).await
        }
        Command::Export(ExportCommand::Unleash(arguments)) => export::unleash(&app, config, arguments).await,
        Command::Keys(KeysCommand::List) => keys::list(&app).await,
        Command::Keys(KeysCommand::Rotate) => keys::rotate(&app).await,
        Command::Serve(_)
        | Command::Migrate
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Copy(_)
        | Command::Config(_)
        | Command::Health(_)
        | Command::Mail(_)
        | Command::Doctor(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Scan(_)
        | Command::Openapi
        | Command::Keys(KeysCommand::Generate) => Ok(()),
    }
}

async fn migrate(config: &Config, variables: &EnvVars) -> anyhow::Result<()> {
    // A new SQLite database gets its key now: later, the key would count as lost. The key of PostgreSQL is configured
    // in servers, and a migration job does not need it.
    if let Database::SqliteFile(_) = config.database.url {
        master_keys::ring(config, variables)?;
    }
    let migrations = Connected::to(&config.database.url, config).await?.migrate().await?;
    output::explain(match migrations {
        0 => format!("{}: up to date", config.database.url.shown()),
        1 => format!("{}: 1 migration was applied", config.database.url.shown()),
        count => format!("{}: {count} migrations were applied", config.database.url.shown()),
    });
    Ok(())
}

fn openapi() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&latchkey_http::openapi());
    output::result(document.context("the OpenAPI document cannot be printed")?)
}
