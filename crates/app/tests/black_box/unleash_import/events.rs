//! The events of Unleash: once, before those of the instance, by the users who are here, and without any secret.

use std::fs;

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::{Value, json};

use super::{LAYOUT, Unleash, env, reported};
use crate::database::Records;

const ADMIN: &str = "*:*.admin-of-the-events-0123456789abcdef";
/// What must be nowhere: secrets of every form, and a legacy one, which is known by its member.
const PLANTED: [&str; 9] = [
    "shop:development.0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4",
    "*:production.plain-text-secret-of-a-script",
    "[]:development.91919191919191919191919191919191",
    "shop:development.v2_ABCDEFGHIJKLMNOPQRSTUV_WXYZabcdefghijklmnopqrstuvwxyz0123456789-_A",
    "user:7c7d7e7f70717273747576777879",
    "legacy-secret-without-form",
    "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
    "5d41402abc4b2a76b9719d911017c592aabbccdd",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0",
];

/// Events with secrets at odd places: in lists and objects, inside of sentences, as names of members, in the name of the actor.
fn planted() -> String {
    let [v1, script, several, v2, personal, legacy, bcrypt, hex, jwt] = PLANTED;
    let quoted = |text: &str| format!("\"{text}\"");
    let states = [
        json!({ "tokenName": "web", "secret": legacy, "list": [[{ "deep": v1 }]] }),
        json!({ (v2): 1, "a": { (script): [several, quoted(personal)] } }),
        json!({ "old": { "password_hash": bcrypt, "tokenHash": legacy }, "url": format!("https://x.example/?token={legacy}") }),
        json!({ "description": format!("rotated {v1},{v2};then <{hex}> and {bcrypt}."), "alias": legacy }),
        json!({ "value": legacy, "apiTokens": [{ "token": legacy }], "link": format!("https://x.example/{jwt}") }),
        json!({ "path": format!("/api/admin/api-tokens/{}", v1.replace(':', "%3A")), "nul": "a\u{0}b" }),
    ];
    let insert = |(data, by): (&Value, &str)| {
        let data = data.to_string().replace('\'', "''");
        format!(
            "INSERT INTO events (type, created_by, created_by_user_id, data, pre_data, project, environment) VALUES \
             ('api-token-updated', '{by}', -1337, '{data}', {}, 'shop,gone', 'development');",
            if data.contains("u0000") { "NULL".to_owned() } else { format!("'{data}'") }
        )
    };
    let by = format!("script {script}");
    states.iter().zip([by.as_str(), v1, personal, "system", "system", "system"]).map(insert).collect()
}

/// A small Unleash with a user, an admin token, and events of many kinds.
fn unleash() -> Unleash {
    let rest = format!(
        "INSERT INTO environments (name, type) VALUES ('development', 'development'), ('production', 'production');
         INSERT INTO projects (id, name) VALUES ('default', 'Default'), ('shop', 'Shop');
         INSERT INTO users (id, username, email) VALUES (1, 'ada', 'ada@example.com'), (2, 'bob', NULL);
         INSERT INTO api_tokens (secret, username, token_name, type, environment) VALUES ('{ADMIN}', 'admin', 'admin', 'admin', NULL);
         INSERT INTO events (created_at, type, created_by, created_by_user_id, data, pre_data, project, environment) VALUES
            ('2020-01-01', 'user-created', 'migration', NULL, '{{\"id\": 1}}', NULL, NULL, NULL),
            ('2021-01-01', 'project-created', 'ada@example.com', 1, '{{\"id\": \"shop\"}}', NULL, 'shop', NULL),
            ('2022-01-01', 'feature-created', 'ada@example.com', 1, '{{}}', NULL, 'shop', NULL),
            ('2022-01-02', 'feature-created', 'ada@example.com', 1, '{{}}', NULL, 'shop', NULL),
            ('2022-01-03', 'api-token-deleted', 'ci', -42, NULL, '{{\"tokenName\": \"old\"}}', '*', '*'),
            ('2022-01-04', 'project-deleted', 'left', 9, '[\"no object\"]', NULL, 'gone', NULL);"
    );
    Unleash::of(&[LAYOUT, &rest, &planted()])
}

/// How many of them are of kinds that there are here.
const ALL: usize = 10;

fn search(server: &Server, query: &str) -> Vec<Value> {
    let found = server.send(&Request::get(&format!("/api/admin/search/events?{query}")).by(ADMIN));
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["events"].as_array().expect("events").clone()
}

