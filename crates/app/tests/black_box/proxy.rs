//! A TCP proxy between a server and its database, which a test can cut or freeze.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

/// A proxy that forwards all data until it is cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    thawed: Condvar,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    /// Whether received data is held back.
    is_frozen: bool,
    /// The number of messages from the server that are still forwarded before the proxy cuts itself; `None` = all.
    left: Option<usize>,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Starts a proxy for `upstream`, a `host:port`.
    pub(crate) fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::<Shared>::default();
        let (shared, upstream) = (Arc::clone(&state), upstream.to_owned());
        // Ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // While the proxy is cut, new connections are closed.
                if !shared.lock().is_cut
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

    /// Closes all connections and refuses new ones.
    pub(crate) fn cut(&self) {
        self.state.lock().cut();
    }

    /// Holds back all data: no connection is closed, and none responds.
    pub(crate) fn freeze(&self) {
        self.state.lock().is_frozen = true;
    }

    /// Forwards the held-back data and all further data.
    pub(crate) fn thaw(&self) {
        self.state.lock().is_frozen = false;
        self.state.thawed.notify_all();
    }

    /// Forwards that many messages from the server, and cuts before the next.
    pub(crate) fn cut_after(&self, messages: usize) {
        self.state.lock().left = Some(messages);
    }

    /// Accepts connections again. Returns whether it was cut.
    pub(crate) fn restore(&self) -> bool {
        let mut state = self.state.lock();
        state.left = None;
        std::mem::take(&mut state.is_cut)
    }
}

impl State {
    fn cut(&mut self) {
        self.is_cut = true;
        for stream in self.open.drain(..) {
            // It fails if the other side has closed already.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Returns whether a message from the server may pass.
    fn lets_pass(&mut self) -> bool {
        match &mut self.left {
            Some(0) => self.cut(),
            Some(left) => *left -= 1,
            None => {}
        }
        !self.is_cut
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }

    /// Waits while data is held back.
    fn lock_thawed(&self) -> MutexGuard<'_, State> {
        self.thawed.wait_while(self.lock(), |state| state.is_frozen).expect("the state")
    }
}

fn join(client: TcpStream, database: TcpStream, state: &Arc<Shared>) {
    let twin = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    state.lock().open.extend([twin(&client), twin(&database)]);
    let (client_twin, database_twin, state) = (twin(&client), twin(&database), Arc::clone(state));
    let for_answers = Arc::clone(&state);
    thread::spawn(move || pass_on(client, database, || state.lock_thawed().lets_pass()));
    thread::spawn(move || {
        pass_on(database_twin, client_twin, || {
            drop(for_answers.lock_thawed());
            true
        });
    });
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
