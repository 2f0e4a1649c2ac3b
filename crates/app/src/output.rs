//! What the command line says: results on standard output, for scripts; explanations and errors on standard error.

use std::{
    error::Error,
    fmt::Display,
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;

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

/// Says what went wrong, with its causes, and how to exit.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    explain(format_args!("latchkey: {}", sentence(error.as_ref())));
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// The error and its causes in one line, without a cause that only repeats what was said.
pub(crate) fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        if !said.ends_with(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_follow_and_are_not_repeated() {
        let error = anyhow!("disk full").context("it was not kept: disk full").context("no token");
        assert_eq!(sentence(error.as_ref()), "no token: it was not kept: disk full");
    }
}
