//! Each reason for which a token is refused, on each route, as the table in `reasons/table.txt` has it.

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{Server, percent_encoded},
};
use serde_json::{Value, json};

const ALL_TOKENS: &str = "/api/admin/api-tokens";

/// What the table says of one reason.
struct Row {
    reason: &'static str,
    verify: &'static str,
    /// Of the other routes, in their order.
    others: [&'static str; 3],
}

fn rows() -> Vec<Row> {
    let lines = include_str!("reasons/table.txt").lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &'static str| {
        let (reason, cells) = line.split_once('|').expect("cells");
        let cells: Vec<_> = cells.split_whitespace().collect();
        let [verify, introspect, edge, admin] = cells[..] else { panic!("four cells: {line}") };
        Row { reason: reason.trim(), verify, others: [introspect, edge, admin] }
    };
    lines.map(row).collect()
}

/// The members of a token that is refused for a reason, as far as that depends on the token.
fn members(reason: &str) -> Value {
    match reason {
        "expired" => json!({ "expiresAt": "2001-01-01T00:00:00Z" }),
        "disabled" => json!({ "enabled": false }),
        "network" => json!({ "allowedNetworks": ["192.0.2.0/24"] }),
        "rate_limited" => json!({ "rateLimit": { "requests": 1, "per": "P31D" } }),
        "no_uses_left" => json!({ "uses": { "remaining": 1 } }),
        _ => json!({}),
    }
}

/// What is required of the token, so that it is refused for a reason: in a query, and in a question.
fn requirement(reason: &str) -> (&'static str, Value) {
    match reason {
        "wrong_type" => ("?type=frontend", json!({ "type": "frontend" })),
        "wrong_project" => ("?project=shop", json!({ "project": "shop" })),
        "wrong_environment" => ("?environment=production", json!({ "environment": "production" })),
        "missing_scope" => ("?scope=orders:read", json!({ "scopes": ["orders:read"] })),
        _ => ("", json!({})),
    }
}

fn with(mut body: Value, members: &Value) -> Value {
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

/// Returns the secret of a new token of that type that is refused for a reason.
fn refused(server: &Server, reason: &str, kind: &str) -> String {
    if reason == "unknown" {
        return "default:development.unknown".to_owned();
    }
    let projects = if kind == "admin" { "*" } else { "default" };
    let body = json!({ "tokenName": reason, "type": kind, "projects": [projects] });
    let body = with(body, &members(reason));
    let made = server.as_admin(Request::post(ALL_TOKENS, &body));
    assert_eq!(made.status, 201, "{}", made.text());
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    if matches!(reason, "rate_limited" | "no_uses_left") {
        assert_eq!(server.status("/auth/verify", &secret), 200, "{reason}: the first use");
    }
    secret
}

fn introspected(server: &Server, secret: &str) -> &'static str {
    let question = Request::new("POST", "/oauth2/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={}", percent_encoded(secret)));
    let answer = server.send(&question.by(ADMIN)).json();
    if answer["active"] == json!(true) { "active" } else { "inactive" }
}

fn listed(server: &Server, secret: &str) -> &'static str {
    let answer = server.send(&Request::post("/edge/validate", &json!({ "tokens": [secret] })));
    let tokens = answer.json()["tokens"].as_array().expect("tokens").len();
    if tokens == 0 { "absent" } else { "listed" }
}

fn each_reason_is_the_same_on_every_route(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__TOKENS__ALLOW_ADMIN", "true");
    let server = env.serve();
    for Row { reason, verify, others } in rows() {
        let (query, required) = requirement(reason);
        let secret = refused(&server, reason, "client");
        let answer = server.send(&Request::get(&format!("/auth/verify{query}")).by(&secret));
        assert_eq!(answer.status.to_string(), verify, "{reason}: {}", answer.text());
        assert_eq!(answer.header("x-latchkey-reason"), Some(reason));
        let question = with(json!({ "token": secret, "ip": "127.0.0.1" }), &required);
        let said = server.as_admin(Request::post("/api/verify", &question)).json();
        assert_eq!((&said["valid"], &said["reason"]), (&json!(false), &json!(reason)), "{said}");
        if others == ["-"; 3] {
            continue;
        }
        let admin = refused(&server, reason, "admin");
        let found = [
            introspected(&server, &secret),
            listed(&server, &secret),
            &server.status(ALL_TOKENS, &admin).to_string(),
        ];
        assert_eq!(found, others, "{reason}");
    }
}

#[test]
fn each_reason_is_the_same_on_every_route_on_sqlite() {
    each_reason_is_the_same_on_every_route(Store::Sqlite);
}

#[test]
fn each_reason_is_the_same_on_every_route_on_postgres() {
    each_reason_is_the_same_on_every_route(Store::Postgres);
}
