//! Backups, restores and copies between both databases.

use std::{
    collections::BTreeMap, fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::Stdio, thread,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::database::Records;

mod contents;

const KEY: &str = "6c617463686b65792d626c61636b2d626f782d74657374732d6d61737465726b";

/// An empty environment, in which every database has the same master key.
fn env(store: Store) -> TestEnv {
    TestEnv::on(store).with("LATCHKEY_MASTER_KEY", KEY)
}

/// What callers can observe of a filled database.
struct Filled {
    env: TestEnv,
    secrets: Vec<String>,
    personal: String,
    cookie: String,
    revoked: String,
}

/// Fills a database with something in every table, and with gaps in the numbers that it gives.
fn filled(store: Store) -> Filled {
    let env = env(store);
    let server = env.serve();
    env.create_project("shop");
    let personal = env.create_caller("ed", "Editor");
    env.grant("ed", "shop", "Member");
    env.create_user("gone", "Viewer");
    for name in ["gone", "readers"] {
        let group =
            json!({ "name": name, "mappingsSSO": ["ä"], "rootRole": 3, "users": [{ "user": { "id": 1 } }] });
        let group = server.as_admin(Request::post("/api/admin/groups", &group));
        assert_eq!(group.status, 201, "{}", group.text());
        let id = &group.json()["id"];
        let roles = format!("/api/admin/projects/shop/groups/{id}/roles");
        assert_eq!(server.as_admin(Request::put(&roles, &json!({ "roles": [5] }))).status, 200);
        if name == "gone" {
            assert_eq!(server.as_admin(Request::delete(&format!("/api/admin/groups/{id}"))).status, 200);
        }
    }
    let user =
        json!({ "username": "bo", "email": "Bo@Example.com", "password": "correct horse", "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);
    let cookie = server.sign_in("bo", "correct horse").expect("signed in");
    assert_eq!(server.sign_in("bo", "wrong horse"), Err(401));
    let mut secrets: Vec<_> = ["ä \"quoted\"", "plain", "plain"].map(|name| server.create_token(name)).into();
    let several = json!({ "tokenName": "several", "type": "client", "projects": ["shop", "default"] });
    let several = server.as_admin(Request::post("/api/admin/api-tokens", &several));
    assert_eq!(several.status, 201, "{}", several.text());
    secrets.push(several.json()["secret"].as_str().expect("a secret").to_owned());
    let revoked = secrets.remove(1);
    assert_eq!(server.delete_token(&revoked).status, 200);
    // A rotation leaves a retired secret that is good for a while.
    let rotated = format!("{TOKENS}/{}/rotate", percent_encoded(&secrets[1]));
    let rotated = server.as_admin(Request::post(&rotated, &json!({ "overlap": "PT1H" })));
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    secrets.push(rotated.json()["secret"].as_str().expect("a secret").to_owned());
    server.stop();
    let filled = Filled { env, secrets, personal, cookie, revoked };
    let mut records = Records::of(&filled.env);
    for table in [
        "memberships",
        "user_groups",
        "group_members",
        "group_roles",
        "retired_secrets",
        "personal_tokens",
        "sessions",
        "login_failures",
        "event_projects",
    ] {
        assert!(records.count(table) > 0, "{table}");
    }
    filled
}

/// Returns the rows of a database by a backup of it, and what its header says of them.
fn rows(env: &TestEnv, name: &str) -> (Value, Vec<String>) {
    env.succeed(&format!("backup {name}"));
    let text = fs::read_to_string(env.path(name)).expect("the backup");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let header: Value = serde_json::from_str(&lines.remove(0)).expect("a header");
    let trailer: Value = serde_json::from_str(&lines.pop().expect("a trailer")).expect("JSON");
    lines.push(trailer["keys"].to_string());
    (header["tables"].clone(), lines)
}

/// The state of a server over a copied database is that of the original.
fn is_as_before(filled: &Filled, env: &TestEnv) {
    let last_event = Records::of(&filled.env).texts("SELECT CAST(max(id) AS TEXT) AS value FROM events");
    let server = env.serve();
    for secret in &filled.secrets {
        assert_eq!(server.status("/auth/verify", secret), 200, "{secret}");
    }
    assert_eq!(server.status(TOKENS, &filled.personal), 200);
    assert_eq!(server.status("/auth/verify", &filled.revoked), 401);
    assert_eq!(server.status_with_cookie(&filled.cookie), 200);
    server.sign_in("BO@example.com", "correct horse").expect("signed in");
    let listed = server.tokens();
    let present = |secret: &&String| listed.iter().any(|token| token["secret"] == secret.as_str());
    assert!(filled.secrets.iter().filter(present).count() >= 2, "secrets are shown: {listed:?}");
    // Numbers go on after the last that was given, also if its row is gone.
    server.create_token("new");
    let id: i64 = env.succeed("user create --username new").parse().expect("an id");
    assert_eq!(id, 4, "users 1 to 3 were given");
    let group = server.as_admin(Request::post("/api/admin/groups", &json!({ "name": "new" })));
    assert_eq!(group.json()["id"], 3, "groups 1 and 2 were given: {}", group.text());
    let after = Records::of(env).count(&format!("events WHERE id > {}", last_event[0]));
    assert!(after >= 2, "{after} new events");
}

fn a_backup_is_equal_in_every_database(from: Store, to: Store) {
    let filled = filled(from);
    let original = rows(&filled.env, "backup.jsonl");
    let mode = fs::metadata(filled.env.path("backup.jsonl")).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let restored = env(to);
    let said = restored.run(&format!("restore {}", filled.env.path("backup.jsonl").display()));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("was restored and compared."), "{said:?}");
    assert_eq!(rows(&restored, "again.jsonl"), original);

    // And back, by a copy.
    let back = env(from);
    let said = restored.run(&format!("copy --to {}", back.variable("DATABASE_URL")));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(rows(&back, "back.jsonl"), original);
    is_as_before(&filled, &restored);
    is_as_before(&filled, &back);
}

#[test]
fn a_backup_of_sqlite_is_equal_in_sqlite() {
    a_backup_is_equal_in_every_database(Store::Sqlite, Store::Sqlite);
}

#[test]
fn a_backup_of_sqlite_is_equal_in_postgres_and_back() {
    a_backup_is_equal_in_every_database(Store::Sqlite, Store::Postgres);
}

#[test]
fn a_backup_of_postgres_is_equal_in_sqlite_and_back() {
    a_backup_is_equal_in_every_database(Store::Postgres, Store::Sqlite);
}

#[test]
fn a_backup_of_postgres_is_equal_in_postgres() {
    a_backup_is_equal_in_every_database(Store::Postgres, Store::Postgres);
}

/// Rows of a table in a backup, each as a map from column to value.
fn table(header: &Value, lines: &[String], name: &str) -> Vec<BTreeMap<String, Value>> {
    let described =
        header.as_array().expect("tables").iter().find(|table| table["name"] == name).expect(name);
    let columns = described["columns"].as_array().expect("columns");
    let rows = lines.iter().filter_map(|line| serde_json::from_str::<Vec<Value>>(line).ok());
    rows.filter(|row| row[0] == name)
        .map(|row| {
            let names = columns.iter().map(|column| column["name"].as_str().expect("a name").to_owned());
            names.zip(row.into_iter().skip(1)).collect()
        })
        .collect()
}

fn a_backup_is_one_moment_of_a_busy_database(store: Store) {
    let env = env(store);
    let server = env.serve();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let server = &server;
                scope.spawn(move || {
                    for number in 0..25 {
                        server.create_token(&format!("{writer}-{number}"));
                    }
                })
            })
            .collect();
        until_true("the first tokens", || server.tokens().len() > 10);
        for round in 0..5 {
            let (header, lines) = rows(&env, &format!("{round}.jsonl"));
            let tokens = table(&header, &lines, "api_tokens").len();
            let created = table(&header, &lines, "events")
                .iter()
                .filter(|event| {
                    event["kind"].as_str().is_some_and(|kind| kind.starts_with("api-token-created"))
                })
                .count();
            assert_eq!(tokens, created, "every token with its event, in round {round}");
            assert!(tokens > 10);
            let scopes = table(&header, &lines, "api_token_projects").len();
            // The admin token is of all projects.
            assert_eq!(scopes, tokens - 1);
        }
        for writer in writers {
            writer.join().expect("no panic");
        }
    });
}

