//! The list of the servers of one database, by the API: each lists all of them, and one that stops goes from it.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
    wait::until_true,
};
use serde_json::Value;

use crate::database::Records;

const PATH: &str = "/api/admin/replicas";

/// Returns the replicas that a server lists.
fn listed(server: &Server) -> Vec<Value> {
    let response = server.as_admin(Request::get(PATH));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["replicas"].as_array().expect("a list").clone()
}

/// Returns their addresses, with whether each is the server that answers.
fn addresses(server: &Server) -> Vec<(String, bool)> {
    let of = |replica: &Value| {
        let address = replica["address"].as_str().expect("an address").to_owned();
        (address, replica["current"].as_bool().expect("a boolean"))
    };
    listed(server).iter().map(of).collect()
}

#[test]
fn two_servers_list_both_and_one_that_stops_goes() {
    let env = TestEnv::on(Store::Postgres);
    let one = env.serve();
    until_true("the first reports itself", || listed(&one).len() == 1);
    let two = env.serve();
    until_true("the second reports itself", || listed(&one).len() == 2);
    let [first, second] = [&one, &two].map(|server| server.address().to_string());
    assert_eq!(addresses(&one), [(first.clone(), true), (second.clone(), false)]);
    assert_eq!(addresses(&two), [(first, false), (second.clone(), true)]);
    for replica in listed(&two) {
        assert_eq!(replica["version"], env!("CARGO_PKG_VERSION"));
        assert!(!replica["host"].as_str().expect("a name").is_empty(), "{replica}");
    }
    one.stop();
    assert_eq!(addresses(&two), [(second, true)]);
}

#[test]
fn a_server_on_sqlite_lists_itself_alone_after_a_restart_too() {
    let env = TestEnv::on(Store::Sqlite);
    for _ in 0..2 {
        let server = env.serve();
        until_true("it reports itself", || !listed(&server).is_empty());
        assert_eq!(addresses(&server), [(server.address().to_string(), true)]);
        server.stop();
    }
}

/// What it cannot do is logged once, and nothing else depends on it.
#[test]
fn a_server_that_cannot_report_itself_serves_and_stops() {
    let env = TestEnv::on(Store::Postgres).migrated();
    assert!(Records::of(&env).try_execute("DROP TABLE replicas"));
    let server = env.serve();
    let message = "the server is not in the list of replicas";
    until_true("it says so", || server.stderr().contains(message));
    assert_eq!(server.as_admin(Request::get(PATH)).status, 500);
    assert_eq!(server.send(&Request::get("/ready")).status, 200);
    let output = server.stop();
    assert_eq!(output.matches(message).count(), 1, "{output}");
}
