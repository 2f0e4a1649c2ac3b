//! Clients of all replicas, and a record of what they asked and what they were told.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use latchkey_testkit::{
    raw_http::{Request, Response},
    server::{ADMIN, Server, TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::json;

use crate::site::Site;

/// The pause of a client between two requests.
const PACE: Duration = Duration::from_millis(50);
/// Tokens that are verified throughout, and never revoked.
const KNOWN: usize = 20;
/// Tokens that wait to be revoked; more than are revoked while a client is held up.
const RESERVE: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Create,
    Revoke,
    Verify,
    List,
}

/// One request and its answer. Times are measured from the start of the load.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) act: Act,
    pub(crate) replica: usize,
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
    /// The status; an error of the connection instead.
    pub(crate) answer: Result<u16, String>,
    /// The body of a refusal.
    pub(crate) reason: String,
}

/// A token whose revocation was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Revoked {
    pub(crate) secret: String,
    pub(crate) by: usize,
    pub(crate) acknowledged: Duration,
}

/// A revoked token that was verified by a request that was sent after the revocation had been acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Late {
    pub(crate) by: usize,
    pub(crate) at: usize,
    pub(crate) sent: Duration,
    pub(crate) after: Duration,
}

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) seen: Vec<Seen>,
    /// The names of all tokens whose creation was acknowledged.
    pub(crate) created: Vec<String>,
    /// Secrets that must be good.
    pub(crate) good: VecDeque<String>,
    pub(crate) revoked: Vec<Revoked>,
    pub(crate) late: Vec<Late>,
}

struct Shared {
    /// With which the names of its tokens begin.
    name: &'static str,
    start: Instant,
    replicas: Vec<SocketAddr>,
    known: Vec<String>,
    record: Mutex<Record>,
    is_stopped: Mutex<bool>,
    stopped: Condvar,
}

/// The running clients.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts four clients of each replica, and waits until each has been served.
    #[expect(clippy::disallowed_methods, reason = "how long real programs take is what is measured here")]
    pub(crate) fn start(site: &Site, name: &'static str) -> Self {
        let mut shared = Shared {
            name,
            start: Instant::now(),
            replicas: site.replicas.iter().map(Server::address).collect(),
            known: Vec::new(),
            record: Mutex::default(),
            is_stopped: Mutex::default(),
            stopped: Condvar::new(),
        };
        shared.known =
            (0..KNOWN).map(|number| site.replicas[0].create_token(&format!("known-{number}"))).collect();
        // Only tokens that a replica has verified before are promised to be verified without the database.
        for server in &site.replicas {
            for secret in &shared.known {
                assert_eq!(server.status("/auth/verify", secret), 200);
            }
        }
        let shared = Arc::new(shared);
        let replicas = 0..shared.replicas.len();
        let clients = replicas.clone().flat_map(|replica| {
            let works: [fn(&Shared, usize, usize); 5] = [create, revoke, verify, list, verify_revoked];
            works.map(|work| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut turn = 0;
                    while shared.pause() {
                        work(&shared, replica, turn);
                        turn += 1;
                    }
                })
            })
        });
        let load = Self { clients: clients.collect(), shared };
        for replica in replicas {
            for act in [Act::Create, Act::Revoke, Act::Verify, Act::List] {
                until_true("each client is served", || load.has_succeeded(act, replica, Duration::ZERO));
            }
        }
        load
    }

    /// Returns the time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.shared.start.elapsed()
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record()
    }

    /// Whether a request that was sent after that time has succeeded.
    pub(crate) fn has_succeeded(&self, act: Act, replica: usize, after: Duration) -> bool {
        let is_one =
            |seen: &Seen| seen.act == act && seen.replica == replica && seen.sent > after && seen.is_good();
        self.record().seen.iter().rev().take_while(|seen| seen.ended > after).any(is_one)
    }

    /// Lets that much time pass under load.
    pub(crate) fn run_for(&self, span: Duration) {
        let stopped = self.shared.is_stopped.lock().expect("the state");
        drop(self.shared.stopped.wait_timeout_while(stopped, span, |stopped| !*stopped).expect("the state"));
    }

    /// Stops all clients; returns what they saw.
    pub(crate) fn stop(mut self) -> Record {
        self.end();
        std::mem::take(&mut *self.record())
    }

    fn end(&mut self) {
        *self.shared.is_stopped.lock().expect("the state") = true;
        self.shared.stopped.notify_all();
        for client in self.clients.drain(..) {
            client.join().expect("a client that ends");
        }
    }
}

