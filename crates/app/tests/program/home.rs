//! A directory to run the program in, with nothing from outside: no variable, no file.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::server::Server;

/// A directory of its own, and the environment of what runs there.
pub(crate) struct Home {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { stdout: text(stdout), stderr: text(stderr), code: status.code() }
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), variables: Vec::new() }
    }

    /// With a variable of the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// With a file.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).expect("the file is written");
        self
    }

    /// The program, about to run here.
    pub(crate) fn program(&self, line: &str) -> Command {
        let shipped = std::env::var("LATCHKEY_TEST_BINARY");
        let path = Path::new(shipped.as_deref().unwrap_or(env!("CARGO_BIN_EXE_latchkey")));
        let mut command = Command::new(path);
        command
            .args(line.split_whitespace())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, line: &str) -> Said {
        Said::of(self.program(line).output().expect("the program starts"))
    }

    /// Runs a command that reads this to its end.
    pub(crate) fn run_on(&self, line: &str, input: &str) -> Said {
        let mut command = self.program(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        // It may have ended without reading: then writing fails, and that is no fault.
        let _ = process.stdin.take().expect("piped").write_all(input.as_bytes());
        Said::of(process.wait_with_output().expect("it ends"))
    }

    /// Runs a command that has to succeed, and gives back what it printed on standard output, without the line's end.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, Some(0), "latchkey {line}: {}", said.stderr);
        said.stdout.trim_end().to_owned()
    }

    /// Runs a command that has to fail with this code, and gives back the error. It must print no result.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str, code: i32) -> String {
        let said = self.run(line);
        assert_eq!(said.code, Some(code), "latchkey {line}: {said:?}");
        assert_eq!(said.stdout, "", "latchkey {line}");
        said.stderr
    }

    /// Starts a server on a free port and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.program("--port 0"))
    }
}
