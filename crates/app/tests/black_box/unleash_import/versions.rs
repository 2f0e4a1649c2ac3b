//! Databases that servers of Unleash wrote, from 5.6 to 7.6: every token and personal access token is as good here as
//! it was there. `record.mjs` beside the dumps made them.

use latchkey_testkit::env::Store;
use serde_json::Value;

use super::{Unleash, env, said_of, validated};

macro_rules! dump {
    ($version:literal) => {
        (
            include_str!(concat!("../../../../adapters/unleash/tests/dumps/unleash-", $version, ".sql")),
            include_str!(concat!("../../../../adapters/unleash/tests/dumps/unleash-", $version, ".json")),
        )
    };
}
const VERSIONS: [(&str, &str); 4] = [dump!("5.6.0"), dump!("5.12.8"), dump!("6.10.1"), dump!("7.6.5")];

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text"))
}

fn every_version_is_as_good_here(store: Store) {
    for (dump, recorded) in VERSIONS {
        let recorded: Value = serde_json::from_str(recorded).expect("JSON");
        let version = recorded["version"].as_str().expect("a version");
        let unleash = Unleash::of(&[dump]);
        let env = env(store);
        let said = env.run(&unleash.import("--editor default"));
        assert_eq!(said.code, Some(0), "{version}: {said:?}");
        let server = env.serve();
        let secrets: Vec<&str> = texts(&recorded["secrets"]).collect();
        let found = validated(&server, &secrets);
        let there = said_of(&recorded["validated"]);
        assert_eq!(found, there, "{version}: {said:?}");
        for secret in texts(&recorded["personal"]) {
            assert_eq!(server.status("/api/admin/user", secret), 200, "{version}");
        }
        server.stop();
    }
}

#[test]
fn every_version_is_as_good_here_on_sqlite() {
    every_version_is_as_good_here(Store::Sqlite);
}

#[test]
fn every_version_is_as_good_here_on_postgres() {
    every_version_is_as_good_here(Store::Postgres);
}
