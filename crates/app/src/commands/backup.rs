//! `latchkey backup`, `latchkey restore` and `latchkey copy`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Args;
use futures_util::{StreamExt, stream};
use latchkey_ports::{Archive, ArchiveChunk, ArchiveError, ArchiveHeader, ArchiveRows, Clock as _, KeyId};
use tempfile::NamedTempFile;
use tokio::{runtime::Handle, sync::mpsc, task::spawn_blocking};

use crate::{
    backup_file::{BackupFileError, BackupReader, BackupWriter, KeyCounter, SecretsByKey},
    clock::SystemClock,
    commands::progress::Progress,
    config::{Config, Database, EnvVars},
    keys,
    output::{self, Usage},
    store::Connected,
};

pub(crate) const BACKUP_HELP: &str = "\
Examples:
  latchkey backup latchkey-2026-01-31.jsonl
  latchkey backup - | age -r <recipient> > latchkey.jsonl.age

The file has everything but the master key, in the state of one moment. Secrets are in it as they are kept: as digests, and
sealed under the master key. Keep the key apart from it: together they reveal every secret.";

pub(crate) const RESTORE_HELP: &str = "\
Examples:
  latchkey restore latchkey-2026-01-31.jsonl
  age -d -i <key> latchkey.jsonl.age | latchkey restore -

The database must be empty or missing, and the master key of the backup configured. A backup of another kind of database will
do, and one of an earlier version. A failure changes nothing.";

pub(crate) const COPY_HELP: &str = "\
Example, from SQLite to PostgreSQL:
  latchkey copy --to postgres://latchkey@db.example.com/latchkey

Stop the servers first, or what they change meanwhile is missing in the copy. Afterwards, set DATABASE_URL to the new database,
and LATCHKEY_MASTER_KEY to the same key. A failure leaves the new database as it was.";

/// How many chunks wait to be loaded.
const CHUNKS_AHEAD: usize = 4;
/// The name of standard input and output.
const STANDARD: &str = "-";

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to create; - is standard output
    pub(crate) file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup; - is standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The database to fill: `sqlite://<path>` or `postgres://…` (`PGPASSWORD` can hold its password)
    #[arg(long, value_name = "URL")]
    pub(crate) to: Database,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// Also load secrets under master keys that are not configured
    #[arg(long)]
    pub(crate) ignore_missing_keys: bool,
}

/// Writes the database to a file.
pub(super) async fn backup(config: &Config, arguments: BackupArgs) -> anyhow::Result<()> {
    let BackupArgs { file, force } = arguments;
    if file != Path::new(STANDARD) && file.exists() && !force {
        bail!(Usage(format!("{} exists: choose another name, or replace it with --force", file.display())));
    }
    let database = &config.database.url;
    let archive = Connected::to_existing(database, config).await?.archive()?;
    let name = database.to_string();
    let failed = || format!("{} was not written", file.display());
    let (header, rows) = archive.export().await.with_context(failed)?;
    let target = file.clone();
    let written = spawn_blocking(move || {
        if target == Path::new(STANDARD) {
            return write(BufWriter::new(io::stdout().lock()), header, rows, name).map(|(_, keys)| keys);
        }
        let directory = target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        // For its owner alone, and complete before it has its name.
        let draft = NamedTempFile::new_in(directory)?;
        let (draft, keys) = write(BufWriter::new(draft), header, rows, name)?;
        let draft = draft.into_inner().map_err(io::IntoInnerError::into_error)?;
        draft.as_file().sync_all()?;
        let persisted = if force { draft.persist(&target) } else { draft.persist_noclobber(&target) };
        persisted.map_err(|error| error.error)?;
        File::open(directory)?.sync_all()?;
        anyhow::Ok(keys)
    });
    let keys = written.await.with_context(failed)?.with_context(failed)?;
    output::explain(format_args!("{} was written.{}", file.display(), needed(&keys)));
    Ok(())
}

fn write<W: Write>(
    output: W,
    header: ArchiveHeader,
    mut rows: ArchiveRows,
    database: String,
) -> anyhow::Result<(W, SecretsByKey)> {
    let runtime = Handle::current();
    let mut progress = RowProgress::new("written", &header);
    let mut writer = BackupWriter::begin(output, header, database, SystemClock::new().now())?;
    while let Some(chunk) = runtime.block_on(rows.next()).transpose()? {
        progress.add(&chunk);
        writer.write(chunk)?;
    }
    progress.finish();
    writer.finish()
}

/// Loads a file into an empty database.
pub(super) async fn restore(
    config: &Config,
    variables: &EnvVars,
    arguments: RestoreArgs,
) -> anyhow::Result<()> {
    let RestoreArgs { file, keys: KeyArgs { ignore_missing_keys } } = arguments;
    let failed = || format!("{} was not restored, and nothing was changed", file.display());
    let ring = keys::configured(config, variables)?.map(|ring| keys::ids(&ring)).unwrap_or_default();
    let allowed = (!ignore_missing_keys).then_some(ring);
    let reader = if file == Path::new(STANDARD) {
        // It can be read once, so it is checked while it is loaded: an error undoes all.
        open(BufReader::new(io::stdin()))
    } else {
        let (path, allowed) = (file.clone(), allowed.clone());
        let checked = spawn_blocking(move || {
            check(&path, allowed.as_deref())?;
            open(BufReader::new(File::open(&path)?))
        });
        checked.await.with_context(failed)?
    };
    let reader = reader.with_context(failed)?;
    let database = &config.database.url;
    output::explain(format_args!("Database: {}", database.shown()));
    let header = reader.header.archive.clone();
    let progress = RowProgress::new("loaded", &header);
    let target = Connected::to(database, config).await?.archive()?;
    target.import(header, stream_of(reader, progress, allowed)).await.with_context(failed)?;
    // A backup without secrets needs no key, and the database gets one as a new database does.
    if keys::configured(config, variables)?.is_none()
        && let Database::SqliteFile(path) = database
        && !ignore_missing_keys
    {
        keys::create_beside(path)?;
    }
    output::explain(format_args!("{} was restored and compared.", file.display()));
    Ok(())
}

