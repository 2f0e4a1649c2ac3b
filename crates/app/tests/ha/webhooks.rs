//! Webhooks under kills: three replicas, a receiver that fails a third of the time and is killed twice, and replicas that are killed
//! twice. Every event is received, those of one token in order, and twice only where a kill left open whether it was.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry as MapEntry},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    receiver::{Entry, Receiver},
    server::{ADMIN, Server, TOKENS},
    wait::{try_until, until_true},
};
use serde_json::{Value, json};

/// Events where there is little time, and at length.
const EVENTS: (usize, usize) = (1_000, 10_000);
/// The events of each token: one of its creation, and changes.
const OF_A_TOKEN: usize = 5;
const CLIENTS: usize = 6;

/// Sends a request to one replica after the other until one of them answers it.
fn send(replicas: &[Server], request: &Request) -> Value {
    let mut turn = 0;
    let answered = try_until(|| {
        turn += 1;
        let answer = request.send_to(replicas[turn % replicas.len()].address()).ok()?;
        assert!([200, 201, 503].contains(&answer.status), "{}", answer.text());
        (answer.status != 503).then(|| answer.json())
    });
    answered.expect("a replica answers")
}

/// Makes the events of some tokens, and counts them. What is sent again after a kill may have been done: that is one event more.
fn change(replicas: &[Server], tokens: usize, made: &AtomicUsize) {
    for number in 0..tokens {
        let body = json!({ "tokenName": number.to_string(), "type": "client" });
        let token = send(replicas, &Request::post(TOKENS, &body).by(ADMIN));
        let path = format!("{TOKENS}/{}", token["id"].as_str().expect("an id"));
        made.fetch_add(1, Ordering::Relaxed);
        for change in 1..OF_A_TOKEN {
            let body = json!({ "description": change.to_string() }).to_string();
            let request = Request::new("PATCH", &path).header("content-type", "application/json").body(body);
            send(replicas, &request.by(ADMIN));
            made.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Makes this many events.
fn make(replicas: &[Server], events: usize) {
    let made = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| change(replicas, events.div_ceil(OF_A_TOKEN * CLIENTS), &made));
        }
    });
}

/// A third of all messages fail, without a pattern that meets the same ones again.
fn answer(number: usize) -> u16 {
    let mixed =
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    if (mixed >> 40).is_multiple_of(3) { 500 } else { 200 }
}

/// Waits until that many messages were received.
fn received(receiver: &Receiver, count: usize) {
    for _ in 0..10 {
        if try_until(|| (receiver.count() >= count).then_some(())).is_some() {
            return;
        }
    }
    panic!("{} of {count} messages were received", receiver.count());
}

#[test]
#[ignore = "several programs that need the machine for themselves: ./test runs it last, just ha at length"]
fn every_event_reaches_a_receiver_under_kills() {
    let is_long = std::env::var_os("LATCHKEY_HA_ROUNDS").is_some();
    let events = if is_long { EVENTS.1 } else { EVENTS.0 };
    let env = TestEnv::on(Store::Postgres)
        .with("LATCHKEY__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")
        .with("LATCHKEY__WEBHOOKS__RETRY_AFTER", "10ms")
        .with("LATCHKEY__LIMITS__API_TOKENS", "1000000")
        .with("LATCHKEY__LOG__ACCESS", "false");
    let mut receiver = Receiver::start(|number, _| answer(number));
    let mut replicas = vec![env.serve(), env.serve(), env.serve()];
    let body = json!({ "url": receiver.url() });
    let created = replicas[0].as_admin(Request::post("/api/admin/webhooks", &body));
    assert_eq!(created.status, 201, "{}", created.text());
    let path = format!("/api/admin/webhooks/{}/deliveries", created.json()["id"].as_str().expect("an id"));

    // In four parts, with a kill in each.
    for part in 0..4 {
        thread::scope(|scope| {
            let making = scope.spawn(|| make(&replicas, events / 4));
            received(&receiver, (events / 4) * part + events / 16);
            if part % 2 == 0 {
                receiver.kill();
                receiver.restart();
            }
            making.join().expect("events");
        });
        if part % 2 == 1 {
            receiver.note_kill();
            replicas.remove(part % 3).crash();
            receiver.note_kill();
            replicas.push(env.serve());
        }
    }
    let waiting = || {
        let answer = replicas[0].as_admin(Request::get(&format!("{path}?state=waiting&limit=1"))).json();
        answer["deliveries"].as_array().expect("a list").len()
    };
    let newest = || -> i64 {
        let answer = replicas[0].as_admin(Request::get("/api/admin/events?limit=1")).json();
        answer["events"][0]["id"].as_i64().expect("an id")
    };
    let last = || -> i64 {
        let answer = replicas[0].as_admin(Request::get(&format!("{path}?limit=1"))).json();
        answer["deliveries"][0]["eventId"].as_i64().expect("an id")
    };
    // What a killed replica had claimed is sent after a minute.
    let is_done = || (last() == newest() && waiting() == 0).then_some(());
    assert!((0..10).any(|_| try_until(is_done).is_some()), "deliveries wait");
    until_true("the end", || waiting() == 0);
    check(&receiver, &expected(&replicas[0], &path));
}

