//! Limits of tokens hold for all servers on a database together.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpStream,
    thread,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
};
use serde_json::{Value, json};

/// The requests of a window.
const REQUESTS: usize = 300;
const PER: &str = "PT2S";
/// Windows from the first to the last request of all clients that are judged.
const WINDOWS: usize = 10;

/// What a client was told in a window.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    accepted: usize,
    refused: usize,
}

/// A client of one server, on one connection.
struct Client<'s> {
    server: &'s Server,
    question: Value,
    stream: Option<TcpStream>,
}

impl Client<'_> {
    fn ask(&mut self) -> Value {
        let stream = self.stream.take().unwrap_or_else(|| {
            TcpStream::connect(self.server.address()).expect("the server accepts connections")
        });
        let asked = Request::post("/api/verify", &self.question).by(ADMIN).kept().exchange(&stream);
        let answer = asked.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.stream = Some(stream);
        answer.json()
    }
}

fn client<'s>(server: &'s Server, token: &Value) -> Client<'s> {
    Client { server, question: json!({ "token": token["secret"] }), stream: None }
}

fn created(server: &Server, limits: &Value) -> Value {
    let mut body = json!({ "tokenName": "limited", "type": "client" });
    body.as_object_mut().expect("an object").extend(limits.as_object().expect("an object").clone());
    let answer = server.as_admin(Request::post(TOKENS, &body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Asks without a pause until enough windows have passed; returns what was told in each, by its end.
fn ask_through_windows(mut client: Client<'_>) -> BTreeMap<String, Told> {
    let mut windows = BTreeMap::<String, Told>::new();
    while windows.len() < WINDOWS + 2 {
        let answer = client.ask();
        let window = answer["rateLimit"]["resetAt"].as_str().expect("a window").to_owned();
        let told = windows.entry(window).or_default();
        if answer["valid"] == json!(true) {
            told.accepted += 1;
        } else {
            assert_eq!(answer["reason"], "rate_limited");
            told.refused += 1;
        }
    }
    windows
}

/// Puts as many clients at each of three servers, which ask for more than there is.
fn a_rate_limit_holds_for_three_servers(clients: [usize; 3]) {
    let env = TestEnv::on(Store::Postgres);
    let servers = [env.serve(), env.serve(), env.serve()];
    let token = created(&servers[0], &json!({ "rateLimit": { "requests": REQUESTS, "per": PER } }));
    let seen: Vec<BTreeMap<String, Told>> = thread::scope(|scope| {
        let all = servers.iter().zip(clients).flat_map(|(server, count)| {
            std::iter::repeat_with(|| client(server, &token)).take(count).collect::<Vec<_>>()
        });
        let running: Vec<_> = all.map(|client| scope.spawn(move || ask_through_windows(client))).collect();
        running.into_iter().map(|client| client.join().expect("a client that ends")).collect()
    });
    let is_whole = |window: &String| {
        // Every client was there before it began and after it ended.
        seen.iter().all(|windows| {
            windows.keys().next().is_some_and(|first| first < window)
                && windows.keys().next_back().is_some_and(|last| last > window)
        })
    };
    let windows: BTreeSet<&String> =
        seen.iter().flat_map(BTreeMap::keys).filter(|one| is_whole(one)).collect();
    let mut judged = 0;
    for window in windows {
        let told = seen.iter().filter_map(|windows| windows.get(window));
        let (accepted, refused) =
            told.fold((0, 0), |(accepted, refused), told| (accepted + told.accepted, refused + told.refused));
        println!("until {window}: {accepted} accepted, {refused} refused");
        assert!(accepted * 100 <= REQUESTS * 102, "until {window}: {accepted} of {REQUESTS}");
        // Where none was refused, the machine was too busy to ask for all.
        if refused > 0 {
            assert!(accepted * 100 >= REQUESTS * 95, "until {window}: {accepted} of {REQUESTS}");
            judged += 1;
        }
    }
    assert!(judged * 2 >= WINDOWS, "{judged} windows were used up");
}

#[test]
fn a_rate_limit_holds_for_three_servers_that_are_used_evenly() {
    a_rate_limit_holds_for_three_servers([1, 1, 1]);
}

#[test]
fn a_rate_limit_holds_for_three_servers_of_which_one_is_used() {
    a_rate_limit_holds_for_three_servers([0, 2, 0]);
}

/// Asks several servers at once for more uses than there are.
fn uses_are_exact(store: Store, servers: usize) {
    const USES: usize = 500;
    const CLIENTS: usize = 6;
    let env = TestEnv::on(store);
    let servers: Vec<_> = std::iter::repeat_with(|| env.serve()).take(servers).collect();
    let token = created(&servers[0], &json!({ "uses": { "remaining": USES } }));
    let accepted: usize = thread::scope(|scope| {
        let running: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = client(&servers[number % servers.len()], &token);
                scope.spawn(move || {
                    let (mut accepted, mut refused) = (0, 0);
                    while refused < 20 {
                        let answer = client.ask();
                        if answer["valid"] == json!(true) {
                            accepted += 1;
                        } else {
                            assert_eq!(answer["reason"], "no_uses_left");
                            refused += 1;
                        }
                    }
                    accepted
                })
            })
            .collect();
        running.into_iter().map(|client| client.join().expect("a client that ends")).sum()
    });
    assert_eq!(accepted, USES);
    let id = token["id"].as_str().expect("an id");
    for server in &servers {
        let shown = server.as_admin(Request::get(&format!("{TOKENS}/{id}"))).json();
        assert_eq!(shown["uses"], json!({ "remaining": 0 }));
        let secret = token["secret"].as_str().expect("a secret");
        assert_eq!(server.status("/auth/verify", secret), 403);
    }
}

#[test]
fn uses_are_exact_on_sqlite() {
    uses_are_exact(Store::Sqlite, 1);
}

#[test]
fn uses_are_exact_on_postgres() {
    uses_are_exact(Store::Postgres, 3);
}
