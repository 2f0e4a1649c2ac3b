//! Policies from outside: each rule on each route that can break it, as the table in `policies/table.txt` has it; the commands about
//! policies; tokens that are not used.

use latchkey_testkit::{
    env::{FAR_FUTURE, Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::{Value, json};

use crate::database::Records;

const ALL_TOKENS: &str = "/api/admin/api-tokens";
const POLICY: &str = "/api/admin/projects/default/policy";

/// What the table says of one rule.
struct Row {
    rule: &'static str,
    /// The member at which a problem is reported.
    member: &'static str,
    /// In the order of [`break_rule`].
    cells: Vec<Option<i32>>,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("policies/table.txt").lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &'static str| {
        let (names, cells) = line.split_once('|').expect("cells");
        let mut names = names.split_whitespace();
        let cells = cells.split_whitespace().map(|cell| match cell {
            "-" => None,
            number => Some(number.parse().expect("a number")),
        });
        Row {
            rule: names.next().expect("a rule"),
            member: names.next().expect("a member"),
            cells: cells.collect(),
        }
    };
    lines.map(row).collect()
}

/// The ways to break a rule.
struct Breach {
    /// The setting of the rule, without its section.
    setting: (&'static str, &'static str),
    /// The rule as the policy of a project; nothing for one of the instance alone.
    of_project: Option<Value>,
    /// What a body that creates a token says.
    creation: Value,
    /// What a patch of a token says.
    change: Option<Value>,
    /// The arguments of `latchkey token create` and `latchkey token update`.
    arguments: [&'static str; 2],
}

fn breach(rule: &str) -> Breach {
    match rule {
        "max_lifetime" => Breach {
            setting: ("MAX_LIFETIME", "60d"),
            of_project: Some(json!({ "maxLifetime": "P60D" })),
            creation: json!({ "expiresAt": FAR_FUTURE }),
            change: Some(json!({ "expiresAt": FAR_FUTURE })),
            arguments: [
                "--project default --description why --expires-at 2099-01-01T00:00:00Z",
                "--expires-at 2099-01-01T00:00:00Z",
            ],
        },
        "require_expiry" => Breach {
            setting: ("REQUIRE_EXPIRY", "true"),
            of_project: Some(json!({ "requireExpiry": true })),
            creation: json!({ "expiresAt": null }),
            change: Some(json!({ "expiresAt": null })),
            arguments: ["", "--remove expiry"],
        },
        "require_description" => Breach {
            setting: ("REQUIRE_DESCRIPTION", "true"),
            of_project: Some(json!({ "requireDescription": true })),
            creation: json!({ "description": null }),
            change: Some(json!({ "description": null })),
            arguments: ["--project default", "--remove description"],
        },
        "allow_all_projects" => Breach {
            setting: ("ALLOW_ALL_PROJECTS", "false"),
            of_project: None,
            creation: json!({ "projects": ["*"] }),
            change: None,
            arguments: ["--description why", ""],
        },
        other => panic!("there is no rule {other}"),
    }
}

/// A body that creates a token, which keeps every policy, with these members.
fn body(members: &Value) -> Value {
    let mut body =
        json!({ "tokenName": "t", "type": "client", "projects": ["default"], "description": "why" });
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

fn patch(path: &str, change: &Value) -> Request {
    Request::new("PATCH", path).header("content-type", "application/json").body(change.to_string())
}

/// Breaks a rule on each route, and returns what becomes of it, in the order of the columns. A refusal names the member.
fn break_rule(
    env: &TestEnv,
    server: &Server,
    id: &str,
    Row { member, cells, .. }: &Row,
    breach: &Breach,
) -> Vec<Option<i32>> {
    let one = body(&breach.creation);
    let batch = json!({ "tokens": [body(&json!({})), one] });
    let change = breach.change.clone().unwrap_or_default();
    let requests = [
        (Request::post(TOKENS, &one), format!("/body/{member}")),
        (Request::post(&format!("{TOKENS}/batch"), &batch), format!("/body/tokens/1/{member}")),
        (Request::post(ALL_TOKENS, &one), format!("/body/{member}")),
        (Request::post(&format!("{ALL_TOKENS}/batch"), &batch), format!("/body/tokens/1/{member}")),
        (patch(&format!("{TOKENS}/{id}"), &change), format!("/body/{member}")),
        (patch(&format!("{ALL_TOKENS}/{id}"), &change), format!("/body/{member}")),
        (Request::put(&format!("{ALL_TOKENS}/{id}"), &change), format!("/body/{member}")),
    ];
    let mut outcomes = Vec::new();
    let (over_http, by_command) = cells.split_at(requests.len());
    for ((request, place), cell) in requests.into_iter().zip(over_http) {
        outcomes.push(cell.map(|_| status_at(&server.as_admin(request), &place)));
    }
    let commands = [
        format!("token create --type client --name t {}", breach.arguments[0]),
        format!("token update {id} {}", breach.arguments[1]),
    ];
    for (command, cell) in commands.iter().zip(by_command) {
        outcomes.push(cell.map(|_| {
            let done = env.run(command);
            assert!(done.stderr.contains("policy"), "{command}: {}", done.stderr);
            done.code.expect("an exit code")
        }));
    }
    outcomes
}

#[track_caller]
fn status_at(answer: &Response, place: &str) -> i32 {
    let body = answer.json();
    assert_eq!(body["details"][0]["path"], place, "{body}");
    i32::from(answer.status)
}

/// Creates a token that keeps every policy, and returns its id.
fn good_token(server: &Server, path: &str) -> String {
    let created = server.as_admin(Request::post(path, &body(&json!({}))));
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()["id"].as_str().expect("text").to_owned()
}

fn every_rule_holds_on_every_route(store: Store) {
    for row in rows() {
        let breach = breach(row.rule);
        let (setting, value) = breach.setting;
        // A token that says nothing of its end has one, so that it keeps every policy.
        let lenient = || TestEnv::on(store).with("LATCHKEY__POLICY__DEFAULT_LIFETIME", "30d");

        let env = lenient().with(&format!("LATCHKEY__POLICY__{setting}"), value);
        let server = env.serve();
        let id = good_token(&server, TOKENS);
        good_token(&server, ALL_TOKENS);
        assert_eq!(break_rule(&env, &server, &id, &row, &breach), row.cells, "{} of the instance", row.rule);

        let Some(policy) = &breach.of_project else { continue };
        let env = lenient();
        let server = env.serve();
        let set = server.as_admin(Request::put(POLICY, policy));
        assert_eq!(set.status, 200, "{}", set.text());
        let id = good_token(&server, TOKENS);
        assert_eq!(break_rule(&env, &server, &id, &row, &breach), row.cells, "{} of a project", row.rule);
    }
}

#[test]
fn every_rule_holds_on_every_route_on_sqlite() {
    every_rule_holds_on_every_route(Store::Sqlite);
}

#[test]
fn every_rule_holds_on_every_route_on_postgres() {
    every_rule_holds_on_every_route(Store::Postgres);
}

fn policies_are_shown_by_commands(store: Store) {
    let env = TestEnv::on(store);
    let server = env.serve();
    server.create_token("late");
    let none = env.succeed("policy violations");
    assert_eq!(none.lines().count(), 1, "{none}");
    let set =
        server.as_admin(Request::put(POLICY, &json!({ "requireExpiry": true, "unusedDisable": "P180D" })));
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(env.succeed("policy show"), "");
    let shown = env.succeed("policy show --project default");
    for (name, value) in [("requireExpiry", "true"), ("unusedDisable", "P180D")] {
        assert!(shown.lines().any(|line| line.starts_with(name) && line.ends_with(value)), "{shown}");
    }
    for scope in ["", " --project default"] {
        let listed = env.succeed(&format!("policy violations{scope}"));
        let late = listed.lines().nth(1).expect("a token");
        assert!(late.contains("require_expiry") && late.ends_with("late"), "{listed}");
        assert_eq!(listed.lines().count(), 2, "{listed}");
    }
    env.fail("policy show --project nosuch", 1);
}

#[test]
fn policies_are_shown_by_commands_on_sqlite() {
    policies_are_shown_by_commands(Store::Sqlite);
}

#[test]
fn policies_are_shown_by_commands_on_postgres() {
    policies_are_shown_by_commands(Store::Postgres);
}

fn tokens_that_are_not_used_are_disabled_and_deleted(store: Store) {
    let mut env = TestEnv::on(store);
    let server = env.serve();
    server.create_token("web");
    server.stop();
    env.set("LATCHKEY__POLICY__UNUSED_DISABLE", "1s");
    // A server looks for them when it starts, and each hour.
    until_true("the token is disabled", || {
        let server = env.serve();
        let tokens = server.tokens();
        server.stop();
        tokens.iter().all(|token| token["enabled"] == false)
    });
    env.set("LATCHKEY__POLICY__UNUSED_DELETE", "2s");
    until_true("the token is deleted", || {
        let server = env.serve();
        let left = server.tokens().len();
        server.stop();
        left == 0
    });
    let mut records = Records::of(&env);
    assert_eq!((records.events("api-token-updated"), records.events("api-token-deleted")), (1, 1));
}

#[test]
fn tokens_that_are_not_used_are_disabled_and_deleted_on_sqlite() {
    tokens_that_are_not_used_are_disabled_and_deleted(Store::Sqlite);
}

#[test]
fn tokens_that_are_not_used_are_disabled_and_deleted_on_postgres() {
    tokens_that_are_not_used_are_disabled_and_deleted(Store::Postgres);
}

#[test]
fn a_policy_that_disables_before_the_notice_is_refused() {
    for notice in ["30d", "31d"] {
        let env = TestEnv::on(Store::Sqlite)
            .with("LATCHKEY__POLICY__UNUSED_DISABLE", "30d")
            .with("LATCHKEY__POLICY__UNUSED_NOTICE", notice);
        let error = env.fail("migrate", 1);
        assert!(error.contains("policy.unused_notice"), "{error}");
    }
}

#[test]
fn a_policy_that_deletes_before_it_disables_is_refused() {
    for disable in ["", "30d", "31d"] {
        let env = TestEnv::on(Store::Sqlite)
            .with("LATCHKEY__POLICY__UNUSED_DELETE", "30d")
            .with("LATCHKEY__POLICY__UNUSED_DISABLE", disable);
        let error = env.fail("migrate", 1);
        assert!(error.contains("policy.unused_delete"), "{error}");
    }
}
