//! What the command line says: results on standard output, for scripts; explanations and errors on standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use latchkey_ports::ErrorChain;

/// An error in how a command was called, which ends with the exit code that clap's own usage errors have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// A line of result.
///
/// # Errors
/// Where it cannot be written; not where the other end was closed, because whoever did that does not want to hear it.
pub(crate) fn result(line: impl Display) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("nothing can be written to standard output")
        }
        _ => Ok(()),
    }
}

/// A line of explanation. Where it cannot be written, there is nowhere left to say so.
pub(crate) fn explain(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A line that takes the place of the last one, on a terminal.
pub(crate) fn redraw(line: impl Display) {
    let mut stderr = io::stderr().lock();
    // To the beginning of the line, and what stands there goes.
    let _ = write!(stderr, "\r\x1b[K{line}").and_then(|()| stderr.flush());
}

/// Says what went wrong, with its causes, and how to exit.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    explain(format_args!("latchkey: {}", ErrorChain(error.as_ref())));
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}
