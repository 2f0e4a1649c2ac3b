//! `latchkey import unleash`: databases of Unleash servers, and one with every oddity, into both databases.

use std::fs;

use latchkey_testkit::{
    cluster::connect,
    database::TestDatabase,
    env::{NewToken, Store, TestEnv},
    raw_http::Request,
    server::{Server, percent_encoded},
    wait::until,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::database::Records;

mod combinations;
mod events;
mod kills;
mod people;
mod second_form;
mod versions;

const LAYOUT: &str = include_str!("../../../adapters/unleash/tests/dumps/layout-8.sql");
const ODD: &str = include_str!("../../../adapters/unleash/tests/dumps/odd.sql");
const VALIDATE: &str = "/edge/validate";

/// The database of an Unleash server.
struct Unleash(TestDatabase);

impl Unleash {
    fn of(statements: &[&str]) -> Self {
        let database = TestDatabase::empty();
        let unleash = Self(database);
        for statement in statements {
            unleash.execute(statement);
        }
        unleash
    }

    fn execute(&self, statements: &str) {
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = connect(self.0.url()).await.expect("the database");
            client.batch_execute(statements).await.unwrap_or_else(|error| panic!("{error:?}"));
        });
    }

    fn import(&self, more: &str) -> String {
        format!("import unleash --from {} {more}", self.0.url())
    }
}

/// A new instance, without the token that tests have otherwise.
fn env(store: Store) -> TestEnv {
    TestEnv::on(store).without("INIT_ADMIN_API_TOKENS").migrated()
}

/// Returns what the server says of these secrets, in the order of their text: `type projects:environment`.
fn validated(server: &Server, secrets: &[&str]) -> Vec<(String, String)> {
    let response = server.send(&Request::post(VALIDATE, &json!({ "tokens": secrets })));
    assert_eq!(response.status, 200, "{}", response.text());
    said_of(&response.json()["tokens"])
}

/// Servers before 7.4 do not say the environment, which the secret of a token has.
fn said_of(tokens: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entry = |token: &Value| {
        let mut projects: Vec<_> = token["projects"].as_array().expect("projects").iter().map(text).collect();
        projects.sort();
        let kind = token["type"].as_str().expect("a type").replace("backend", "client");
        let secret = text(&token["token"]);
        let in_secret = || secret.split([':', '.']).nth(1).expect("an environment").to_owned();
        let environment = token["environment"].as_str().map_or_else(in_secret, str::to_owned);
        (secret, format!("{kind} {}:{environment}", projects.join(",")))
    };
    let mut said: Vec<_> = tokens.as_array().expect("tokens").iter().map(entry).collect();
    said.sort();
    said
}

/// Returns the lines of a report with this outcome and kind of row, as `name: why`.
fn reported(env: &TestEnv, outcome: &str, row: &str) -> Vec<String> {
    let text = fs::read_to_string(env.path("report.jsonl")).expect("the report");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .filter(|line| line["outcome"] == outcome && line["row"] == row)
        .map(|line| {
            format!("{}: {}", line["name"].as_str().expect("a name"), line["why"].as_str().expect("a text"))
        })
        .collect()
}

/// Every secret and alias of the odd database.
const SECRETS: [&str; 25] = [
    "shop:development.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "*:production.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "[]:development.cccccccccccccccccccccccccccccccccc",
    "*:*.dddddddddddddddddddddddddddddddddddddddddddddd",
    "*:*.eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "a-legacy-secret-without-a-prefix",
    "gone:development.ffffffffffffffffffffffffffffffff",
    "undefined:development.gggggggggggggggggggggggggggg",
    "shop:retired.hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
    "shop:development.iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
    "shop:development.jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj",
    "shop:development.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
    "shop:development.llllllllllllllllllllllllllllllll",
    "shop:development.mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
    "shop:development.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
    "*:development.oooooooooooooooooooooooooooooooooooo",
    "*:development.pppppppppppppppppppppppppppppppppppp",
    "*:production.ssssssssssssssssssssssssssssssssssss",
    "*:development.tttttttttttttttttttttttttttttttttttt",
    "old-proxy-secret",
    "shared-alias",
    "ee_development",
    "user:1111111111111111",
    "hush",
    "*:development.never-there",
];

/// What is said of those that are good, in their order.
const GOOD: [(usize, &str); 16] = [
    (0, "client shop:development"),
    (1, "client *:production"),
    (2, "client blog,shop:development"),
    (3, "admin *:*"),
    (4, "admin *:*"),
    (5, "client *:development"),
    (8, "frontend shop:retired"),
    (10, "client shop:development"),
    (11, "client shop:development"),
    (12, "client shop:development"),
    (13, "client shop:development"),
    (14, "client shop:development"),
    (17, "frontend *:production"),
    (18, "client default:development"),
    (19, "client *:production"),
    (20, "client shop:development"),
];