#[test]
fn a_backup_is_one_moment_of_a_busy_database_on_sqlite() {
    a_backup_is_one_moment_of_a_busy_database(Store::Sqlite);
}

#[test]
fn a_backup_is_one_moment_of_a_busy_database_on_postgres() {
    a_backup_is_one_moment_of_a_busy_database(Store::Postgres);
}

/// Returns the lines as a file.
fn joined(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// Returns a backup with its digest made right again.
fn signed(lines: &[String]) -> String {
    let content = joined(&lines[..lines.len() - 1]);
    let mut trailer: Value = serde_json::from_str(lines.last().expect("a trailer")).expect("JSON");
    let digest = Sha256::digest(&content);
    trailer["sha256"] = json!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat());
    format!("{content}{trailer}\n")
}

fn what_cannot_be_restored_changes_nothing(store: Store) {
    let filled = filled(Store::Sqlite);
    filled.env.succeed("backup good.jsonl");
    let good = fs::read_to_string(filled.env.path("good.jsonl")).expect("the backup");
    let lines: Vec<_> = good.lines().map(str::to_owned).collect();
    let changed = |number: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        assert!(lines[number].contains(from), "{}", lines[number]);
        lines[number] = lines[number].replacen(from, to, 1);
        lines
    };
    let without_a_row = [&lines[..1], &lines[2..]].concat();
    let twice = [&lines[..2], &lines[1..]].concat();
    let schema = serde_json::from_str::<Value>(&lines[0]).expect("JSON")["schema"].clone();
    let target = env(store);
    for (text, expected) in [
        (String::new(), "it is truncated"),
        ("hello\n".to_owned(), "it is no backup of Latchkey"),
        ("{}\n".to_owned(), "it is no backup of Latchkey: its first line is no header"),
        (joined(&lines[..lines.len() - 1]), "it is truncated: its last line is missing"),
        (good[..good.len() / 2].to_owned(), "it is truncated"),
        (joined(&changed(1, "default", "defaulT")), "it was changed or damaged: its SHA-256 is another one"),
        (format!("{good}{{}}\n"), "something follows its last line"),
        (signed(&without_a_row), "another number of rows than its first line says"),
        (signed(&twice), "another number of rows than its first line says"),
        (signed(&changed(0, "\"latchkey_backup\":1", "\"latchkey_backup\":2")), "use a newer Latchkey"),
        (signed(&changed(0, &format!("\"schema\":{schema}"), "\"schema\":9999")), "it has the schema 9999"),
        (signed(&changed(0, "\"name\":\"mode\"", "\"name\":\"mode) --\"")), "an impossible column"),
        (signed(&changed(0, "\"name\":\"projects\"", "\"name\":\"pg_authid\"")), "belongs to no table"),
    ] {
        fs::write(target.path("bad.jsonl"), &text).expect("written");
        let error = target.fail("restore bad.jsonl", 1);
        assert!(error.contains("bad.jsonl was not restored, and nothing was changed: "), "{error}");
        assert!(error.contains(expected), "{expected} not in {error}");
        let from_pipe = target.run_with_input("restore -", &text);
        assert_eq!(from_pipe.code, Some(1), "{from_pipe:?}");
        assert!(from_pipe.stderr.contains("- was not restored, and nothing was changed: "), "{from_pipe:?}");
    }
    let good = filled.env.path("good.jsonl").display().to_string();
    let of_another_key = TestEnv::on(store).with("LATCHKEY_MASTER_KEY", &"ab".repeat(32));
    let error = of_another_key.fail(&format!("restore {good}"), 1);
    assert!(
        error.contains("secrets under the master key") && error.contains("--ignore-missing-keys"),
        "{error}"
    );
    of_another_key.succeed(&format!("restore {good} --ignore-missing-keys"));

    // All those attempts left the database empty.
    target.succeed(&format!("restore {good}"));
    let before = rows(&target, "before.jsonl");
    let error = target.fail(&format!("restore {good}"), 1);
    assert!(
        error.contains("the database is not empty, table users has rows: name a new database"),
        "{error}"
    );
    let error = filled.env.fail(&format!("copy --to {}", target.variable("DATABASE_URL")), 1);
    assert!(error.contains("was not filled, and is as it was: the database is not empty"), "{error}");
    assert_eq!(rows(&target, "after.jsonl"), before);
}

