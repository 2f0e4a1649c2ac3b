//! What an operator sees: metrics of the real program on each database, checked by Prometheus's own tool, and the rules and
//! the dashboard in `deploy/`.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    process::free_port,
    raw_http::Request,
    server::TOKENS,
    wait::{until, until_true},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::neighbors;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// Runs promtool, which must accept what it is given.
#[track_caller]
fn promtool(configure: impl FnOnce(&mut Command)) {
    let mut command = neighbors::command(neighbors::installed("promtool"));
    configure(&mut command);
    let output = command.output().expect("promtool runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

#[test]
fn the_alert_rules_are_valid_and_pass_their_tests() {
    let rules = deploy().join("prometheus");
    promtool(|command| {
        command.current_dir(&rules).args(["check", "rules", "alerts.yml"]);
    });
    promtool(|command| {
        command.current_dir(&rules).args(["test", "rules", "alerts.test.yml"]);
    });
}

/// Each expression of the dashboard is checked as a rule, with values in place of its variables.
#[test]
fn the_dashboard_asks_valid_questions() {
    let dashboard = fs::read_to_string(deploy().join("grafana/latchkey.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.map(|target| target["expr"].as_str().expect("an expression"));
    let rules = expressions.enumerate().map(|(number, expression)| {
        let expression = expression.replace("$__rate_interval", "5m").replace("$instance", ".*");
        json!({ "record": format!("panel:{number}"), "expr": expression })
    });
    let rules: Vec<_> = rules.collect();
    assert!(rules.len() > 20, "{rules:?}");
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("rules.yml");
    // JSON is YAML too.
    fs::write(&file, json!({ "groups": [{ "name": "panels", "rules": rules }] }).to_string())
        .expect("written");
    promtool(|command| {
        command.args(["check", "rules"]).arg(&file);
    });
}

fn a_busy_server_reports_everything_and_reveals_nothing(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "10ms");
    let server = env.serve();
    let project = json!({ "id": "made-up", "name": "made-up" });
    assert_eq!(server.as_admin(Request::post("/api/admin/projects", &project)).status, 201);
    let tokens = "/api/admin/projects/made-up/api-tokens";
    let body = json!({ "tokenName": "made-up", "type": "client", "environment": "development" });
    let response = server.as_admin(Request::post(tokens, &body));
    let secret = response.json()["secret"].as_str().expect("a secret").to_owned();
    let (_, digits) = secret.split_once('.').expect("the prefix ends with a dot");
    for secret in [&*secret, &*secret, "*:*.made-up"] {
        server.status("/auth/verify", secret);
    }
    server.status("/api/admin/projects/made-up-too", ADMIN);
    server.sign_in("made-up", "made-up").expect_err("no such user");
    let metrics = || server.send(&Request::get("/metrics")).text();
    // Tokens are counted, and uses written, in the background.
    until_true("a use is written", || {
        let text = metrics();
        text.contains("latchkey_last_use_flush_tokens_count") && text.contains("latchkey_tokens{")
    });
    // A token is looked up again if transactions of other tests ran when this server began to follow the feed.
    assert!(server.metric(r#"latchkey_verifications_total{result="valid",source="store"}"#) >= 2.0);
    assert!(server.metric("latchkey_feed_age_seconds") < 5.0);
    assert!(server.metric("process_open_fds") > 5.0);
    let text = metrics();
    for line in [
        r#"latchkey_store_operation_seconds_count{operation="create_tokens"} 1"#,
        r#"latchkey_store_operation_seconds_count{operation="create_project"} 1"#,
        r#"latchkey_background_task_restarts_total{task="sweep"} 0"#,
    ] {
        assert!(text.lines().any(|given| given == line), "{line} is not in\n{text}");
    }
    let pools = match store {
        Store::Postgres => ["exclusive", "shared"].as_slice(),
        _ => &["read", "write"],
    };
    for pool in pools {
        assert!(server.metric(&format!("latchkey_database_connections_max{{pool=\"{pool}\"}}")) >= 1.0);
        assert!(text.contains(&format!("latchkey_database_connections{{pool=\"{pool}\",state=\"idle\"}} ")));
    }
    for hidden in ["made-up", digits, "development", ADMIN] {
        assert!(!text.contains(hidden), "{hidden} in\n{text}");
    }
    // Names, help and types, as Prometheus would read them.
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("metrics");
    fs::write(&file, &text).expect("written");
    promtool(|command| {
        command.args(["check", "metrics"]).stdin(fs::File::open(&file).expect("there"));
    });
}

#[test]
fn a_busy_server_reports_everything_and_reveals_nothing_on_sqlite() {
    a_busy_server_reports_everything_and_reveals_nothing(Store::Sqlite);
}

#[test]
fn a_busy_server_reports_everything_and_reveals_nothing_on_postgres() {
    a_busy_server_reports_everything_and_reveals_nothing(Store::Postgres);
}

#[test]
fn metrics_can_have_an_address_of_their_own() {
    let port = free_port().expect("a free port");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut env = TestEnv::on(Store::Sqlite).with("LATCHKEY__METRICS__LISTEN", &address.to_string());
    let server = env.serve();
    for path in ["/metrics", "/internal-backstage/prometheus"] {
        let response = until("metrics", || Request::get(path).send_to(address).ok());
        assert_eq!(response.status, 200, "{path}");
        assert!(response.text().contains("latchkey_feed_age_seconds"), "{path}");
        assert_eq!(server.send(&Request::get(path)).status, 404, "{path}");
    }
    for path in ["/ready", "/auth/verify", "/api/admin/projects"] {
        let response = Request::get(path).by(ADMIN).send_to(address).expect("a response");
        assert_eq!(response.status, 404, "{path}");
    }
    server.stop();
    assert!(Request::get("/metrics").send_to(address).is_err(), "it stops with the server");

    env.set("LATCHKEY__METRICS__LISTEN", "unix:metrics.sock");
    let server = env.serve();
    let path = env.path("metrics.sock");
    let socket = UnixStream::connect(&path).expect("it listens");
    assert_eq!(Request::get("/metrics").exchange(socket).expect("a response").status, 200);
    server.stop();
    assert!(!path.exists(), "its file is removed");
}

#[test]
fn a_json_line_of_the_access_log_says_all_about_a_request() {
    let server = TestEnv::on(Store::Memory).serve();
    let request = Request::post(TOKENS, &json!({"tokenName": "web", "type": "client"}));
    assert_eq!(server.as_admin(request.header("x-request-id", "id-of-client")).status, 201);
    let log = server.stop();
    let of_access = |line: &&str| line.contains(r#""target":"latchkey_http::access""#);
    let lines: Vec<Value> =
        log.lines().filter(of_access).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [line] = &*lines else { panic!("one line in {log}") };
    let principal = line["principal"].as_str().expect("a principal");
    assert!(principal.starts_with("token:"), "{principal}");
    assert!(line["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{line}");
    for (field, value) in [
        ("level", json!("INFO")),
        ("message", json!("answered")),
        ("route", json!("/api/admin/projects/{projectId}/api-tokens")),
        ("status", json!(201)),
        ("client", json!("127.0.0.1")),
        ("spans", json!([{"name": "request", "method": "POST", "request_id": "id-of-client"}])),
    ] {
        assert_eq!(line[field], value, "{field} of {line}");
    }
}
