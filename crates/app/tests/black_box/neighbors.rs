//! Programs of others that stand beside Latchkey: found, started on a free port, and ended.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::waiting::until;

/// Where Debian keeps servers; the PATH of a user may lack it.
const SERVERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Where a program is, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SERVERS.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Where a program is that has to be there.
pub(crate) fn installed(program: &str) -> PathBuf {
    find(program).unwrap_or_else(|| panic!("this test needs {program}: run ./test, which installs it"))
}

/// A server of another's making, ended when it is dropped.
pub(crate) struct Neighbour {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Neighbour {
    /// Starts a server that `command` prepares for a port, and waits until somebody can connect.
    pub(crate) fn start(log: &Path, command: impl Fn(u16) -> Command) -> Self {
        // Another process may take the port between here and there: then the server stops, and another is tried.
        until("a neighbour that starts", || Self::try_start(log, &command))
    }

    fn try_start(log: &Path, command: &impl Fn(u16) -> Command) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let output = || fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut command = command(address.port());
        let command = command.stdin(Stdio::null()).stdout(output()).stderr(output());
        let mut started = Self { process: command.spawn().expect("the program starts"), address };
        until("a neighbour that can be reached", || started.is_up(log)).then_some(started)
    }

    /// `Some(false)` where it has stopped for want of its port.
    fn is_up(&mut self, log: &Path) -> Option<bool> {
        if let Some(status) = self.process.try_wait().expect("its state") {
            let said = fs::read_to_string(log).unwrap_or_default();
            assert!(said.to_lowercase().contains("in use"), "it stopped with {status}:\n{said}");
            return Some(false);
        }
        TcpStream::connect(self.address).is_ok().then_some(true)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Both fail where it has stopped already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A server that a test answers for.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Stub {
    /// One that answers each request, word for word as it came, with a status and a body.
    pub(crate) fn answering(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                // A client that hangs up is no fault of this one.
                drop(Self::serve(&stream, &answer));
            }
        });
        Self { address, requests }
    }

    /// One that answers each request with what it was sent.
    pub(crate) fn echo() -> Self {
        Self::answering(|request| (200, request.to_owned()))
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn serve(stream: &TcpStream, answer: &impl Fn(&str) -> (u16, String)) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut said = String::new();
        while !said.ends_with("\r\n\r\n") && reader.read_line(&mut said)? > 0 {}
        let length = said.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
        });
        reader.take(length.unwrap_or(0)).read_to_string(&mut said)?;
        let (status, body) = answer(&said);
        let head = format!(
            "HTTP/1.1 {status} \r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut writer = stream;
        writer.write_all(format!("{head}{body}").as_bytes())
    }
}

/// The program with nothing of this process's environment.
pub(crate) fn command(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.env_clear();
    command
}