/// Returns the ids of all events that are to be received.
fn expected(replica: &Server, path: &str) -> BTreeSet<i64> {
    let mut ids = BTreeSet::new();
    let mut before = i64::MAX;
    loop {
        let answer = replica.as_admin(Request::get(&format!("{path}?limit=1000&before={before}"))).json();
        let page = answer["deliveries"].as_array().expect("a list").clone();
        let Some(lowest) = page.last() else { break };
        before = lowest["eventId"].as_i64().expect("an id");
        for delivery in &page {
            assert_eq!(delivery["state"], "delivered", "{delivery}");
            ids.insert(delivery["eventId"].as_i64().expect("an id"));
        }
    }
    // One for each event after the webhook.
    let first = ids.first().copied().expect("some");
    let target = format!("/api/admin/events/stream?after={}&follow=false", first - 1);
    let stream = replica.as_admin(Request::get(&target)).text();
    let events: BTreeSet<i64> = stream
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str::<Value>(line).expect("an event")["id"].as_i64().expect("an id"))
        .collect();
    assert_eq!(ids, events, "a delivery for each event");
    ids
}

fn check(receiver: &Receiver, expected: &BTreeSet<i64>) {
    // When each event was accepted first, and the last event of each token that was.
    let (mut accepted, mut last_of_token) = (BTreeMap::new(), BTreeMap::new());
    let (mut kills, mut failures, mut duplicates) = (Vec::new(), 0, 0);
    for (place, entry) in receiver.log().into_iter().enumerate() {
        let message = match entry {
            Entry::Killed => {
                kills.push(place);
                continue;
            }
            Entry::Received(message) => message,
        };
        let id = message.body["data"]["id"].as_i64().expect("an id");
        let token = message.body["data"]["data"]["id"].as_str().unwrap_or_default().to_owned();
        let last = last_of_token.get(&token).copied().unwrap_or(0);
        if let Some(first) = accepted.get(&id) {
            duplicates += 1;
            let is_excused = kills.iter().any(|kill| (*first..place).contains(kill));
            assert!(is_excused, "event {id} was accepted at {first} and sent again at {place}: {kills:?}");
        } else {
            assert!(last < id, "event {id} of {token} came after {last}");
        }
        if message.status != 200 {
            failures += 1;
        } else if let MapEntry::Vacant(first) = accepted.entry(id) {
            first.insert(place);
            last_of_token.insert(token, id);
        }
    }
    println!(
        "{} events received, {failures} failures, {duplicates} duplicates, {} tokens",
        accepted.len(),
        last_of_token.len()
    );
    let missing: Vec<_> = expected.iter().filter(|id| !accepted.contains_key(id)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert!(failures * 2 > accepted.len() / 3, "too few fail for this to say anything");
}