impl Seen {
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.answer, Ok(200 | 201))
    }
}

impl Shared {
    /// Waits for the client's next turn; `false` when there is none.
    fn pause(&self) -> bool {
        let stopped = self.is_stopped.lock().expect("the state");
        let (stopped, _) =
            self.stopped.wait_timeout_while(stopped, PACE, |stopped| !*stopped).expect("the state");
        !*stopped
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("the record")
    }

    fn send(&self, replica: usize, request: &Request) -> Result<Response, String> {
        request.send_to(self.replicas[replica]).map_err(|error| error.to_string())
    }

    /// Sends a request and records it; returns the response and the time.
    fn act(&self, act: Act, replica: usize, request: &Request) -> (Result<Response, String>, Duration) {
        let sent = self.start.elapsed();
        let answer = self.send(replica, request);
        let ended = self.start.elapsed();
        let status = answer.as_ref().map(|response| response.status).map_err(String::clone);
        let refusal = answer.as_ref().ok().filter(|response| response.status >= 400);
        let reason = refusal.map(Response::text).unwrap_or_default();
        self.record().seen.push(Seen { act, replica, sent, ended, answer: status, reason });
        (answer, ended)
    }

    /// Verifies a revoked token; returns whether it was good.
    fn verify_revoked(&self, revoked: &Revoked, at: usize) -> bool {
        let sent = self.start.elapsed();
        let answer = self.send(at, &Request::get("/auth/verify").by(&revoked.secret));
        let is_good = answer.is_ok_and(|response| response.status == 200);
        if is_good {
            let after = sent.saturating_sub(revoked.acknowledged);
            self.record().late.push(Late { by: revoked.by, at, sent, after });
        }
        is_good
    }
}

fn create(shared: &Shared, replica: usize, turn: usize) {
    let name = format!("{}-{replica}-{turn}", shared.name);
    let request = Request::post(TOKENS, &json!({ "tokenName": name, "type": "client" })).by(ADMIN);
    let (Ok(response), _) = shared.act(Act::Create, replica, &request) else { return };
    if response.status == 201 {
        let secret = response.json()["secret"].as_str().expect("a secret").to_owned();
        let mut record = shared.record();
        record.created.push(name);
        record.good.push_back(secret);
    }
}

/// Revokes a token that all replicas have in memory, and asks them for it until none verifies it.
fn revoke(shared: &Shared, replica: usize, _turn: usize) {
    let mut record = shared.record();
    let secret = if record.good.len() > RESERVE { record.good.pop_front() } else { None };
    drop(record);
    let Some(secret) = secret else { return };
    for at in 0..shared.replicas.len() {
        // A replica without its database does not know the token, and need not.
        drop(shared.send(at, &Request::get("/auth/verify").by(&secret)));
    }
    let request = Request::delete(&format!("{TOKENS}/{}", percent_encoded(&secret))).by(ADMIN);
    let (Ok(response), acknowledged) = shared.act(Act::Revoke, replica, &request) else { return };
    if response.status != 200 {
        // Whether it was revoked is not known.
        return;
    }
    let revoked = Revoked { secret, by: replica, acknowledged };
    thread::scope(|scope| {
        for at in 0..shared.replicas.len() {
            let revoked = &revoked;
            scope.spawn(move || while shared.verify_revoked(revoked, at) {});
        }
    });
    shared.record().revoked.push(revoked);
}

fn verify(shared: &Shared, replica: usize, turn: usize) {
    let secret = &shared.known[turn % shared.known.len()];
    drop(shared.act(Act::Verify, replica, &Request::get("/auth/verify").by(secret)));
}

fn list(shared: &Shared, replica: usize, _turn: usize) {
    drop(shared.act(Act::List, replica, &Request::get(&format!("{TOKENS}?limit=20")).by(ADMIN)));
}

/// Verifies all tokens that were revoked before, again and again.
fn verify_revoked(shared: &Shared, replica: usize, turn: usize) {
    let record = shared.record();
    // The latest ones first: the former primary of a failover has not heard of them.
    let number = record.revoked.len();
    let revoked = record.revoked.get(number.wrapping_sub(1 + turn % number.clamp(1, 200))).cloned();
    drop(record);
    if let Some(revoked) = revoked {
        shared.verify_revoked(&revoked, replica);
    }
}
