//! Reads passwords: on a terminal without showing them, otherwise from the first line of standard input. Explains the faults
//! of weak ones.

use std::io::{self, BufRead, IsTerminal as _};

use anyhow::{Context as _, anyhow, bail};
use latchkey_domain::PasswordFault;
use latchkey_service::ServiceError;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::output::{self, Usage};

/// The maximum length of the line, longer than any password.
const MAX_BYTES: u64 = 4_096;

/// Reads a new password: asks for it twice on a terminal, and otherwise takes the first line of standard input. Passwords are
/// never arguments or variables: other programs can read those.
///
/// # Errors
/// [`Usage`] if there is none, or two different ones; does not repeat what was read.
pub(super) fn read() -> anyhow::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return first_line(stdin.lock());
    }
    let password = ask("Password: ")?;
    if password.is_empty() {
        bail!(Usage("no password was typed".to_owned()));
    }
    if ask("Again: ")? != password {
        bail!(Usage("the two passwords differ: try again".to_owned()));
    }
    Ok(password)
}

/// Reads a line from the terminal without showing it. The question comes when the terminal shows nothing any more, and what
/// was typed before it does not count.
fn ask(question: &str) -> anyhow::Result<String> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin).context("the terminal cannot be set up")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).context("the terminal cannot be set up")?;
    output::redraw(question);
    let line = read_line(stdin.lock());
    // A failure leaves the terminal without echo, which the user sees.
    let _ = tcsetattr(&stdin, OptionalActions::Now, &shown);
    line
}

/// Reads a new password if standard input is a terminal, or `is_piped` says that it is there.
///
/// # Errors
/// As [`read`]; [`Usage`] if standard input is neither.
pub(super) fn read_from_terminal_or(is_piped: bool) -> anyhow::Result<String> {
    if !is_piped && !io::stdin().is_terminal() {
        bail!(Usage(
            "there is no terminal to ask for the password: pipe it in, and add --password-stdin".to_owned()
        ));
    }
    read()
}

fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    let password = read_line(input)?;
    if password.is_empty() {
        bail!(Usage("--password-stdin reads the password from standard input, which is empty".to_owned()));
    }
    Ok(password)
}

fn read_line(input: impl BufRead) -> anyhow::Result<String> {
    let mut line = Vec::new();
    let length = input.take(MAX_BYTES).read_until(b'\n', &mut line);
    if length.context("standard input cannot be read")? as u64 == MAX_BYTES {
        bail!(PasswordFault::TooLong);
    }
    let mut password = String::from_utf8(line).map_err(|_| anyhow!("the password is not valid UTF-8"))?;
    let length = password.trim_end_matches(['\n', '\r']).len();
    password.truncate(length);
    Ok(password)
}

/// Returns the error with all faults of a weak password.
pub(super) fn explained(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::WeakPassword(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            anyhow!(faults.join(" "))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_without_its_line_end() {
        for (input, expected) in [
            ("correct horse\n", "correct horse"),
            ("correct horse", "correct horse"),
            ("correct horse\r\n", "correct horse"),
            (" correct horse \nname: ed\n", " correct horse "),
        ] {
            assert_eq!(first_line(input.as_bytes()).expect("a line"), expected);
        }
    }

    #[test]
    fn without_a_line_there_is_no_password() {
        for input in ["", "\n", "\r\n", "\nsecond line"] {
            assert!(first_line(input.as_bytes()).expect_err("none").is::<Usage>(), "{input:?}");
        }
        assert!(first_line(&b"\xffhush"[..]).is_err());
    }

    #[test]
    fn a_line_that_is_too_long_is_not_read_to_its_end() {
        let error = first_line("ü".repeat(1_000_000).as_bytes()).expect_err("too long");
        assert_eq!(error.downcast_ref(), Some(&PasswordFault::TooLong));
    }

    #[test]
    fn every_fault_is_reported() {
        let faults = vec![PasswordFault::TooShort, PasswordFault::Common];
        let message = explained(ServiceError::WeakPassword(faults)).to_string();
        assert!(message.contains("at least 10 characters") && message.contains("most common"), "{message}");
    }
}
