//! A TCP proxy between a server and its database, which can be cut.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// Passes everything on until it is cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    is_cut: bool,
    /// How many more messages from the server are passed on before the proxy cuts itself; `None` = all.
    left: Option<usize>,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy before `upstream`, a `host:port`.
    pub(crate) fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(Mutex::new(State { is_cut: false, left: None, open: Vec::new() }));
        let (shared, upstream) = (Arc::clone(&state), upstream.to_owned());
        // Ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // While the proxy is cut, the connection is closed again without a word.
                if !lock(&shared).is_cut
                    && let Ok(database) = TcpStream::connect(&upstream)
                {
                    join(client, database, &shared);
                }
            }
        });
        Self { address, state }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and lets nobody through.
    pub(crate) fn cut(&self) {
        lock(&self.state).cut();
    }

    /// Passes that many messages from the server on, and cuts before the next.
    pub(crate) fn cut_after(&self, messages: usize) {
        lock(&self.state).left = Some(messages);
    }

    /// Lets everybody through again. Says whether it was cut.
    pub(crate) fn restore(&self) -> bool {
        let mut state = lock(&self.state);
        state.left = None;
        std::mem::take(&mut state.is_cut)
    }
}

impl State {
    fn cut(&mut self) {
        self.is_cut = true;
        for stream in self.open.drain(..) {
            // It fails where the other side has closed already.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Whether a message from the server may pass.
    fn lets_pass(&mut self) -> bool {
        match &mut self.left {
            Some(0) => self.cut(),
            Some(left) => *left -= 1,
            None => {}
        }
        !self.is_cut
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("the state")
}

fn join(client: TcpStream, database: TcpStream, state: &Arc<Mutex<State>>) {
    let twin = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    lock(state).open.extend([twin(&client), twin(&database)]);
    let (client_twin, database_twin, state) = (twin(&client), twin(&database), Arc::clone(state));
    thread::spawn(move || pass_on(client, database, || lock(&state).lets_pass()));
    thread::spawn(move || pass_on(database_twin, client_twin, || true));
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, lets_pass: impl Fn() -> bool) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !lets_pass() || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}
