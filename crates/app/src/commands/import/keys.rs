//! `latchkey import keys`.

mod line;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use latchkey_service::{ImportedKey, Initiator, KeyFinding, KeyImport, ServiceError};

use self::line::{MAX_LINE_BYTES, parse};
use crate::{
    commands::progress::Progress,
    output::{self, Usage},
    wiring::App,
};

pub(crate) const IMPORT_KEYS_HELP: &str = "\
The file has one JSON object on each line:
  {\"name\":\"web\",\"type\":\"client\",\"projects\":[\"shop\"],\"environment\":\"production\",\"secret\":\"sk_live_51Hx…\"}
  {\"name\":\"ads\",\"type\":\"frontend\",\"projects\":[\"*\"],\"environment\":\"production\",\"sha256\":\"9f86d081…\"}

  name         1 to 255 characters
  type         client, frontend or admin
  projects     ids of projects that exist, or [\"*\"] for all; leave it out for an admin token
  environment  an environment that exists; leave it out for an admin token
  secret       the key itself; or
  sha256       the SHA-256 of the key in 64 hex digits, if the key is not known: clients go on using it, and it is never shown
  selector     of a key in the second form of Unleash (v2_<selector>_<random>) that is given by its sha256: its selector
  expiresAt    2030-01-31T00:00:00Z; by default never
  description  what the key is for

Every line is checked before anything is changed. Keys that are there already stay as they are, so the command can be repeated,
and after an interruption it goes on. Quotas do not apply. Each new token has its event in the audit log.

Examples:
  latchkey import keys --from keys.jsonl --dry-run
  latchkey import keys --from - < keys.jsonl";

/// The name of standard input.
const STANDARD: &str = "-";
/// Keys that are looked up, or created in one transaction.
const PORTION: usize = 1_000;
/// The faults that are printed; more of them have few causes.
const MAX_NAMED: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct ImportKeysArgs {
    /// The file with the keys; - is standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Check every line and print what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A key, with the number of its line.
struct NumberedKey {
    line: usize,
    key: ImportedKey,
}

/// Faults of lines: printed as they are found, up to [`MAX_NAMED`], and counted.
#[derive(Default)]
struct Faults(usize);

impl Faults {
    fn add(&mut self, line: usize, fault: &str) {
        self.0 += 1;
        if self.0 <= MAX_NAMED {
            output::explain(format_args!("line {line}: {fault}."));
        }
    }
}

/// Imports the keys of a file.
pub(crate) async fn import(app: &App, arguments: ImportKeysArgs) -> anyhow::Result<()> {
    let ImportKeysArgs { from, dry_run } = arguments;
    let mut faults = Faults::default();
    let keys = if from == Path::new(STANDARD) {
        read(io::stdin().lock(), &mut faults)
    } else {
        let file = File::open(&from).with_context(|| format!("{} cannot be read", from.display()))?;
        read(BufReader::new(file), &mut faults)
    };
    let keys = keys.with_context(|| format!("{} cannot be read", from.display()))?;
    let import = &app.use_cases.key_import;
    let examined = examine(import, keys, &mut faults).await.context("no key was imported")?;
    if faults.0 > 0 {
        let and_more = if faults.0 > MAX_NAMED { ", of which the first are above" } else { "" };
        bail!(Usage(format!(
            "{} of the lines cannot be imported{and_more}; nothing was changed: mend them, or leave them out",
            faults.0
        )));
    }
    let Examined { new, present, different } = examined;
    let imported = new.len();
    if !dry_run {
        create(import, new).await?;
    }
    let verb = if dry_run { "would be imported" } else { "imported" };
    output::result(format_args!(
        "{imported} {verb}, {present} here already, {different} here with other properties"
    ))
}

/// Reads the keys of a file, without those of lines with a fault.
fn read(mut input: impl BufRead, faults: &mut Faults) -> io::Result<Vec<NumberedKey>> {
    let (mut keys, mut text) = (Vec::new(), Vec::new());
    for line in 1.. {
        text.clear();
        let limit = u64::try_from(MAX_LINE_BYTES + 1).unwrap_or(u64::MAX);
        if io::Read::take(&mut input, limit).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        if text.len() > MAX_LINE_BYTES && !text.ends_with(b"\n") {
            faults
                .add(line, &format!("it is longer than {MAX_LINE_BYTES} bytes: write one key on each line"));
            input.skip_until(b'\n')?;
            continue;
        }
        match parse(&text) {
            Ok(Some(key)) => keys.push(NumberedKey { line, key }),
            Ok(None) => {}
            Err(fault) => faults.add(line, &fault),
        }
    }
    Ok(keys)
}

/// What an import has to do.
#[derive(Default)]
struct Examined {
    new: Vec<ImportedKey>,
    present: usize,
    different: usize,
}

/// Finds out which keys are new. Their order stays.
async fn examine(
    import: &KeyImport,
    keys: Vec<NumberedKey>,
    faults: &mut Faults,
) -> Result<Examined, ServiceError> {
    let (mut examination, mut progress) = (import.examination(), Progress::default());
    let lines: Vec<usize> = keys.iter().map(|key| key.line).collect();
    let (mut examined, mut differences, mut done) = (Examined::default(), Vec::new(), 0);
    let mut keys = keys.into_iter().map(|NumberedKey { key, .. }| key);
    loop {
        let portion: Vec<_> = keys.by_ref().take(PORTION).collect();
        if portion.is_empty() {
            break;
        }
        let findings = examination.examine(&portion).await?;
        for ((finding, key), line) in findings.into_iter().zip(portion).zip(lines.iter().skip(done)) {
            match finding {
                KeyFinding::New => examined.new.push(key),
                KeyFinding::Present => examined.present += 1,
                KeyFinding::Different(token) => differences.push((*line, token)),
                KeyFinding::Refused(fault) => faults.add(*line, &fault),
                KeyFinding::Repeated(first) => {
                    let first = lines.get(first).copied().unwrap_or_default();
                    faults.add(
                        *line,
                        &format!("its secret or selector is that of line {first}: leave one of them out"),
                    );
                }
            }
            done += 1;
        }
        progress.show("examined", count(done), count(lines.len()));
    }
    progress.interrupt();
    for (line, token) in differences.iter().take(MAX_NAMED) {
        output::explain(format_args!(
            "line {line}: the token {token} has this secret, with another name, scope, expiry or description, and stays as it is."
        ));
    }
    examined.different = differences.len();
    Ok(examined)
}

/// Creates the new keys, a portion at a time.
async fn create(import: &KeyImport, keys: Vec<ImportedKey>) -> anyhow::Result<()> {
    let (mut progress, by, of) = (Progress::default(), Initiator::system(), keys.len());
    let (mut keys, mut done) = (keys.into_iter(), 0);
    loop {
        let portion: Vec<_> = keys.by_ref().take(PORTION).collect();
        let size = portion.len();
        if size == 0 {
            break;
        }
        let created = import.create(portion, &by).await;
        if created.is_err() {
            progress.interrupt();
        }
        created
            .with_context(|| format!("{done} of {of} keys were imported: run the command again to go on"))?;
        done += size;
        progress.show("imported", count(done), count(of));
    }
    progress.interrupt();
    Ok(())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_faults_leave_the_others() {
        let good = r#"{"name":"a","type":"admin","secret":"*:*.0123456789abcdef"}"#;
        let long = format!("{}\n", "x".repeat(2 * MAX_LINE_BYTES));
        let text = format!("\u{feff}{good}\n\n{{}}\n{long}{good}\r\n{good}");
        let mut faults = Faults::default();
        let keys = read(text.as_bytes(), &mut faults).expect("read");
        assert_eq!(keys.iter().map(|key| key.line).collect::<Vec<_>>(), [1, 5, 6]);
        assert_eq!(faults.0, 2);
    }
}
