//! The chain over events on real databases: what a hand changes in the database is found.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    wait::until_true,
};
use serde_json::Value;

use crate::database::Records;

const KEY: &str = "6c617463686b65792d626c61636b2d626f782d74657374732d6d61737465726b";

fn env(store: Store) -> TestEnv {
    TestEnv::on(store).with("LATCHKEY_MASTER_KEY", KEY)
}

/// Runs a server that records some events, until they are sealed.
fn serve_until_sealed(env: &TestEnv, name: &str) {
    let server = env.serve();
    for number in 0..4 {
        server.create_token(&format!("{name}-{number}"));
    }
    until_true("the events are sealed", || {
        let newest = "SELECT CAST(max(id) AS TEXT) AS value FROM events";
        let sealed = "SELECT CAST(coalesce(max(last_event), 0) AS TEXT) AS value FROM event_seals";
        Records::of(env).texts(newest) == Records::of(env).texts(sealed)
    });
    server.stop();
}

fn verify(env: &TestEnv, arguments: &str) -> (Option<i32>, Value) {
    let result = env.run(&format!("audit verify --json {arguments}"));
    (result.code, serde_json::from_str(&result.stdout).expect("a report"))
}

fn head(report: &Value) -> String {
    report["head"]["hash"].as_str().expect("a hash").to_owned()
}

/// Expects a fault of this kind whose range has the event.
#[track_caller]
fn assert_fault(env: &TestEnv, kind: &str, event: i64) {
    let (code, report) = verify(env, "");
    let faults = report["faults"].as_array().expect("faults");
    let is_in = |fault: &Value| (fault["first"].as_i64()..=fault["last"].as_i64()).contains(&Some(event));
    assert!(faults.iter().any(|fault| fault["kind"] == kind && is_in(fault)), "{kind} at {event}: {report}");
    assert_eq!(code, Some(1));
}

fn what_is_changed_in_the_database_is_found(store: Store) {
    let env = env(store);
    serve_until_sealed(&env, "one");
    let (code, first) = verify(&env, "");
    assert_eq!((code, &first["unsealed"], &first["events"]), (Some(0), &Value::from(0), &Value::from(5)));
    serve_until_sealed(&env, "two");
    let text = env.succeed("audit verify");
    assert!(text.starts_with("verified: 9 events in ") && text.contains("\nhead: "), "{text}");
    let (code, second) = verify(&env, &format!("--head {}", head(&first)));
    assert_eq!((code, second["head"] != first["head"]), (Some(0), true));

    let execute = |statement: &str| assert!(Records::of(&env).try_execute(statement), "{statement}");
    execute("UPDATE events SET actor_name = 'another' WHERE id = 3");
    assert_fault(&env, "altered", 3);
    let error = env.run("audit verify");
    assert!(error.stdout.contains("FAULT: an event from ") && error.code == Some(1), "{error:?}");
    execute("UPDATE events SET actor_name = 'latchkey_system_user', kind = 'nonsense' WHERE id = 1");
    assert_fault(&env, "altered", 1);
    execute("UPDATE events SET kind = 'api-token-created' WHERE id = 1");
    assert_fault(&env, "altered", 3);
    execute("UPDATE event_seals SET events = events + 1 WHERE last_event = 9");
    assert_fault(&env, "bad-mac", 9);

    // The end is cut off: only who has noted the head can tell.
    execute("DELETE FROM event_seals WHERE last_event > 5");
    execute("DELETE FROM event_projects WHERE event_id > 5");
    execute("DELETE FROM events WHERE id > 5");
    let (code, report) = verify(&env, &format!("--head {}", head(&second)));
    let kinds: Vec<_> =
        report["faults"].as_array().expect("faults").iter().map(|fault| &fault["kind"]).collect();
    assert!(code == Some(1) && kinds.contains(&&Value::from("no-such-head")), "{report}");
    execute("DELETE FROM event_projects WHERE event_id = 2");
    execute("DELETE FROM events WHERE id = 2");
    assert_fault(&env, "removed", 2);
}

#[test]
fn what_is_changed_in_the_database_is_found_on_sqlite() {
    what_is_changed_in_the_database_is_found(Store::Sqlite);
}

#[test]
fn what_is_changed_in_the_database_is_found_on_postgres() {
    what_is_changed_in_the_database_is_found(Store::Postgres);
}

fn the_chain_outlives_a_copy_and_the_retention(from: Store, to: Store) {
    let source = env(from);
    serve_until_sealed(&source, "one");
    serve_until_sealed(&source, "two");
    let (_, report) = verify(&source, "");
    let mut copy = env(to);
    source.succeed(&format!("copy --to {}", copy.variable("DATABASE_URL")));
    let (code, copied) = verify(&copy, &format!("--head {}", head(&report)));
    assert_eq!((code, &copied), (Some(0), &report));

    copy.set("LATCHKEY__AUDIT__RETENTION", "1ms");
    let server = copy.serve();
    until_true("old events are forgotten", || Records::of(&copy).count("events") == 1);
    server.stop();
    let (code, report) = verify(&copy, &format!("--head {}", head(&report)));
    assert_eq!((code, &report["removedUpTo"]["event"]), (Some(0), &Value::from(9)), "{report}");
    assert_eq!(report["leaving"], 0);
    copy.set("LATCHKEY__AUDIT__RETENTION", "1d");
    serve_until_sealed(&copy, "three");
    let (code, report) = verify(&copy, "");
    assert_eq!((code, &report["events"]), (Some(0), &Value::from(4)), "{report}");
}

#[test]
fn the_chain_outlives_a_copy_to_postgres() {
    the_chain_outlives_a_copy_and_the_retention(Store::Sqlite, Store::Postgres);
}

#[test]
fn the_chain_outlives_a_copy_to_sqlite() {
    the_chain_outlives_a_copy_and_the_retention(Store::Postgres, Store::Sqlite);
}

/// The command line exports what the API does.
fn events_are_exported(store: Store) {
    let env = env(store);
    let server = env.serve();
    env.create_project("shop");
    for number in 0..3 {
        server.create_token(&format!("token-{number}"));
    }
    for format in ["csv", "jsonl"] {
        let path = format!("/api/admin/events/export?format={format}");
        let over_http = server.as_admin(Request::get(&path)).text();
        assert_eq!(env.run(&format!("audit export --format {format}")).stdout, over_http);
        assert_eq!(over_http.lines().count(), 5 + usize::from(format == "csv"));
    }
    let filtered = env.succeed("audit export --format jsonl --type project-created --project shop");
    assert!(filtered.lines().count() == 1 && filtered.contains(r#""type":"project-created""#), "{filtered}");
    assert_eq!(env.succeed("audit export --format jsonl --to 2001-01-01T00:00:00Z"), "");
    env.fail("audit export --format xml", 2);
}

#[test]
fn events_are_exported_on_sqlite() {
    events_are_exported(Store::Sqlite);
}

#[test]
fn events_are_exported_on_postgres() {
    events_are_exported(Store::Postgres);
}

/// Several servers seal one chain.
#[test]
fn servers_seal_one_chain() {
    let env = env(Store::Postgres);
    let servers = [env.serve(), env.serve(), env.serve()];
    for round in 0..3 {
        for (place, server) in servers.iter().enumerate() {
            server.create_token(&format!("{round}-{place}"));
        }
        until_true("the events are sealed", || verify(&env, "").1["unsealed"] == 0);
    }
    let (code, report) = verify(&env, "");
    assert_eq!((code, &report["events"]), (Some(0), &Value::from(10)), "{report}");
}