/// Reads a backup to its end before anything is written.
fn check(path: &Path, allowed: Option<&[KeyId]>) -> anyhow::Result<()> {
    let mut reader = open(BufReader::new(File::open(path)?))?;
    while reader.next_chunk()?.is_some() {}
    if let Some(allowed) = allowed {
        reader.keys().check(allowed)?;
    }
    Ok(())
}

type Input = Box<dyn BufRead + Send>;

fn open(input: impl BufRead + Send + 'static) -> anyhow::Result<BackupReader<Input>> {
    Ok(BackupReader::open(Box::new(input) as Input)?)
}

/// Reads the rows on a thread that may block, and checks the keys at their end.
fn stream_of(
    mut reader: BackupReader<Input>,
    mut progress: RowProgress,
    allowed: Option<Vec<KeyId>>,
) -> ArchiveRows {
    let (send, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let source = |error: BackupFileError| ArchiveError::Source(Box::new(error));
    spawn_blocking(move || {
        loop {
            let next = reader.next_chunk().and_then(|chunk| match (chunk, &allowed) {
                (None, Some(allowed)) => reader.keys().check(allowed).map(|()| None),
                (chunk, _) => Ok(chunk),
            });
            let Some(next) = next.map_err(source).transpose() else { break };
            if let Ok(chunk) = &next {
                progress.add(chunk);
            }
            let has_failed = next.is_err();
            if send.blocking_send(next).is_err() || has_failed {
                break;
            }
        }
        progress.finish();
    });
    stream::unfold(chunks, async |mut chunks| Some((chunks.recv().await?, chunks))).boxed()
}

/// Copies the database into another one.
pub(super) async fn copy(config: &Config, variables: &EnvVars, arguments: CopyArgs) -> anyhow::Result<()> {
    let CopyArgs { to, keys: KeyArgs { ignore_missing_keys } } = arguments;
    let (from, shown) = (&config.database.url, to.shown());
    let failed = || format!("{shown} was not filled, and is as it was");
    let source = Connected::to_existing(from, config).await?.archive()?;
    let target: Arc<dyn Archive> = Connected::to_other(&to, config).await?.archive()?;
    output::explain(format_args!("Database: {}, copied to {shown}", from.shown()));
    let ring = keys::configured(config, variables)?.map(|ring| keys::ids(&ring)).unwrap_or_default();
    let (header, rows) = source.export().await.with_context(failed)?;
    let mut progress = RowProgress::new("copied", &header);
    let mut keys = KeyCounter::new(&header);
    let total = header.tables.iter().map(|table| table.rows).sum::<u64>();
    let mut rows = rows;
    let rows = stream::poll_fn(move |context| {
        rows.poll_next_unpin(context).map(|next| match next {
            Some(Ok(chunk)) => {
                progress.add(&chunk);
                keys.add(&chunk);
                Some(Ok(chunk))
            }
            Some(Err(error)) => Some(Err(error)),
            None => {
                progress.finish();
                let checked = if ignore_missing_keys { Ok(()) } else { keys.check(&ring) };
                checked.err().map(|error| Err(ArchiveError::Source(Box::new(error))))
            }
        })
    });
    target.import(header, rows.boxed()).await.with_context(failed)?;
    output::explain(format_args!(
        "{total} rows were copied, and read again to compare them. Servers on {shown} need the same master key: set \
         LATCHKEY_MASTER_KEY or secrets.master_key_file."
    ));
    Ok(())
}

/// Which master keys a backup needs.
fn needed(keys: &SecretsByKey) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let keys: Vec<_> = keys.iter().map(|(key, count)| format!("{key} ({count} secrets)")).collect();
    format!(" It needs the master key {}, which is not in it.", keys.join(" and "))
}

/// The progress of rows that pass, shown on a terminal only.
struct RowProgress {
    progress: Option<Progress>,
    what: &'static str,
    done: u64,
    of: u64,
}

impl RowProgress {
    fn new(what: &'static str, header: &ArchiveHeader) -> Self {
        let of = header.tables.iter().map(|table| table.rows).sum();
        let progress = io::stderr().is_terminal().then(Progress::default);
        Self { progress, what, done: 0, of }
    }

    fn add(&mut self, chunk: &ArchiveChunk) {
        self.done += u64::try_from(chunk.rows.len()).unwrap_or(u64::MAX);
        if let Some(progress) = &mut self.progress {
            progress.show(self.what, self.done, self.of);
        }
    }

    fn finish(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.interrupt();
        }
    }
}
