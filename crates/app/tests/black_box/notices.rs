//! Notices from outside: each is recorded once by three servers on one database, which are killed in turn while they send the notices
//! to a webhook that fails a third of the time; each arrives. `just ha` kills fifty times on each database; other runs of the tests
//! do it a few times.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    receiver::{Entry, Receiver},
    server::{Server, TOKENS},
    wait::{try_until, until_true},
};
use serde_json::{Value, json};

use crate::database::Records;

/// The environment variable with the number of kills, and the number without it.
const KILLS: (&str, usize) = ("LATCHKEY_NOTICE_KILLS", 4);
const SERVERS: usize = 3;
/// More than are recorded at once, so that a kill comes between.
const ENDLESS: usize = 250;
const KINDS: [&str; 5] = [
    "api-token-expiring",
    "api-token-expired-in-use",
    "api-token-unused",
    "api-token-policy-violated",
    "api-token-rotation-due",
];
const VIOLATIONS: &str = "events WHERE kind = 'api-token-policy-violated'";

/// How many notices of a kind there are, by kind and token.
type Counts = BTreeMap<(String, String), usize>;

/// Creates tokens of this form, and returns them.
fn created(server: &Server, number: usize, members: &Value) -> Vec<Value> {
    let mut body = json!({ "tokenName": "t", "type": "client" });
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    let answer =
        server.as_admin(Request::post(&format!("{TOKENS}/batch"), &json!({ "tokens": vec![body; number] })));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["tokens"].as_array().expect("a list").clone()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The moment in so many seconds, by the clock of the server.
fn in_seconds(server: &Server, seconds: i64) -> String {
    // A token that has no notice: it is expired from the start.
    let token = created(server, 1, &json!({ "expiresAt": "2020-01-01T00:00:00Z" })).remove(0);
    let now: DateTime<Utc> = text(&token["createdAt"]).parse().expect("a time");
    (now + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn expect(counts: &mut Counts, kind: &str, tokens: &[Value], times: usize) {
    for token in tokens {
        counts.insert((kind.to_owned(), text(&token["id"])), times);
    }
}

fn counted(records: &mut Records) -> Counts {
    let mut counts = Counts::new();
    for event in records.token_events() {
        if event.kind.ends_with("-created") {
            continue;
        }
        assert_eq!((event.actor.as_str(), &event.before), ("latchkey_system_user", &Value::Null));
        *counts.entry((event.kind, text(&event.after["id"]))).or_default() += 1;
    }
    counts
}

/// Returns the ids of the notices that a receiver has accepted.
fn accepted(receiver: &Receiver) -> BTreeSet<i64> {
    let messages = receiver.log().into_iter().filter_map(|entry| match entry {
        Entry::Received(message) if message.status == 200 => Some(message.body["data"]["id"].clone()),
        Entry::Received(_) | Entry::Killed => None,
    });
    messages.map(|id| id.as_i64().expect("an id")).collect()
}

/// Waits until a receiver has accepted so many notices. What a killed server had claimed is sent again after a minute.
fn wait_for_all(receiver: &Receiver, total: usize) {
    // Reading what was received holds the receiver up, so it is counted first.
    let are_all = || (receiver.count_accepted() >= total && accepted(receiver).len() >= total).then_some(());
    let found = (0..10).any(|_| try_until(are_all).is_some());
    assert!(found, "{} of {total} notices were received", accepted(receiver).len());
}

fn each_notice_is_recorded_once(store: Store) {
    let (variable, default) = KILLS;
    let kills = std::env::var(variable).map_or(default, |text| text.parse().expect("a number"));
    let env = TestEnv::on(store)
        .with("LATCHKEY__NOTICES__INTERVAL", "100ms")
        .with("LATCHKEY__NOTICES__EXPIRING", "1,0")
        .with("LATCHKEY__POLICY__UNUSED_NOTICE", "2s")
        .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "100ms")
        .with("LATCHKEY__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")
        .with("LATCHKEY__WEBHOOKS__RETRY_AFTER", "10ms")
        .with("LATCHKEY__LIMITS__API_TOKENS", "1000000");
    let mut servers: Vec<_> = (0..SERVERS).map(|_| env.serve()).collect();
    let receiver = Receiver::start(|number, _| if number % 3 == 1 { 500 } else { 200 });
    let webhook = json!({ "url": receiver.url(), "events": KINDS });
    assert_eq!(servers[0].as_admin(Request::post("/api/admin/webhooks", &webhook)).status, 201);
    let mut records = Records::of(&env);
    let mut expected = Counts::new();
    let endless = created(&servers[0], ENDLESS, &json!({}));
    expect(&mut expected, "api-token-policy-violated", &endless, kills);
    expect(&mut expected, "api-token-unused", &endless, 1);

    for round in 0..kills {
        let server = &servers[(round + 1) % SERVERS];
        // It ends in a day and some seconds, and is to be rotated in some seconds.
        let end = in_seconds(server, 86_405);
        let soon = created(server, 5, &json!({ "expiresAt": end, "rotateEvery": "PT3S" }));
        for kind in ["api-token-expiring", "api-token-unused", "api-token-rotation-due"] {
            expect(&mut expected, kind, &soon, 1);
        }
        // Each bound is another one, which all endless tokens break.
        let policy = json!({ "maxLifetime": format!("P{}D", 3_600 - round) });
        let before = records.count(VIOLATIONS);
        let set = server.as_admin(Request::put("/api/admin/projects/default/policy", &policy));
        assert_eq!(set.status, 200, "{}", set.text());
        until_true("some notices", || records.count(VIOLATIONS) > before + 100 * (round % 3));
        servers.remove(round % SERVERS).crash();
        servers.insert(round % SERVERS, env.serve());
        until_true("all notices of the round", || records.count(VIOLATIONS) >= before + ENDLESS);
    }

    let end = in_seconds(&servers[0], 8);
    let short = created(&servers[0], 3, &json!({ "expiresAt": end }));
    for kind in ["api-token-unused", "api-token-expiring", "api-token-expired-in-use"] {
        expect(&mut expected, kind, &short, 1);
    }
    let use_them =
        || short.iter().all(|token| servers[0].status("/auth/verify", &text(&token["secret"])) == 401);
    // Only then, or they would not be unused.
    let ended = "events WHERE kind = 'api-token-expiring' AND CAST(after AS text) LIKE '%\"days\": 0%'";
    let ended = if store == Store::Sqlite { ended.replace("\": 0", "\":0") } else { ended.to_owned() };
    until_true("they have ended", || records.count(&ended) == short.len());
    let total: usize = expected.values().sum();
    let notices = format!("events WHERE kind IN ('{}')", KINDS.join("', '"));
    until_true("all notices", || use_them() && records.count(&notices) >= total);
    assert_eq!(counted(&mut records), expected);
    assert_eq!(records.count("notices"), total);
    for state in ["expired_in_use", "rotation_due", "unused"] {
        let metric = format!("latchkey_projects_with_tokens{{state=\"{state}\"}}");
        until_true(state, || servers.iter().all(|server| server.metric(&metric) >= 1.0));
    }
    wait_for_all(&receiver, total);
    assert_eq!(accepted(&receiver).len(), total);
    println!("{kills} kills of {SERVERS} servers: {total} notices, each recorded once and received");
}

#[test]
fn each_notice_is_recorded_once_on_sqlite() {
    each_notice_is_recorded_once(Store::Sqlite);
}

#[test]
fn each_notice_is_recorded_once_on_postgres() {
    each_notice_is_recorded_once(Store::Postgres);
}
