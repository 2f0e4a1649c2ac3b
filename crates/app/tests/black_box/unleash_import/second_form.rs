//! Tokens of the second form, of which the database has no secret.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{Server, percent_encoded},
    wait::until,
};
use serde_json::{Value, json};

use super::{LAYOUT, Unleash, env, reported, validated};
use crate::database::Records;

const PLACES: &str = "\
    INSERT INTO environments (name, type) VALUES ('development', 'development'); \
    INSERT INTO projects (id, name) VALUES ('default', 'Default'), ('shop', 'Shop'), ('blog', 'Blog')";
const ADMIN: &str = "*:*.an-admin-token-of-the-first-form";
const OF_SHOP: &str =
    "shop:development.v2_AAAAAAAAAAAAAAAAAAAAA__RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const OF_SHOP_SELECTOR: &str = "AAAAAAAAAAAAAAAAAAAAA_";
const OF_SHOP_SHA256: &str = "826737e56eafcc146af04d05461ca29e8eaa94dff2ef8937603a9bcba08ddb20";
const OF_SEVERAL: &str =
    "[]:development.v2_BBBBBBBBBBBBBBBBBBBBB-_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const OF_ALL: &str = "*:development.v2_CCCCCCCCCCCCCCCCCCCCCC_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const ORPHAN: &str = "gone:development.v2_DDDDDDDDDDDDDDDDDDDDDD_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const OF_EDGE: &str =
    "blog:development.v2_EEEEEEEEEEEEEEEEEEEEEE_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
/// It is in the table of the first form, where the server does not look for it.
const SHADOWED: &str = "*:development.v2_FFFFFFFFFFFFFFFFFFFFFF_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
/// Two rows have its verifier.
const REPEATED: &str =
    "shop:development.v2_GGGGGGGGGGGGGGGGGGGGGG_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const LATER: &str = "blog:development.v2_HHHHHHHHHHHHHHHHHHHHHH_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const ALL: [&str; 8] = [OF_SHOP, OF_SEVERAL, OF_ALL, ORPHAN, OF_EDGE, SHADOWED, REPEATED, LATER];
const PERSONAL: &str = "user:v2_PPPPPPPPPPPPPPPPPPPPPP_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";

/// Returns the expression of the verifier that Unleash has for a secret.
pub(super) fn verifier(secret: &str) -> String {
    format!("rtrim(translate(encode(sha256('{secret}'), 'base64'), '+/', '-_'), '=')")
}

/// Returns the statement that adds the event about the creation of a token of this name, now, for these projects. 8.1 has no
/// selector in it.
pub(super) fn creation_event(
    name: &str,
    selector: Option<&str>,
    environment: &str,
    projects: &str,
) -> String {
    let projects: Value = serde_json::from_str(projects).expect("a list");
    let mut data = json!({ "tokenName": name, "projects": projects });
    if let Some(selector) = selector {
        data["selector"] = json!(selector);
    }
    format!(
        "INSERT INTO events (type, created_by, created_by_user_id, environment, data) \
         VALUES ('api-token-created', 'ada@example.com', 1, '{environment}', '{data}');"
    )
}

fn selector(secret: &str) -> &str {
    &secret.split_once("v2_").expect("the second form").1[..22]
}

fn insert(name: &str, secret: &str, projects: &[&str]) -> String {
    let selector = selector(secret);
    let links = projects
        .iter()
        .map(|project| format!("INSERT INTO api_tokens_v2_project VALUES ('{selector}', '{project}');"));
    format!(
        "INSERT INTO api_tokens_v2 (selector, verifier, token_name, type, environment, user_created) \
         VALUES ('{selector}', {}, '{name}', 'client', 'development', {});{}",
        verifier(secret),
        secret != OF_EDGE,
        links.collect::<String>()
    )
}