#[test]
fn what_cannot_be_restored_changes_nothing_on_sqlite() {
    what_cannot_be_restored_changes_nothing(Store::Sqlite);
}

#[test]
fn what_cannot_be_restored_changes_nothing_on_postgres() {
    what_cannot_be_restored_changes_nothing(Store::Postgres);
}

fn a_restore_that_is_killed_leaves_an_empty_database(store: Store) {
    let filled = filled(store);
    filled.env.succeed("backup good.jsonl");
    let good = fs::read_to_string(filled.env.path("good.jsonl")).expect("the backup");
    let target = env(store);
    let mut restore = target.command("restore -").stdin(Stdio::piped()).spawn().expect("it starts");
    let mut input = restore.stdin.take().expect("piped");
    // Many chunks more than those that wait to be loaded, and no end.
    let (head, rest) = good.split_once('\n').expect("a header");
    let rows = rest.lines().filter(|line| line.starts_with("[\"projects\"")).cycle();
    writeln!(input, "{head}").expect("sent");
    for (number, row) in rows.take(4_000).enumerate() {
        let row =
            row.replacen("default", &format!("p{number}"), 1).replacen("shop", &format!("s{number}"), 1);
        writeln!(input, "{row}").expect("sent");
    }
    restore.kill().expect("killed");
    restore.wait().expect("its end");
    target.succeed(&format!("restore {}", filled.env.path("good.jsonl").display()));
    assert_eq!(rows_of(&target), rows_of(&filled.env));
}

