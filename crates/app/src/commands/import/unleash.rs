//! `latchkey import unleash`: takes over the database of an Unleash server.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    mem,
    path::PathBuf,
    sync::Arc,
};

use actix_web::http::Uri;
use anyhow::{Context as _, bail};
use clap::Args;
use futures_util::stream;
use latchkey_ports::{Import, Outcome, RowKind};
use latchkey_postgres::Access;
use latchkey_service::{Abandoned, ImportPlan, Initiator, ServiceError, TokenImport, UseCases};
use latchkey_unleash::{EditorChoice, OrphanChoice, Snapshot, UnleashDatabase, UnleashError};
use secrecy::SecretString;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{advice::explained, events, verify};
use crate::{
    commands::{progress::Progress, report::Report},
    config::{Config, Database},
    output::{self, Usage},
    serve,
    startup::Reach,
    store,
    wiring::App,
};

pub(crate) const IMPORT_UNLEASH_HELP: &str = "\
Examples:
  latchkey import unleash --from postgres://unleash@db.example.com/unleash --dry-run
  latchkey import unleash --from postgres://unleash@db.example.com/unleash --report moved.jsonl

The Unleash server (5 to 8) can go on running: its database is read in one snapshot, and never written. What is here already
stays as it is, so the command can be run again for what was added there since. An interruption changes nothing; in the events,
and in more than 100,000 API tokens for an instance in use, the same command goes on where it was. PGPASSWORD can hold the
password of the database.

Tokens whose projects were deleted work in all projects in Unleash. They do not come, unless --orphans says how. Tokens of the
second form (8.1) come by their hashes, and their clients go on using them.

Events of the kinds that there are here come at the end, before all events of this instance, without what may be a secret.";

/// How many API tokens are added at once where there are more than are added together.
const PORTION: usize = 10_000;
/// How many portions wait for the database where all are one change.
const PORTIONS_AHEAD: usize = 2;
/// The name of the other system in the audit trail.
const SOURCE: &str = "unleash";

#[derive(Debug, Args)]
pub(crate) struct ImportUnleashArgs {
    /// The database of the Unleash server: `postgres://…`
    #[arg(long, value_name = "URL")]
    pub(crate) from: Database,
    /// Its schema, the `DATABASE_SCHEMA` of the server
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
    /// Say what would come, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a line of JSON for every row to this new file: whether it came, and why it changed or did not
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// What tokens become whose projects were deleted: `keep` (for all projects, as Unleash has them), or `narrow:<project>`
    #[arg(long, value_name = "CHOICE")]
    pub(crate) orphans: Option<OrphanChoice>,
    /// What users and groups become that have the role Editor, which works in one project in Unleash: `default` (as there), or
    /// `everywhere`
    #[arg(long, value_name = "CHOICE")]
    pub(crate) editor: Option<EditorChoice>,
    /// Afterwards, present every token to both servers, and name each that one of them accepts and the other does not
    #[arg(long, requires = "old_url")]
    pub(crate) verify: bool,
    /// The Unleash server, for --verify: `http://…` or `https://…`
    #[arg(long, value_name = "URL", requires = "verify")]
    pub(crate) old_url: Option<Uri>,
    /// The Latchkey server, for --verify; by default the configured address on this machine
    #[arg(long, value_name = "URL", requires = "verify")]
    pub(crate) new_url: Option<Uri>,
}

