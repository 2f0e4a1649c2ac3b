//! The report of an import or export: every row in a file, and what an operator must know on the terminal.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufWriter, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use latchkey_ports::{Finding, Outcome, RowKind};
use serde_json::json;

use crate::output::{self, Usage};

/// How many findings are shown on the terminal.
const MAX_SHOWN: usize = 50;
/// Names and addresses are in it, so it is for its owner alone.
const MODE: u32 = 0o600;

/// Counts the findings, and writes each to a file if one is named.
pub(crate) struct Report {
    file: Option<(PathBuf, BufWriter<File>)>,
    counts: BTreeMap<(RowKind, Outcome), u64>,
    /// The first findings about rows that changed or did not come, and how many there were.
    shown: Vec<Finding>,
    noteworthy: usize,
}

impl Report {
    /// Begins a report. The file must be new.
    pub(crate) fn begin(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let file = file.map(|path| {
            let created = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path);
            match created {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    bail!(Usage(format!("{} exists: choose another name for the report", path.display())))
                }
                created => {
                    let file = created.with_context(|| format!("{} cannot be created", path.display()))?;
                    Ok((path, BufWriter::new(file)))
                }
            }
        });
        Ok(Self { file: file.transpose()?, counts: BTreeMap::new(), shown: Vec::new(), noteworthy: 0 })
    }

    pub(crate) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) -> anyhow::Result<()> {
        for finding in findings {
            let Finding { kind, name, outcome, why } = &finding;
            *self.counts.entry((*kind, *outcome)).or_default() += 1;
            if let Some((_, file)) = &mut self.file {
                let line =
                    json!({ "row": kind.as_str(), "name": name, "outcome": outcome.as_str(), "why": why });
                writeln!(file, "{line}").context("the report cannot be written")?;
            }
            if !why.is_empty() {
                self.noteworthy += 1;
                if self.shown.len() < MAX_SHOWN {
                    self.shown.push(finding);
                }
            }
        }
        Ok(())
    }

    /// The number of rows of this kind with that outcome.
    pub(crate) fn count(&self, kind: RowKind, outcome: Outcome) -> u64 {
        self.counts.get(&(kind, outcome)).copied().unwrap_or_default()
    }

    /// Finishes the file, and prints what happened to how many rows, and what to know about some.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        if let Some((_, file)) = &mut self.file {
            file.flush().context("the report cannot be written")?;
        }
        output::result(self.table())?;
        for Finding { kind, name, outcome, why } in &self.shown {
            output::result(format_args!("{} {name}, {}: {why}.", kind.as_str(), outcome.as_str()))?;
        }
        match (self.noteworthy - self.shown.len(), self.file.as_ref().map(|(path, _)| path)) {
            (0, None) => {}
            (0, Some(path)) => output::explain(format_args!("Every row is in {}.", path.display())),
            (more, Some(path)) => {
                output::explain(format_args!("There are {more} more. Every row is in {}.", path.display()));
            }
            (more, None) => {
                output::explain(format_args!(
                    "There are {more} more: run it again with --report <file> to see all."
                ));
            }
        }
        Ok(())
    }

    /// A line for each kind of row below the headings.
    fn table(&self) -> String {
        const OUTCOMES: [Outcome; 4] = [Outcome::Came, Outcome::Present, Outcome::Changed, Outcome::LeftOut];
        let headings = OUTCOMES.map(|outcome| format!("{:>10}", outcome.as_str())).concat();
        let mut kinds: Vec<RowKind> = self.counts.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        let lines = kinds.into_iter().map(|kind| {
            let counts = OUTCOMES.map(|outcome| format!("{:>10}", self.count(kind, outcome))).concat();
            format!("{:16}{counts}", kind.as_str())
        });
        std::iter::once(format!("{:16}{headings}", "")).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_the_file_has_each() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("report.jsonl");
        let mut report = Report::begin(Some(path.clone())).expect("begun");
        let why = "its projects were deleted";
        report
            .add([
                Finding::came(RowKind::Token, "a"),
                Finding::came(RowKind::Token, "b"),
                Finding::left_out(RowKind::Token, "c", why),
                Finding::present(RowKind::Project, "default", ""),
            ])
            .expect("added");
        assert_eq!(
            report.table(),
            "                      came   present   changed  left out\n\
             project                  0         1         0         0\n\
             API token                2         0         0         1"
        );
        report.finish().expect("finished");
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(text.lines().count(), 4);
        assert!(text.contains(why), "{text}");
        let Err(error) = Report::begin(Some(path)) else { panic!("it is there") };
        assert!(error.is::<Usage>(), "{error}");
    }
}
