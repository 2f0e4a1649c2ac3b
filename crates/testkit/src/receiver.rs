//! A receiver of webhooks on a port of this machine, which can be killed and comes back on the same port.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test whose receiver fails, fails")]

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    mem,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

/// A client that sends nothing for that long is gone.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What a receiver answers to the message of this number, from 0.
type Answer = dyn Fn(usize, &Message) -> u16 + Send + Sync;

/// A message as it was received.
#[derive(Debug, Clone)]
pub struct Message {
    /// The headers, by names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    /// The status that it was answered with.
    pub status: u16,
}

/// What happened, in order.
#[derive(Debug, Clone)]
pub enum Entry {
    Received(Message),
    /// The receiver was killed, or the test has noted that another program was.
    Killed,
}

/// A receiver, which is killed when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    running: Option<Running>,
}

struct Running {
    is_stopped: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

struct State {
    answer: Box<Answer>,
    log: Mutex<Vec<Entry>>,
    /// The connections so far.
    accepted: AtomicUsize,
    /// Those that are open, by number.
    connections: Mutex<BTreeMap<usize, TcpStream>>,
}

impl State {
    fn log(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<usize, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    /// Starts a receiver on a free port.
    pub fn start(answer: impl Fn(usize, &Message) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            answer: Box::new(answer),
            log: Mutex::default(),
            accepted: AtomicUsize::new(0),
            connections: Mutex::default(),
        };
        let mut receiver = Self { address, state: Arc::new(state), running: None };
        receiver.running = Some(receiver.run(listener));
        receiver
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Returns what has happened so far.
    pub fn log(&self) -> Vec<Entry> {
        self.state.log().clone()
    }

    /// Returns how many messages were received.
    pub fn count(&self) -> usize {
        self.state.log().iter().filter(|entry| matches!(entry, Entry::Received(_))).count()
    }

    /// Returns how many messages were answered with 200.
    pub fn count_accepted(&self) -> usize {
        let is_accepted = |entry: &&Entry| matches!(entry, Entry::Received(message) if message.status == 200);
        self.state.log().iter().filter(is_accepted).count()
    }

    /// Notes that another program is killed now.
    pub fn note_kill(&self) {
        self.state.log().push(Entry::Killed);
    }

    /// Ends it as a power cut would: connections are closed, and none is accepted.
    pub fn kill(&mut self) {
        let Some(Running { is_stopped, accepting }) = self.running.take() else { return };
        is_stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        accepting.join().expect("the receiver ends");
        for connection in mem::take(&mut *self.state.connections()).into_values() {
            // One that has ended is closed already.
            drop(connection.shutdown(Shutdown::Both));
        }
        self.note_kill();
    }

    /// Starts it again on its port.
    pub fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).expect("its port");
        self.running = Some(self.run(listener));
    }

    fn run(&self, listener: TcpListener) -> Running {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (state, stopped) = (Arc::clone(&self.state), Arc::clone(&is_stopped));
        let accepting = thread::spawn(move || {
            while let Ok((connection, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let kept = connection.try_clone().expect("a connection");
                let number = state.accepted.fetch_add(1, Ordering::Relaxed);
                state.connections().insert(number, kept);
                let state = Arc::clone(&state);
                // A client that is killed leaves half a message.
                thread::spawn(move || {
                    drop(serve(connection, &state));
                    state.connections().remove(&number);
                });
            }
        });
        Running { is_stopped, accepting }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads one message and answers it. It counts as received before it is answered.
fn serve(mut connection: TcpStream, state: &State) -> io::Result<()> {
    connection.set_read_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).map_err(io::Error::other)?;
    let mut message = Message { headers, body, status: 0 };
    {
        let mut log = state.log();
        message.status = (state.answer)(log.len(), &message);
        log.push(Entry::Received(message.clone()));
    }
    write!(connection, "HTTP/1.1 {} Answer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", message.status)
}