/// Imports everything, or says what would come.
pub(crate) async fn import(app: &App, config: &Config, arguments: ImportUnleashArgs) -> anyhow::Result<()> {
    let orphans = arguments.orphans.unwrap_or(OrphanChoice::LeaveOut);
    let mut report = Report::begin(arguments.report)?;
    let mut database = open(config, &arguments.from, &arguments.schema).await?;
    output::explain(format_args!(
        "From: {}, Unleash {}, {} API tokens",
        arguments.from.shown(),
        database.version(),
        database.token_count()
    ));
    let Snapshot { incoming, findings } = read(&mut database, arguments.editor).await?;
    if let OrphanChoice::Narrow(project) = &orphans {
        let comes = incoming.projects.iter().any(|(one, _)| one.id == *project);
        if !comes && !app.use_cases.importer.has_project(project).await? {
            bail!(Usage(format!(
                "there is no project {project:?} for --orphans=narrow",
                project = project.as_str()
            )));
        }
    }
    report.add(findings)?;

    let importer = &app.use_cases.importer;
    let (way, tokens) = if database.token_count() <= Import::MAX_TOKENS as u64 {
        (Way::Together, importer.begin_tokens().await?)
    } else if let Some(tokens) = importer.begin_in_new_instance().await? {
        (Way::Streamed, tokens)
    } else {
        (Way::Divided, importer.begin_tokens().await?)
    };
    let mut transfer = Transfer {
        use_cases: Arc::clone(&app.use_cases),
        tokens,
        is_trial: arguments.dry_run,
        stream: None,
        writing: None,
        progress: Progress::default(),
        done: 0,
        all: database.token_count(),
    };
    let mut plan = importer.plan(incoming, &Initiator::system()).await.map_err(explained)?;
    report.add(mem::take(&mut plan.findings))?;
    match way {
        Way::Together => {}
        Way::Streamed => transfer.begin_stream(mem::take(&mut plan)),
        Way::Divided => transfer.write(mem::take(&mut plan)).await?,
    }
    while let Some((tokens, findings)) = database.next_tokens(&orphans).await? {
        let count = tokens.len() + left_out(&findings);
        report.add(findings)?;
        transfer.plan(&mut plan, tokens).await?;
        report.add(mem::take(&mut plan.findings))?;
        transfer.advance(count);
        if way != Way::Together && plan.new_tokens() >= PORTION {
            transfer.write(mem::take(&mut plan)).await?;
        }
    }
    transfer.write(plan).await?;
    transfer.finish().await?;
    let (importer, retention) = (&app.use_cases.importer, config.audit.retention);
    events::import(importer, &mut database, retention, arguments.dry_run, &mut report).await?;

    let came = report.count(RowKind::Token, Outcome::Came);
    let events = report.count(RowKind::Event, Outcome::Came);
    report.finish()?;
    output::explain(if arguments.dry_run {
        format!(
            "{came} API tokens and {events} events would come. Nothing was changed: run it without --dry-run to import."
        )
    } else {
        format!("{came} API tokens and {events} events came. Servers on this database accept the tokens now.")
    });
    match arguments.old_url {
        Some(old) => verify::verify(&mut database, &old, new_url(config, arguments.new_url)?).await,
        None => Ok(()),
    }
}

/// Returns the URL of the server here.
fn new_url(config: &Config, given: Option<Uri>) -> anyhow::Result<Uri> {
    if let Some(url) = given {
        return Ok(url);
    }
    let address = config.server.listen.with_port(config.server.port);
    let Reach { url, socket } = serve::reach(&address, config.tls_files().is_some());
    if socket.is_some() {
        bail!(Usage(
            "the server here listens on a Unix domain socket: name another of its addresses with --new-url"
                .to_owned()
        ));
    }
    Ok(url.parse()?)
}

/// Returns the URL of the database of an Unleash server, which this option names.
pub(crate) fn unleash_url<'d>(option: &str, database: &'d Database) -> anyhow::Result<&'d SecretString> {
    match database {
        Database::Postgres(url) => Ok(url),
        _ => bail!(Usage(format!(
            "{option} must be the PostgreSQL database of an Unleash server: postgres://…"
        ))),
    }
}

async fn open(config: &Config, from: &Database, schema: &str) -> anyhow::Result<UnleashDatabase> {
    let url = unleash_url("--from", from)?;
    let opened = async {
        let client = store::connect_foreign(url, config, Access::ReadOnly).await?;
        anyhow::Ok(UnleashDatabase::open(client, schema).await?)
    };
    opened.await.with_context(|| from.shown())
}