fn unleash() -> Unleash {
    let statements = [
        insert("of shop", OF_SHOP, &["shop"]),
        insert("of several", OF_SEVERAL, &["shop", "blog"]),
        insert("of all", OF_ALL, &[]),
        creation_event("of all", Some(selector(OF_ALL)), "development", r#"["*"]"#),
        insert("orphan", ORPHAN, &[]),
        creation_event("orphan", None, "development", r#"["gone"]"#),
        insert("of Edge", OF_EDGE, &["blog"]),
        insert("repeated", REPEATED, &["shop"]),
        format!(
            "INSERT INTO api_tokens_v2 (selector, verifier, token_name, type, environment) \
             VALUES ('IIIIIIIIIIIIIIIIIIIIII', {}, 'repeated', 'client', 'development');",
            verifier(REPEATED)
        ),
        format!(
            "INSERT INTO api_tokens (secret, username, token_name, type, environment) VALUES \
             ('{SHADOWED}', 'shadowed', 'shadowed', 'client', 'development'), ('{ADMIN}', 'admin', 'admin', 'admin', NULL);"
        ),
        "INSERT INTO users (id, username, email) VALUES (1, 'ada', 'ada@example.com');".to_owned(),
        format!(
            "INSERT INTO personal_access_tokens (selector, verifier, description, user_id, expires_at) \
             VALUES ('{}', {}, 'of the second form', 1, '2099-01-01');",
            selector(PERSONAL),
            verifier(PERSONAL)
        ),
    ];
    Unleash::of(&[LAYOUT, PLACES, &statements.concat()])
}

fn said(scopes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut said: Vec<_> =
        scopes.iter().map(|(secret, scope)| ((*secret).to_owned(), (*scope).to_owned())).collect();
    said.sort();
    said
}

/// Waits until so many of all secrets are accepted, and returns what is said of them.
fn validated_when(server: &Server, count: usize) -> Vec<(String, String)> {
    until("the tokens", || Some(validated(server, &ALL)).filter(|found| found.len() == count))
}

/// Imports, and returns the names of the API tokens that came.
fn import(env: &TestEnv, unleash: &Unleash) -> Vec<String> {
    // There is none before the first import.
    let _ = std::fs::remove_file(env.path("report.jsonl"));
    let said = env.run(&unleash.import("--report report.jsonl"));
    assert_eq!(said.code, Some(0), "{said:?}");
    for secret in ALL.iter().chain([&PERSONAL]) {
        assert!(!format!("{said:?}").contains(secret), "{secret}");
    }
    let came = reported(env, "came", "API token");
    came.iter().filter_map(|line| Some(line.split_once(" (")?.0.to_owned())).collect()
}

fn tokens_come_by_their_digests(store: Store) {
    let unleash = unleash();
    let env = env(store);
    let key = json!({ "name": "of shop", "type": "client", "projects": ["default"], "environment": "development",
        "sha256": OF_SHOP_SHA256, "selector": OF_SHOP_SELECTOR });
    let env = env.with_file("keys.jsonl", &format!("{key}\n"));

    // One of them is here already, for another project.
    env.succeed("import keys --from keys.jsonl");
    let server = env.serve();
    assert_eq!(validated(&server, &ALL), said(&[(OF_SHOP, "client default:development")]));
    assert_eq!(import(&env, &unleash), ["admin", "of several", "of all", "of Edge"]);
    let present = reported(&env, "present", "API token");
    assert!(
        matches!(present.as_slice(), [one] if one.starts_with("of shop") && one.contains("has another scope here")),
        "{present:?}"
    );
    let left_out = reported(&env, "left out", "API token");
    for (name, why) in [
        ("shadowed", "never accepted"),
        ("orphan", "--orphans"),
        ("repeated", "another token has its verifier"),
    ] {
        assert!(
            left_out.iter().any(|line| line.starts_with(name) && line.contains(why)),
            "{name}: {left_out:?}"
        );
    }
    assert_eq!(left_out.len(), 4, "{left_out:?}");
    let mut good = vec![
        (OF_SHOP, "client default:development"),
        (OF_SEVERAL, "client blog,shop:development"),
        (OF_ALL, "client *:development"),
        (OF_EDGE, "client blog:development"),
    ];
    assert_eq!(validated_when(&server, 4), said(&good));
    assert_eq!(server.status("/api/admin/user", PERSONAL), 200);
    let mut records = Records::of(&env);
    let events =
        records.texts("SELECT CAST(after AS TEXT) AS value FROM events WHERE kind = 'api-tokens-imported'");
    let creator = "ada@example.com";
    assert!(events.concat().contains(creator), "the creator is that of the event there: {events:?}");

    // Twice changes nothing, and what is new there comes.
    let count = records.count("events");
    assert_eq!(import(&env, &unleash), [""; 0]);
    assert_eq!(records.count("events"), count);
    unleash.execute(&insert("later", LATER, &["blog"]));
    assert_eq!(import(&env, &unleash), ["later"]);
    good.push((LATER, "client blog:development"));
    assert_eq!(validated_when(&server, 5), said(&good));

    // A selector goes on naming a token whose secret was replaced or that was revoked here, and no import undoes it.
    let target = |secret: &str| format!("/api/admin/api-tokens/{}", percent_encoded(selector(secret)));
    let rotate = Request::post(&format!("{}/rotate", target(OF_SEVERAL)), &json!({ "overlap": "PT0S" }));
    assert_eq!(server.send(&rotate.by(ADMIN)).status, 200);
    assert_eq!(server.send(&Request::delete(&target(LATER)).by(ADMIN)).status, 200);
    good.retain(|(secret, _)| ![OF_SEVERAL, LATER].contains(secret));
    assert_eq!(validated_when(&server, 3), said(&good));
    assert_eq!(import(&env, &unleash), [""; 0]);
    assert_eq!(validated(&server, &ALL), said(&good));
    // Without the memory of the audit trail, the selector tells.
    assert!(records.try_execute("DELETE FROM events WHERE kind = 'api-token-rotated'"));
    assert_eq!(import(&env, &unleash), [""; 0]);
    let present = reported(&env, "present", "API token");
    assert!(
        present.iter().any(|line| line.starts_with("of several") && line.contains("replaced here")),
        "{present:?}"
    );
    server.stop();
}

#[test]
fn tokens_come_by_their_digests_on_sqlite() {
    tokens_come_by_their_digests(Store::Sqlite);
}

#[test]
fn tokens_come_by_their_digests_on_postgres() {
    tokens_come_by_their_digests(Store::Postgres);
}

/// Nothing can present them or write them back, and both commands say so.
#[test]
fn what_cannot_be_presented_or_written_back_is_counted_and_named() {
    let unleash = unleash();
    let [first, second] = [env(Store::Sqlite), env(Store::Sqlite)];
    for env in [&first, &second] {
        import(env, &unleash);
    }
    let (there, here) = (first.serve(), second.serve());
    let urls = format!("--old-url http://{} --new-url http://{}", there.address(), here.address());
    let verified = first.run(&unleash.import(&format!("--dry-run --verify {urls}")));
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(
        verified.stderr.contains("8 tokens of the second form (v2_…) were not presented"),
        "{verified:?}"
    );
    assert!(verified.stderr.contains("Both servers say the same of each."), "{verified:?}");

    let empty = Unleash::of(&[LAYOUT, PLACES]);
    let written = first.run(&format!("export unleash --to {} --report back.jsonl", empty.0.url()));
    assert!(written.code == Some(0) && written.stderr.contains("1 API tokens were written"), "{written:?}");
    let report = std::fs::read_to_string(first.path("back.jsonl")).expect("a report");
    let named = report.lines().filter(|line| line.contains("known to its client alone"));
    assert_eq!(named.count(), 4, "{report}");
}