fn rows_of(env: &TestEnv) -> (Value, Vec<String>) {
    rows(env, "all.jsonl")
}

#[test]
fn a_restore_that_is_killed_leaves_an_empty_database_on_sqlite() {
    a_restore_that_is_killed_leaves_an_empty_database(Store::Sqlite);
}

#[test]
fn a_restore_that_is_killed_leaves_an_empty_database_on_postgres() {
    a_restore_that_is_killed_leaves_an_empty_database(Store::Postgres);
}

#[test]
fn files_are_replaced_only_on_request_and_pipes_work() {
    let Filled { env, .. } = filled(Store::Sqlite);
    env.succeed("backup a.jsonl");
    let error = env.fail("backup a.jsonl", 2);
    assert_eq!(error, "latchkey: a.jsonl exists: choose another name, or replace it with --force\n");
    env.succeed("backup a.jsonl --force");
    let piped = env.succeed("backup -");
    let other = self::env(Store::Sqlite);
    let said = other.run_with_input("restore -", &format!("{piped}\n"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(rows(&other, "b.jsonl").1, rows(&env, "c.jsonl").1);
    let error = env.fail("backup nowhere/a.jsonl", 1);
    assert!(error.contains("nowhere/a.jsonl was not written: ") && error.contains("No such file"), "{error}");
    assert_eq!(
        fs::read_dir(env.directory())
            .expect("listed")
            .flatten()
            .filter(|file| { file.file_name().to_string_lossy().starts_with(".tmp") })
            .count(),
        0
    );
}