/// Reads everything but tokens, and asks on a terminal what is to be decided.
async fn read(database: &mut UnleashDatabase, editor: Option<EditorChoice>) -> anyhow::Result<Snapshot> {
    match database.read(editor).await {
        Err(error @ UnleashError::EditorUndecided { .. }) => {
            if !io::stdin().is_terminal() {
                bail!(Usage(error.to_string()));
            }
            output::explain(error);
            output::redraw("default or everywhere? ");
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).context("the terminal cannot be read")?;
            let choice = line.trim().parse().map_err(|what: &str| Usage(what.to_owned()))?;
            Ok(database.read(Some(choice)).await?)
        }
        read => Ok(read?),
    }
}

fn left_out(findings: &[latchkey_ports::Finding]) -> usize {
    findings.iter().filter(|one| (one.kind, one.outcome) == (RowKind::Token, Outcome::LeftOut)).count()
}

/// How tokens get into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With everything else, as one change.
    Together,
    /// With everything else, as one change of a new instance, which need not be in memory as a whole.
    Streamed,
    /// After everything else, in portions, so that an instance in use does not wait for long.
    Divided,
}

/// What was planned on its way into the database, while the next tokens are read.
struct Transfer {
    use_cases: Arc<UseCases>,
    tokens: TokenImport,
    is_trial: bool,
    /// Where plans go that are written as one change; `None` marks the end, without which nothing is written.
    stream: Option<mpsc::Sender<Option<ImportPlan>>>,
    writing: Option<JoinHandle<Result<(), ServiceError>>>,
    progress: Progress,
    done: u64,
    all: u64,
}

impl Transfer {
    async fn plan(
        &mut self,
        plan: &mut ImportPlan,
        tokens: Vec<latchkey_ports::IncomingToken>,
    ) -> anyhow::Result<()> {
        let importer = &self.use_cases.importer;
        let by = Initiator::system();
        importer.plan_tokens(plan, tokens, &mut self.tokens, SOURCE, &by).await.map_err(explained)
    }

    /// Begins one change that has this plan and all that are written after it.
    fn begin_stream(&mut self, first: ImportPlan) {
        if self.is_trial {
            return;
        }
        let (send, plans) = mpsc::channel(PORTIONS_AHEAD);
        let more = stream::unfold(plans, async |mut plans| match plans.recv().await {
            Some(Some(plan)) => Some((Ok(plan), plans)),
            Some(None) => None,
            None => Some((Err(Abandoned), plans)),
        });
        let use_cases = Arc::clone(&self.use_cases);
        self.stream = Some(send);
        self.writing =
            Some(tokio::spawn(async move { use_cases.importer.carry_out_many(first, more).await }));
    }

    /// Waits for what was written before, and begins to write this.
    async fn write(&mut self, plan: ImportPlan) -> anyhow::Result<()> {
        if let Some(stream) = &self.stream {
            if stream.send(Some(plan)).await.is_err() {
                // The change has ended early: it says why.
                return self.finish_writing().await;
            }
            return Ok(());
        }
        self.finish_writing().await?;
        if !self.is_trial {
            let use_cases = Arc::clone(&self.use_cases);
            self.writing = Some(tokio::spawn(async move { use_cases.importer.carry_out(plan).await }));
        }
        Ok(())
    }

    fn advance(&mut self, tokens: usize) {
        self.done += tokens as u64;
        self.progress.show("API tokens", self.done, self.all);
    }

    async fn finish(&mut self) -> anyhow::Result<()> {
        self.progress.interrupt();
        if let Some(stream) = self.stream.take() {
            output::explain("All tokens are read. Their indexes are made now.");
            // If the change has ended, it says why.
            let _ = stream.send(None).await;
        }
        self.finish_writing().await
    }

    async fn finish_writing(&mut self) -> anyhow::Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        writing.await.context("the import was interrupted: run the same command again")?.map_err(explained)
    }
}