fn good(more: &[(usize, &str)]) -> Vec<(String, String)> {
    let all = GOOD.iter().chain(more);
    let mut all: Vec<_> =
        all.map(|(place, scope)| (SECRETS[*place].to_owned(), (*scope).to_owned())).collect();
    all.sort();
    all
}

fn every_oddity_is_imported_narrowed_or_named(store: Store) {
    let unleash = Unleash::of(&[LAYOUT, ODD]);
    let env = env(store);

    // A user with the role Editor works in one project there.
    let said = env.run(&unleash.import("--report report.jsonl"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("--editor=default"), "{said:?}");
    fs::remove_file(env.path("report.jsonl")).expect("a report was begun");

    let trial = env.run(&unleash.import("--editor default --dry-run"));
    assert_eq!(trial.code, Some(0), "{trial:?}");
    assert!(trial.stderr.contains("Nothing was changed"), "{trial:?}");
    let mut records = Records::of(&env);
    for table in ["api_tokens", "users", "events"] {
        assert_eq!(records.count(table), 0, "{table} after a trial");
    }

    let server = env.serve();
    // Known as unknown before.
    assert_eq!(validated(&server, &SECRETS), []);
    let said = env.run(&unleash.import("--editor default --report report.jsonl"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(trial.stdout, said.stdout, "the trial said what would come");
    // One whose absence was not cached is found before the others.
    let all = |found: &Vec<_>| found.len() >= GOOD.len();
    let found = until("the tokens", || Some(validated(&server, &SECRETS)).filter(all));
    assert_eq!(found, good(&[]));
    for secret in SECRETS.iter().chain(&["user:2222", "qqqqqq"]) {
        let text = fs::read_to_string(env.path("report.jsonl")).expect("the report");
        let random = secret.rsplit(['.', ':']).next().expect("a part");
        assert!(!text.contains(random) && !said.stdout.contains(random), "{secret}");
    }

    let left_out = reported(&env, "left out", "API token");
    let named: Vec<&str> = left_out.iter().filter_map(|line| line.split(" (").next()).collect();
    assert_eq!(
        named,
        ["orphan", "orphan", "everywhere", "odd type", "personal", "blank inside"],
        "{left_out:#?}"
    );
    assert_eq!(reported(&env, "left out", "alias").len(), 3);
    let users = reported(&env, "left out", "user");
    assert_eq!(users.len(), 2, "the deleted one and the one of two: {users:?}");
    assert_eq!(reported(&env, "left out", "setting").len(), 2);
    assert_eq!(reported(&env, "came", "group"), ["Shopkeepers: ", "Chiefs: ", "Editors: "]);
    let groups = reported(&env, "left out", "group");
    assert_eq!(groups, ["Chiefs: another group has this name: rename one of them there"]);
    let groups = reported(&env, "changed", "group");
    assert!(groups.iter().any(|line| line == "Shopkeepers: 1 of its members did not come"), "{groups:?}");
    let changed = reported(&env, "changed", "environment");
    assert!(changed.iter().any(|line| line.starts_with("retired: ")), "{changed:?}");

    // The same again changes nothing.
    let contents = |records: &mut Records| {
        [
            "api_tokens",
            "users",
            "memberships",
            "user_groups",
            "group_members",
            "group_roles",
            "personal_tokens",
            "projects",
            "roles",
            "events",
            "login_names",
        ]
        .map(|table| records.count(table))
    };
    let before = contents(&mut records);
    fs::remove_file(env.path("report.jsonl")).expect("a report");
    let said = env.run(&unleash.import("--editor default --report report.jsonl"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(contents(&mut records), before, "{said:?}");
    assert_eq!(reported(&env, "came", "API token"), [""; 0]);

    // What is new there comes, a token that is revoked here stays revoked, and orphans come as they are asked to.
    let admin = SECRETS[3];
    let target = format!("/api/admin/api-tokens/{}", percent_encoded(SECRETS[0]));
    assert_eq!(server.send(&Request::delete(&target).by(admin)).status, 200);
    unleash.execute(
        "INSERT INTO api_tokens (secret, username, token_name, type, environment) \
         VALUES ('*:development.never-there', 'new', 'new', 'client', 'development')",
    );
    let said = env.run(&unleash.import("--editor default --orphans narrow:blog"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("was revoked or got another secret here since"), "{said:?}");
    let more =
        [(6, "client blog:development"), (7, "frontend blog:development"), (24, "client *:development")];
    let mut expected = good(&more);
    expected.retain(|(secret, _)| secret != SECRETS[0]);
    let found = until("the new tokens", || {
        Some(validated(&server, &SECRETS)).filter(|found| found.len() == expected.len())
    });
    assert_eq!(found, expected);

    people::came(&server, admin);
    events_of_tokens_came(&server, admin);
    server.stop();
}

/// Each of two imports left an event that names its tokens under their scopes, and who created them there.
fn events_of_tokens_came(server: &Server, admin: &str) {
    let events =
        server.send(&Request::get("/api/admin/search/events?type=IS:api-tokens-imported").by(admin)).json();
    assert_eq!(events["total"], 2, "{events}");
    let first = events["events"].as_array().expect("events").last().expect("the first").clone();
    assert_eq!(first["data"]["source"], "unleash");
    let scopes = first["data"]["scopes"].as_array().expect("scopes");
    let named = |scope: &Value| scope["tokens"].as_array().expect("tokens").clone();
    let (scope, plain) = scopes
        .iter()
        .find_map(|scope| {
            Some((scope, named(scope).into_iter().find(|token| token["tokenName"] == "plain")?))
        })
        .expect("it is named");
    assert_eq!(plain["createdBy"], "ada@example.com");
    assert_eq!(scope["projects"], json!(["shop"]));
}

#[test]
fn every_oddity_is_imported_narrowed_or_named_on_sqlite() {
    every_oddity_is_imported_narrowed_or_named(Store::Sqlite);
}

#[test]
fn every_oddity_is_imported_narrowed_or_named_on_postgres() {
    every_oddity_is_imported_narrowed_or_named(Store::Postgres);
}

#[test]
fn what_is_no_unleash_database_is_refused() {
    let env = env(Store::Sqlite);
    let empty = Unleash::of(&[]);
    for (arguments, code, expected) in [
        (empty.import(""), 1, "it has no table"),
        (empty.import("--schema flags"), 1, "\"flags\""),
        ("import unleash --from sqlite://unleash.db".to_owned(), 2, "--from must be the PostgreSQL database"),
        (empty.import("--orphans all"), 2, "keep or narrow:<project>"),
        (empty.import("--editor all"), 2, "default or everywhere"),
        (
            "import unleash --from postgres://u:hush@127.0.0.1:1/d".to_owned(),
            1,
            "postgres://u:***@127.0.0.1:1/d",
        ),
    ] {
        let said = env.run(&arguments);
        assert_eq!(said.code, Some(code), "{arguments}: {said:?}");
        assert!(said.stderr.contains(expected) && !said.stderr.contains("hush"), "{arguments}: {said:?}");
    }
}

/// Tokens go back, with the scope that they have here or not at all, and a second export changes nothing.
fn tokens_go_back(store: Store) {
    let unleash = Unleash::of(&[LAYOUT, ODD]);
    let first = env(store);
    first.succeed(&unleash.import("--editor default"));
    first.create_project("only-here");
    let plain = NewToken { name: "of-shop", projects: &["shop"], ..NewToken::default() };
    let made = first.create_token(&plain);
    let everywhere = first.create_token(&NewToken { name: "of-all", ..NewToken::default() });
    let lost =
        first.create_token(&NewToken { name: "of-none", projects: &["only-here"], ..NewToken::default() });
    let export = format!("export unleash --to {}", unleash.0.url());
    let said = first.run(&format!("{export} --dry-run"));
    assert!(said.code == Some(0) && said.stderr.contains("2 API tokens would be written"), "{said:?}");
    let said = first.run(&export);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("2 API tokens were written"), "{said:?}");
    assert!(said.stdout.contains("there is no project only-here there"), "{said:?}");
    let said = first.run(&export);
    assert!(said.code == Some(0) && said.stderr.contains("0 API tokens were written"), "{said:?}");

    let second = env(store);
    second.succeed(&unleash.import("--editor default"));
    let (there, here) = (first.serve(), second.serve());
    let found = validated(&here, &[&made, &everywhere, &lost]);
    let scopes: Vec<_> = found.iter().map(|(_, scope)| scope.as_str()).collect();
    assert_eq!(scopes, ["client *:development", "client shop:development"]);

    // The two instances agree about every token of the database, and of one that is revoked the difference is found.
    let verify = |new: &Server| {
        let urls = format!("--old-url http://{} --new-url http://{}", there.address(), new.address());
        first.run(&unleash.import(&format!("--editor default --dry-run --verify {urls}")))
    };
    let said = verify(&here);
    assert!(said.code == Some(0) && said.stderr.contains("Both servers say the same of each."), "{said:?}");
    let target = format!("/api/admin/api-tokens/{}", percent_encoded(&made));
    assert_eq!(here.send(&Request::delete(&target).by(SECRETS[3])).status, 200);
    let said = verify(&here);
    assert!(said.code == Some(1) && said.stderr.contains("1 answers differ"), "{said:?}");
    assert!(said.stdout.contains("client shop:development there, not accepted here"), "{said:?}");
    assert!(!said.stdout.contains(&made), "{said:?}");
}

#[test]
fn tokens_go_back_from_sqlite() {
    tokens_go_back(Store::Sqlite);
}

#[test]
fn tokens_go_back_from_postgres() {
    tokens_go_back(Store::Postgres);
}
