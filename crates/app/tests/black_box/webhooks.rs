//! Webhooks of real servers: events reach a receiver, signed, whatever happens to either.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    receiver::{Entry, Message, Receiver},
    server::{Server, TOKENS},
    wait::{until, until_true},
};
use serde_json::{Value, json};

use crate::database::Records;

const WEBHOOKS: &str = "/api/admin/webhooks";

fn env(store: Store) -> TestEnv {
    TestEnv::on(store)
        .with("LATCHKEY__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.0/8")
        .with("LATCHKEY__WEBHOOKS__RETRY_AFTER", "20ms")
        .with("LATCHKEY__LIMITS__API_TOKENS", "1000000")
}

fn webhook(server: &Server, body: &Value) -> String {
    let created = server.as_admin(Request::post(WEBHOOKS, body));
    assert_eq!(created.status, 201, "{}", created.text());
    format!("{WEBHOOKS}/{}", created.json()["id"].as_str().expect("an id"))
}

fn messages(receiver: &Receiver) -> Vec<Message> {
    let message = |entry| match entry {
        Entry::Received(message) => Some(message),
        Entry::Killed => None,
    };
    receiver.log().into_iter().filter_map(message).collect()
}

fn events_reach_a_receiver(store: Store) {
    let env = env(store);
    // Every third message is answered with an error.
    let mut receiver = Receiver::start(|number, _| if number % 3 == 2 { 500 } else { 204 });
    let server = env.serve();
    let path = webhook(&server, &json!({ "url": receiver.url(), "events": ["api-token-created"] }));
    let ping = server.as_admin(Request::post(&format!("{path}/ping"), &json!({}))).json();
    assert_eq!((&ping["delivered"], &ping["status"]), (&json!(true), &json!(204)), "{ping}");
    for number in 0..20 {
        server.create_token(&format!("before-{number}"));
    }
    until_true("some are received", || receiver.count() > 5);
    receiver.kill();
    for number in 0..5 {
        server.create_token(&format!("while-{number}"));
    }
    server.crash();
    receiver.restart();
    let server = env.serve();
    let waiting = || {
        let body = server.as_admin(Request::get(&format!("{path}/deliveries?state=waiting"))).json();
        body["deliveries"].as_array().expect("a list").len()
    };
    // What the killed server had claimed is sent after a minute.
    let claimed =
        "UPDATE webhook_deliveries SET next_at = began_at WHERE state = 'waiting' AND next_at IS NOT NULL";
    until("all are received", || {
        if waiting() == 0 && deliveries(&server, &path).len() == 25 {
            return Some(());
        }
        assert!(Records::of(&env).try_execute(claimed));
        None
    });
    let deliveries = deliveries(&server, &path);
    assert!(
        deliveries.iter().all(|one| one["state"] == "delivered" && one["status"] == 204),
        "{deliveries:?}"
    );
    let mut accepted: Vec<_> = messages(&receiver)
        .into_iter()
        .filter(|message| message.status == 204 && message.body["type"] == "api-token-created")
        .map(|message| message.body["data"]["data"]["tokenName"].as_str().expect("a name").to_owned())
        .collect();
    accepted.sort_unstable();
    accepted.dedup();
    assert_eq!(accepted.len(), 25);
    let total = server.metric("latchkey_webhook_deliveries_total{result=\"delivered\"}");
    assert!(total > 0.0);
    assert!(!server.stop().contains("/hook"), "the path of a receiver is not logged");
}

fn deliveries(server: &Server, path: &str) -> Vec<Value> {
    let body = server.as_admin(Request::get(&format!("{path}/deliveries?limit=1000"))).json();
    body["deliveries"].as_array().expect("a list").clone()
}

#[test]
fn events_reach_a_receiver_on_sqlite() {
    events_reach_a_receiver(Store::Sqlite);
}

#[test]
fn events_reach_a_receiver_on_postgres() {
    events_reach_a_receiver(Store::Postgres);
}

/// A server that stops ends what it sends, and records it: nothing is sent twice.
fn a_stop_sends_nothing_twice(store: Store) {
    let env = env(store);
    let receiver = Receiver::start(|_, _| 200);
    let server = env.serve();
    let path = webhook(&server, &json!({ "url": receiver.url(), "events": ["api-token-created"] }));
    for number in 0..30 {
        server.create_token(&format!("token-{number}"));
    }
    until_true("some are received", || receiver.count() > 0);
    server.stop();
    let server = env.serve();
    until_true("all are received", || {
        let all = deliveries(&server, &path);
        all.len() == 30 && all.iter().all(|one| one["state"] == "delivered")
    });
    assert_eq!(receiver.count(), 30);
}

#[test]
fn a_stop_sends_nothing_twice_on_sqlite() {
    a_stop_sends_nothing_twice(Store::Sqlite);
}

#[test]
fn a_stop_sends_nothing_twice_on_postgres() {
    a_stop_sends_nothing_twice(Store::Postgres);
}

/// What the settings do not name is not sent to, by whatever name it is reached.
#[test]
fn the_operators_networks_are_out_of_reach() {
    let env = TestEnv::on(Store::Memory);
    let receiver = Receiver::start(|_, _| 200);
    let server = env.serve();
    for url in [receiver.url(), receiver.url().replace("127.0.0.1", "localhost")] {
        let path = webhook(&server, &json!({ "url": url }));
        let ping = server.as_admin(Request::post(&format!("{path}/ping"), &json!({}))).json();
        assert_eq!(ping["delivered"], json!(false));
        let error = ping["error"].as_str().expect("an error");
        assert!(error.contains("webhooks.allowed_networks"), "{error}");
    }
    server.create_token("t");
    until_true("it is tried", || {
        let metrics = server.send(&Request::get("/metrics")).text();
        metrics.contains("latchkey_webhook_deliveries_total{result=\"retried\"}")
    });
    assert_eq!(receiver.count(), 0);
}

/// Changes of one token arrive in order, although several servers send them and some fail.
#[test]
fn several_servers_keep_the_order_of_a_token() {
    let env = env(Store::Postgres);
    let receiver = Receiver::start(|number, _| if number % 4 == 1 { 503 } else { 200 });
    let servers = [env.serve(), env.serve(), env.serve()];
    webhook(&servers[0], &json!({ "url": receiver.url(), "projects": ["default"] }));
    let made =
        servers[0].as_admin(Request::post(TOKENS, &json!({ "tokenName": "t", "type": "client" }))).json();
    let token = format!("{TOKENS}/{}", made["id"].as_str().expect("an id"));
    for number in 0..30 {
        let change = json!({ "description": number.to_string() }).to_string();
        let change = Request::new("PATCH", &token).header("content-type", "application/json").body(change);
        assert_eq!(servers[number % 3].as_admin(change).status, 200);
    }
    let accepted = || -> Vec<i64> {
        let messages = messages(&receiver).into_iter().filter(|message| message.status == 200);
        messages.map(|message| message.body["data"]["id"].as_i64().expect("an id")).collect()
    };
    until_true("all are received", || accepted().len() == 31);
    assert!(accepted().is_sorted_by(|one, other| one < other), "{:?}", accepted());
}