fn events_come_once_and_without_secrets(store: Store) {
    let unleash = unleash();
    let environment = env(store);
    let trial = environment.run(&unleash.import("--dry-run"));
    assert!(trial.code == Some(0) && trial.stderr.contains("and 10 events would come"), "{trial:?}");
    assert_eq!(Records::of(&environment).count("events"), 0);
    let said = environment.run(&unleash.import("--report report.jsonl"));
    assert!(said.code == Some(0) && said.stderr.contains("and 10 events came"), "{said:?}");
    assert_eq!(trial.stdout, said.stdout, "the trial said what would come");
    assert_eq!(reported(&environment, "came", "event").len(), ALL);
    let why = "2 events of a kind that there is not here, about flags as a rule, stay with Unleash";
    assert_eq!(reported(&environment, "left out", "event"), [format!("feature-created: {why}")]);
    let changed = reported(&environment, "changed", "event");
    assert_eq!(changed.len(), 7, "those with secrets, and the one whose data is no object: {changed:?}");

    let mut records = Records::of(&environment);
    let below = "events WHERE id < 0";
    assert_eq!(records.count(below), ALL);
    let own = records.count("events") - ALL;
    assert!(own > 0 && records.count(&format!("events WHERE id BETWEEN 1 AND {own}")) == own);
    let server = environment.serve();
    let listed = search(&server, "limit=1000");
    let numbers: Vec<i64> = listed.iter().map(|event| event["id"].as_i64().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|one, next| one > next) && numbers.len() == own + ALL, "{numbers:?}");
    let [oldest, created, deleted, gone] = [1, 2, 5, 6].map(|number: i64| {
        let found = listed.iter().find(|event| event["id"] == number - (1 << 40));
        found.unwrap_or_else(|| panic!("{number} is not in {numbers:?}"))
    });
    let by = |event: &Value| (event["createdBy"].clone(), event["createdByUserId"].clone());
    let users = server.send(&Request::get("/api/admin/user-admin").by(ADMIN)).json();
    let ada = users["users"].as_array().expect("users").iter().find(|user| user["username"] == "ada");
    assert_eq!(by(created), (json!("ada@example.com"), ada.expect("ada")["id"].clone()));
    assert_eq!(by(oldest), (json!("migration"), json!(-1337)));
    assert_eq!(by(deleted), (json!("ci"), json!(-42)));
    assert_eq!(by(gone), (json!("left"), json!(-1337)));
    assert_eq!(
        (&created["createdAt"], &created["project"]),
        (&json!("2021-01-01T00:00:00.000Z"), &json!("shop"))
    );
    assert_eq!((&deleted["preData"], &deleted["project"]), (&json!({ "tokenName": "old" }), &json!("*")));
    assert_eq!((&gone["data"], &gone["environment"]), (&Value::Null, &Value::Null));
    assert_eq!(search(&server, "project=IS:gone").len(), 7);
    assert_eq!(search(&server, "type=IS:project-created&project=IS:shop").len(), 2, "there and here");
    server.stop();

    // The same again adds nothing, and what is new there comes.
    fs::remove_file(environment.path("report.jsonl")).expect("a report");
    unleash
        .execute("INSERT INTO events (type, created_by, data) VALUES ('role-created', 'bob', '{\"id\": 7}')");
    let said = environment.run(&unleash.import("--report report.jsonl"));
    assert!(said.code == Some(0) && said.stderr.contains("and 1 events came"), "{said:?}");
    assert_eq!(reported(&environment, "present", "event").len(), ALL);
    assert_eq!((records.count(below), records.count("events")), (ALL + 1, ALL + 1 + own));

    let mut places = Vec::new();
    for entry in fs::read_dir(environment.directory()).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            places.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    if store == Store::Postgres {
        places.extend(records.everything());
    }
    places.push(("the output".to_owned(), format!("{said:?}{trial:?}").into_bytes()));
    let contains = |text: &str| {
        let found =
            places.iter().find(|(_, bytes)| bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
        found.map(|(place, _)| place)
    };
    assert!(
        contains("feature-created").is_some() && contains("project-deleted").is_some(),
        "the search finds"
    );
    for secret in PLANTED {
        let random = secret.rsplit([':', '.']).next().expect("a part");
        assert_eq!((contains(secret), contains(random)), (None, None), "{secret}");
    }
}

#[test]
fn events_come_once_and_without_secrets_on_sqlite() {
    events_come_once_and_without_secrets(Store::Sqlite);
}

#[test]
fn events_come_once_and_without_secrets_on_postgres() {
    events_come_once_and_without_secrets(Store::Postgres);
}

/// Events that would be forgotten at once do not come, and those that came are in backups.
fn imported_events_are_kept_as_others(store: Store) {
    let unleash = unleash();
    let short = env(store).with("LATCHKEY__AUDIT__RETENTION", "400d");
    let said = short.run(&unleash.import("--report report.jsonl"));
    assert!(said.code == Some(0) && said.stderr.contains("and 6 events came"), "{said:?}");
    let left_out = reported(&short, "left out", "event");
    assert!(
        left_out.contains(&"old events: 4 events are older than audit.retention".to_owned()),
        "{left_out:?}"
    );

    let first = env(store).with("LATCHKEY_MASTER_KEY", &"6b".repeat(32));
    first.succeed(&unleash.import(""));
    first.succeed("backup events.backup");
    let second = TestEnv::on(store).with("LATCHKEY_MASTER_KEY", &"6b".repeat(32));
    second.succeed(&format!("restore {}", first.path("events.backup").display()));
    let ids = "SELECT CAST(id AS TEXT) AS value FROM events ORDER BY id";
    let (before, after) = (Records::of(&first).texts(ids), Records::of(&second).texts(ids));
    assert_eq!(before, after);
    let server = second.serve();
    let project = Request::post("/api/admin/projects", &json!({ "id": "new", "name": "new" })).by(ADMIN);
    assert_eq!(server.send(&project).status, 201);
    let newest = search(&server, "limit=1").remove(0)["id"].as_i64().expect("a number");
    let before: Vec<i64> = before.iter().map(|id| id.parse().expect("a number")).collect();
    assert_eq!(newest, before.last().expect("the newest") + 1, "numbers go on");
}

#[test]
fn imported_events_are_kept_as_others_on_sqlite() {
    imported_events_are_kept_as_others(Store::Sqlite);
}

#[test]
fn imported_events_are_kept_as_others_on_postgres() {
    imported_events_are_kept_as_others(Store::Postgres);
}
