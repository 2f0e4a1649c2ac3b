//! Processes that end with us.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::stopwatch::Stopwatch;

/// How long a child has for an orderly end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that is stopped when this is dropped: asked first, killed where it does not follow.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: process::Child,
    stop_signal: Signal,
    log: PathBuf,
}

impl Child {
    /// Starts a process; what it prints goes to the file.
    ///
    /// # Errors
    /// Where the file cannot be made or the program cannot be started.
    pub fn start(command: &mut Command, name: &str, log: &Path) -> anyhow::Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), process, stop_signal: Signal::TERM, log: log.to_owned() })
    }

    /// The same, stopped by another signal.
    #[must_use]
    pub fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// Succeeds while the process runs.
    ///
    /// # Errors
    /// Where it has ended; the message holds the end of what it printed.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("{} ended ({status}):\n{}", self.name, self.last_lines());
        }
        Ok(())
    }

    /// The end of what the process has printed.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// The memory that the process has in use (`VmRSS`), in KiB. Linux only.
    ///
    /// # Errors
    /// Where the process is gone or the system does not tell.
    pub fn resident_kib(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("{path} does not tell VmRSS"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted; so no failure matters here.
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.process), self.stop_signal);
        let asked = Stopwatch::start();
        while asked.elapsed() < PATIENCE {
            match self.process.try_wait() {
                Ok(None) => sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port of this machine that nobody listened on a moment ago.
///
/// # Errors
/// Where there is none.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// The path of a program on `PATH`.
///
/// # Errors
/// Where it is not installed; the message says which package has it.
pub fn installed(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
        .with_context(|| format!("`{program}` is not installed; on Debian: apt-get install -y {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Child::start(&mut command, "a shell", log).expect("started")
    }

    #[test]
    fn a_child_ends_when_it_is_dropped() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut child = shell("exec sleep 600", &directory.path().join("log"));
        child.check().expect("it runs");
        assert!(child.resident_kib().expect("known") > 0);
        let id = child.process.id();
        drop(child);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_child_that_ended_says_why() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut child = shell("echo no such database; exit 3", &directory.path().join("log"));
        let _ = child.process.wait();
        let message = child.check().expect_err("it ended").to_string();
        assert!(message.contains("a shell ended") && message.contains("no such database"));
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let message = installed("no-such-program", "its-package").expect_err("missing");
        assert!(message.to_string().contains("apt-get install -y its-package"));
    }
}
