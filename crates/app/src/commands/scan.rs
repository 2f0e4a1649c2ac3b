//! `latchkey scan`: finds Latchkey's secrets in files, logs and the output of `git log -p`, without a database.

mod finding;
mod git;
mod report;
mod sarif;
mod verify;
mod walk;

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use actix_web::http::Uri;
use anyhow::bail;
use clap::Args;
use latchkey_domain::{FoundSecret, ScanVisitor, SecretScanner};

use self::{
    finding::{Finding, STANDARD_INPUT},
    git::Place,
    walk::Walk,
};
use crate::{
    config::EnvVars,
    output::{self, Usage},
};

/// What `--help` says after the flags.
pub(crate) const SCAN_HELP: &str = "\
Examples:
  latchkey scan .                               everything in this folder; exits with 1 if there is a secret
  git log -p --all | latchkey scan -            the whole history of a repository: commit, file and line
  git diff --cached | latchkey scan -           what is about to be committed
  LATCHKEY_TOKEN=… latchkey scan /var/log --verify --url https://latchkey.example.com
                                                which of the secrets are valid, and whose they are

The exit code is 0 if there is no secret, 1 if there are some, and 2 if not everything could be read.";

/// How much is read at once.
const BLOCK: usize = 1024 * 1024;
/// A file with a NUL among so many of its first bytes is binary.
const BINARY_HEAD: usize = 8 * 1024;

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Files, and folders with all that is in them, without following symbolic links; `-` is standard input, which can be the
    /// output of `git log -p`
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print the findings as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the findings in SARIF 2.1.0, which code hosts show beside the code
    #[arg(long, conflicts_with = "json")]
    pub(crate) sarif: bool,
    /// Ask a server which of the secrets are valid and whose they are, with the token in `LATCHKEY_TOKEN`
    #[arg(long, requires = "url")]
    pub(crate) verify: bool,
    /// That server, as `https://<host>`
    #[arg(long, requires = "verify", value_name = "URL")]
    pub(crate) url: Option<Uri>,
}

/// What was read.
#[derive(Default)]
struct Counts {
    files: u64,
    binary: u64,
    unreadable: u64,
}

/// Scans everything, and prints the findings.
///
/// # Errors
/// If there are findings; [`Usage`] if something could not be read, or the server did not say what was asked.
pub(super) fn run(arguments: &ScanArgs, variables: &EnvVars) -> anyhow::Result<()> {
    let (mut findings, mut counts) = (Vec::new(), Counts::default());
    for path in &arguments.paths {
        if path.as_os_str() == STANDARD_INPUT {
            let mut input = io::stdin().lock();
            let read = scan(&mut input, STANDARD_INPUT, Kind::Stream, &mut findings);
            counts.add(read, STANDARD_INPUT);
            continue;
        }
        for file in Walk::new(path) {
            let file = match file {
                Ok(file) => file,
                Err(error) => {
                    counts.add(Err(error.source), &error.path.display().to_string());
                    continue;
                }
            };
            let shown = file.display().to_string();
            let read =
                File::open(&file).and_then(|mut file| scan(&mut file, &shown, Kind::File, &mut findings));
            counts.add(read, &shown);
        }
    }
    let statuses = match &arguments.url {
        Some(url) => verify::verify(&findings, url, variables)?,
        None => verify::Statuses::default(),
    };
    if arguments.json {
        output::result(serde_json::to_string_pretty(&report::json(&findings, &statuses))?)?;
    } else if arguments.sarif {
        output::result(serde_json::to_string_pretty(&sarif::log(&findings, &statuses))?)?;
    } else {
        findings
            .iter()
            .try_for_each(|finding| output::result(report::Line { finding, statuses: &statuses }))?;
    }
    counts.explain();
    let found = match findings.len() {
        1 => "1 secret was found".to_owned(),
        count => format!("{count} secrets were found"),
    };
    if counts.unreadable > 0 {
        bail!(Usage(format!("{found}, and not everything could be read: see above")));
    }
    if !findings.is_empty() {
        bail!("{found}: revoke what is valid, then remove it");
    }
    Ok(())
}

impl Counts {
    /// Counts a file that was read, left out or could not be read.
    fn add(&mut self, read: io::Result<Outcome>, path: &str) {
        match read {
            Ok(Outcome::Scanned) => self.files += 1,
            Ok(Outcome::Binary) => self.binary += 1,
            Err(error) => {
                self.unreadable += 1;
                output::explain(format_args!("latchkey: {path} cannot be read: {error}"));
            }
        }
    }

    fn explain(&self) {
        let files = |count: u64, kind: &str| format!("{count} {kind}{}", if count == 1 { "" } else { "s" });
        let (scanned, left_out) = (files(self.files, "file"), files(self.binary, "binary file"));
        output::explain(format_args!("Scanned {scanned}, and left out {left_out}."));
    }
}

/// What is scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// Standard input, which is never binary and can be the output of git.
    Stream,
}

/// What became of a file.
enum Outcome {
    Scanned,
    Binary,
}

/// Adds the findings in one input.
fn scan(input: &mut impl Read, path: &str, kind: Kind, findings: &mut Vec<Finding>) -> io::Result<Outcome> {
    let mut block = Vec::new();
    let mut scanner = SecretScanner::default();
    fill(input, &mut block)?;
    if kind == Kind::File && memchr::memchr(0, block.get(..BINARY_HEAD).unwrap_or(&block)).is_some() {
        return Ok(Outcome::Binary);
    }
    let place = if kind == Kind::Stream { Place::in_stream(path, &block) } else { Place::in_file(path) };
    let mut collector = Collector { place, findings };
    while !block.is_empty() {
        scanner.scan(&block, &mut collector);
        fill(input, &mut block)?;
    }
    scanner.finish(&mut collector);
    Ok(Outcome::Scanned)
}

/// Reads the next block; nothing at the end.
fn fill(input: &mut impl Read, block: &mut Vec<u8>) -> io::Result<()> {
    block.clear();
    input.take(u64::try_from(BLOCK).unwrap_or(u64::MAX)).read_to_end(block).map(drop)
}

/// Adds findings, each with its place.
struct Collector<'f> {
    place: Place,
    findings: &'f mut Vec<Finding>,
}

impl ScanVisitor for Collector<'_> {
    fn pass(&mut self, bytes: &[u8]) {
        self.place.advance(bytes);
    }

    fn found(&mut self, FoundSecret { secret, form, .. }: FoundSecret) {
        let (path, commit, line) = self.place.here();
        self.findings.push(Finding::new(path, commit, line, form, secret));
    }
}
