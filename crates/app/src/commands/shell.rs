//! `latchkey completions` and `latchkey man`, which packages install.

use std::io::{self, ErrorKind, Write};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command to describe, such as `token create`; by default the program as a whole
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Prints the completions of a shell for this program.
pub(super) fn completions(mut program: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut program, "latchkey", &mut script);
    output::result(String::from_utf8_lossy(&script).trim_end())
}

/// Prints the manual page of this program, or of the command at this path in it.
///
/// # Errors
/// If there is no such command, or the page cannot be written.
pub(super) fn man(program: Command, path: &[String]) -> anyhow::Result<()> {
    let mut command = program;
    command.build();
    let mut name = "latchkey".to_owned();
    for word in path {
        let found: Option<&Command> = command.find_subcommand(word);
        let sub = found.with_context(|| format!("there is no command \"{name} {word}\""))?;
        name = format!("{name} {word}");
        command = sub.clone();
    }
    let mut page = Vec::new();
    Man::new(command)
        .source(concat!("latchkey ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .context("the manual page cannot be made")?;
    match io::stdout().lock().write_all(&page) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("nothing can be written to standard output")
        }
        _ => Ok(()),
    }
}
