//! Child processes that end with their owner.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

const PAUSE: Duration = Duration::from_millis(5);
/// How many pauses a process has for a graceful end: ten seconds.
const PAUSES: u32 = 2_000;
/// Where Debian installs servers; the `PATH` of a user may lack it.
const SERVER_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// A process that is ended when this is dropped: killed, or first asked by a signal if one is set.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stop_signal: Option<Signal>,
    stdout: File,
    stderr: File,
}

impl Process {
    /// Starts a process without standard input, and keeps what it prints.
    pub fn start(command: &mut Command, name: &str) -> anyhow::Result<Self> {
        let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, stop_signal: None, stdout, stderr })
    }

    /// Sets the signal that asks the process to stop when this is dropped.
    #[must_use]
    pub fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop_signal = Some(signal);
        self
    }

    /// Returns the exit status of a process that has ended.
    pub fn exit_status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Succeeds while the process runs.
    ///
    /// # Errors
    /// If it has ended; the message holds the end of its output.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.exit_status()? {
            bail!("{} ended ({status}):\n{}", self.name, self.last_lines());
        }
        Ok(())
    }

    /// Returns its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Sends a signal to the process and then to each of its child processes. Linux only.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn signal_with_children(&self, signal: Signal) -> anyhow::Result<()> {
        self.signal(signal)?;
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        for child in children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)) {
            // One may have ended since.
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Returns what the process has printed on standard output.
    pub fn stdout(&self) -> String {
        contents(&self.stdout)
    }

    /// Returns what the process has printed on standard error.
    pub fn stderr(&self) -> String {
        contents(&self.stderr)
    }

    /// Returns what the process has printed on both streams, standard output first.
    pub fn output(&self) -> String {
        self.stdout() + &self.stderr()
    }

    /// Returns the end of the process's output.
    pub fn last_lines(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// Returns the memory that the process has in use (`VmRSS`), in KiB. Linux only.
    pub fn resident_kib(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("{path} does not tell VmRSS"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that the process has ended already.
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if let Some(signal) = self.stop_signal
            && self.signal(signal).is_ok()
        {
            for _ in 0..PAUSES {
                match self.child.try_wait() {
                    Ok(None) => sleep(PAUSE),
                    _ => return,
                }
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the file from its start without moving the position that the process writes at.
fn contents(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let read = file.read_exact_at(&mut bytes, 0);
    read.map(|()| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Returns a port of this machine that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Returns the path of a program on `PATH` or in a directory for servers.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(SERVER_DIRECTORIES.map(PathBuf::from));
    directories.map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// Returns the path of a program that must be installed.
///
/// # Errors
/// If it is not installed; the message names the package that has it.
pub fn installed(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    find(program)
        .with_context(|| format!("`{program}` is not installed; on Debian: apt-get install -y {package}"))
}

/// Returns a program of this workspace, built beside the running one or, for a test, one directory above.
pub fn built(program: &str) -> anyhow::Result<PathBuf> {
    let running = std::env::current_exe()?;
    running
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
        .with_context(|| format!("{program} is not built beside {}", running.display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(&mut command, "a shell").expect("started")
    }

    #[test]
    fn a_process_ends_when_it_is_dropped() {
        for signal in [None, Some(Signal::TERM)] {
            let mut process = shell("exec sleep 600");
            process.stop_signal = signal;
            process.check().expect("it runs");
            assert!(process.resident_kib().expect("known") > 0);
            let id = process.child.id();
            drop(process);
            assert!(!Path::new(&format!("/proc/{id}")).exists());
        }
    }

    #[test]
    fn an_ended_process_is_reported_with_its_output() {
        let mut process = shell("echo to stdout; echo no such database >&2; exit 3");
        assert_eq!(process.wait().expect("its end").code(), Some(3));
        let message = process.check().expect_err("it ended").to_string();
        assert!(message.contains("a shell ended") && message.contains("no such database"));
        assert_eq!(
            (process.stdout().as_str(), process.stderr().as_str()),
            ("to stdout\n", "no such database\n")
        );
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let message = installed("no-such-program", "its-package").expect_err("missing");
        assert!(message.to_string().contains("apt-get install -y its-package"));
    }
}
