//! Programs of other makers that run beside Latchkey, and a server that stands in for an upstream.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use latchkey_testkit::{
    process::{self, Process, free_port},
    wait::until,
};

/// Returns the path of a program that must be installed.
pub(crate) fn installed(program: &str) -> PathBuf {
    process::find(program)
        .unwrap_or_else(|| panic!("this test needs {program}: run ./test, which installs it"))
}

/// A server of another maker, killed when it is dropped.
pub(crate) struct NeighborProcess {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl NeighborProcess {
    /// Starts a server that `command` prepares for a port, and waits until it accepts connections.
    pub(crate) fn start(name: &str, command: impl Fn(u16) -> Command) -> Self {
        // Another process may take the port first: then the server stops, and another port is tried.
        until("a neighbor that starts", || Self::try_start(name, &command))
    }

    fn try_start(name: &str, command: &impl Fn(u16) -> Command) -> Option<Self> {
        let port = free_port().expect("a free port");
        let process = Process::start(&mut command(port), name).expect("the program starts");
        let mut started = Self { process, address: (Ipv4Addr::LOCALHOST, port).into() };
        until("a neighbor that accepts connections", || started.is_up()).then_some(started)
    }

    /// Returns `Some(false)` if it has stopped because its port was in use.
    fn is_up(&mut self) -> Option<bool> {
        if let Some(status) = self.process.exit_status().expect("its status") {
            let output = self.output();
            assert!(output.to_lowercase().contains("in use"), "it stopped with {status}:\n{output}");
            return Some(false);
        }
        TcpStream::connect(self.address).is_ok().then_some(true)
    }

    pub(crate) fn output(&self) -> String {
        self.process.output()
    }
}

/// A server whose responses a test defines.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Stub {
    /// Starts a server that responds to each request, given as it came, with a status and a body.
    pub(crate) fn answering(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                // A client may close its connection early.
                drop(Self::serve(&stream, &answer));
            }
        });
        Self { address, requests }
    }

    /// Starts a server that responds to each request with the request itself.
    pub(crate) fn echo() -> Self {
        Self::answering(|request| (200, request.to_owned()))
    }

    /// Returns the number of requests received.
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

/// Returns a command without the environment variables of this process.
pub(crate) fn command(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.env_clear();
    command
}
