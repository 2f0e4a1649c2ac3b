//! Output of the command line: results on standard output, for scripts; explanations and errors on standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use latchkey_ports::ErrorChain;

/// A usage error. It exits with the same code as clap's own usage errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Prints a line of the result.
///
/// # Errors
/// If it cannot be written. A closed pipe is not an error: the reader has all that it wants.
pub(crate) fn result(line: impl Display) -> anyhow::Result<()> {
    is_written(writeln!(io::stdout().lock(), "{line}")).map(drop)
}

/// Prints a part of the result as it is, and returns whether the reader wants more.
///
/// # Errors
/// As [`result`].
pub(crate) fn part(bytes: &[u8]) -> anyhow::Result<bool> {
    is_written(io::stdout().lock().write_all(bytes))
}

fn is_written(outcome: io::Result<()>) -> anyhow::Result<bool> {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("nothing can be written to standard output")
        }
        outcome => Ok(outcome.is_ok()),
    }
}

/// Prints the secret of a new token.
///
/// # Errors
/// As [`result`], with what to do about a secret that is lost.
pub(crate) fn secret(secret: &str) -> anyhow::Result<()> {
    let advice = "the token was created, but its secret could not be printed: delete it and create another";
    result(secret).context(advice)
}

/// Prints a line of explanation. A failure to write it is ignored: there is nowhere left to report it.
pub(crate) fn explain(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Replaces the last line on a terminal.
pub(crate) fn redraw(line: impl Display) {
    let mut stderr = io::stderr().lock();
    // Return to the start of the line and clear it.
    let _ = write!(stderr, "\r\x1b[K{line}").and_then(|()| stderr.flush());
}

/// Prints an error with its causes and returns the exit code.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    explain(format_args!("latchkey: {}", ErrorChain(error.as_ref())));
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}
