//! Databases that servers of Unleash wrote, from 5.6 to 8.2: every token, personal access token and login is as good here as it
//! was there. `record.mjs` beside the dumps made them; that of 8.2 has tokens of the second form.

use std::fs;

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{Server, percent_encoded},
};
use serde_json::{Value, json};

use super::{Unleash, env, reported, said_of, validated};
use crate::database::Records;

macro_rules! dump {
    ($version:literal) => {
        (
            include_str!(concat!("../../../../adapters/unleash/tests/dumps/unleash-", $version, ".sql")),
            include_str!(concat!("../../../../adapters/unleash/tests/dumps/unleash-", $version, ".json")),
        )
    };
}
const VERSIONS: [(&str, &str); 5] =
    [dump!("5.6.0"), dump!("5.12.8"), dump!("6.10.1"), dump!("7.6.5"), dump!("8.2.0")];
const IMPORT: &str = "--editor default --report report.jsonl";

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().map(text)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn every_version_is_as_good_here(store: Store) {
    for (dump, recorded) in VERSIONS {
        let recorded: Value = serde_json::from_str(recorded).expect("JSON");
        let version = text(&recorded["version"]);
        let unleash = Unleash::of(&[dump]);
        let env = env(store);
        let said = env.run(&unleash.import(IMPORT));
        assert_eq!(said.code, Some(0), "{version}: {said:?}");
        // The orphan alone.
        assert_eq!(reported(&env, "left out", "API token").len(), 1, "{version}: {said:?}");
        assert_eq!(reported(&env, "left out", "personal token"), [""; 0], "{version}: {said:?}");

        // Each of its kinds is one that there is here.
        let events = dump.matches("INSERT INTO events").count();
        assert_eq!(reported(&env, "came", "event").len(), events, "{version}: {said:?}");
        assert_eq!(reported(&env, "changed", "event"), [""; 0], "{version}: {said:?}");

        let server = env.serve();
        let secrets: Vec<&str> = texts(&recorded["secrets"]).collect();
        let found = validated(&server, &secrets);
        let there = said_of(&recorded["validated"]);
        assert_eq!(found, there, "{version}: {said:?}");
        for secret in texts(&recorded["personal"]).chain([text(&recorded["service"])]) {
            assert_eq!(server.status("/api/admin/user", secret), 200, "{version}");
        }
        let of_service = server.send(&Request::get("/api/admin/user").by(text(&recorded["service"])));
        assert_eq!(of_service.json()["user"]["username"], "deployer", "{version}");
        every_login_works(&server, &mut Records::of(&env), &recorded["logins"]);

        let came_again = |env: &TestEnv| {
            fs::remove_file(env.path("report.jsonl")).expect("a report");
            let said = env.run(&unleash.import(IMPORT));
            assert_eq!(said.code, Some(0), "{version}: {said:?}");
            let file = fs::read_to_string(env.path("report.jsonl")).expect("the report");
            file.lines().filter(|line| line.contains(r#""outcome":"came""#)).count()
        };
        assert_eq!(came_again(&env), 0, "{version}");
        if recorded["version"] == "8.2.0" {
            tokens_are_named_by_their_selectors(&server, &secrets);
            assert_eq!(came_again(&env), 0, "{version}: what was revoked here stays so");
        }
        server.stop();
    }
}

/// Each user signs in with the password of before, whose hash is replaced, and signs in again.
fn every_login_works(server: &Server, records: &mut Records, logins: &Value) {
    const HASHES: &str = "SELECT password_hash AS value FROM users WHERE password_hash LIKE ";
    for login in logins.as_array().expect("logins") {
        let (name, password) = (text(&login[0]), text(&login[1]));
        let imported = records.texts(&format!("{HASHES}'$2%'")).len();
        assert_eq!(server.sign_in(name, &format!("{password}!")), Err(401), "{name}");
        let cookie = server.sign_in(name, password).unwrap_or_else(|status| panic!("{name}: {status}"));
        assert_eq!(server.status_with_cookie(&cookie), 200, "{name}");
        assert_eq!(
            records.texts(&format!("{HASHES}'$2%'")).len(),
            imported - 1,
            "{name}: its hash is replaced"
        );
        let cookie = server.sign_in(name, password).unwrap_or_else(|status| panic!("{name} again: {status}"));
        assert_eq!(server.status_with_cookie(&cookie), 200, "{name}");
        assert_eq!(server.sign_in(name, &format!("{password}!")), Err(401), "{name}");
    }
    assert_eq!(records.texts(&format!("{HASHES}'$2%'")), [""; 0]);
    let count = logins.as_array().map_or(0, Vec::len);
    assert_eq!(records.texts(&format!("{HASHES}'$argon2id$%'")).len(), count);
}

/// Tokens of the second form are listed with their selectors, which name them in PUT and DELETE and authenticate nothing.
fn tokens_are_named_by_their_selectors(server: &Server, secrets: &[&str]) {
    let admin = secrets[0];
    let selector = |secret: &str| secret.split_once(".v2_").expect("the second form").1[..22].to_owned();
    let listed = server.send(&Request::get("/api/admin/api-tokens").by(admin)).json();
    let listed: Vec<&str> =
        listed["tokens"].as_array().expect("tokens").iter().map(|token| text(&token["secret"])).collect();
    let good: Vec<&str> = validated(server, secrets)
        .into_iter()
        .filter_map(|(secret, _)| secrets.iter().copied().find(|one| *one == secret && *one != admin))
        .collect();
    assert_eq!(good.len(), 5);
    for secret in &good {
        assert!(listed.contains(&selector(secret).as_str()), "{listed:?}");
    }

    let [ended, revoked, ..] = good.as_slice() else { panic!("{good:?}") };
    let target = |secret: &str| format!("/api/admin/api-tokens/{}", percent_encoded(&selector(secret)));
    let past = json!({ "expiresAt": "2001-01-01T00:00:00.000Z" });
    assert_eq!(server.send(&Request::put(&target(ended), &past).by(admin)).status, 200);
    assert_eq!(server.send(&Request::delete(&target(revoked)).by(admin)).status, 200);
    let selectors: Vec<String> = good.iter().map(|secret| selector(secret)).collect();
    let presented: Vec<&str> = good.iter().copied().chain(selectors.iter().map(String::as_str)).collect();
    let left: Vec<String> = validated(server, &presented).into_iter().map(|(secret, _)| secret).collect();
    assert_eq!(left, good[2..]);
}

#[test]
fn every_version_is_as_good_here_on_sqlite() {
    every_version_is_as_good_here(Store::Sqlite);
}

#[test]
fn every_version_is_as_good_here_on_postgres() {
    every_version_is_as_good_here(Store::Postgres);
}
