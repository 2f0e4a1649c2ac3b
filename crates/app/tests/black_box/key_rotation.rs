//! A master key is replaced step by step (`docs/operate/master-key.md`) without any effect on the holders of secrets.

use latchkey_testkit::{
    env::{ADMIN, CommandResult, NewToken, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::json;

use crate::database::Records;

const OLD: &str = "6f6c642d6b65792d6f6c642d6b65792d6f6c642d6b65792d6f6c642d6b657921";
const NEW: &str = "6e65772d6b65792d6e65772d6b65792d6e65772d6b65792d6e65772d6b657921";
const KEYS: &str = "LATCHKEY_MASTER_KEY";
/// Longer than the test takes: last use is only written at a stop.
const NEVER: &str = "1h";

/// The secrets of one instance, by how they are stored.
struct Secrets {
    /// Tokens that can be revealed, and an alias that can be revealed.
    sealed: Vec<String>,
    /// A show-once token, a replaced secret that is still valid, and a personal token.
    digests: Vec<String>,
    /// A session's cookie.
    cookie: String,
}

impl Secrets {
    #[track_caller]
    fn are_all_good(&self, server: &Server) {
        self.can_be_shown(server);
        self.digests_are_good(server);
    }

    #[track_caller]
    fn can_be_shown(&self, server: &Server) {
        for secret in &self.sealed {
            let answer = server.send(&Request::get("/auth/verify").by(secret));
            assert_eq!(answer.status, 200, "{secret}: {}", answer.text());
        }
    }

    #[track_caller]
    fn digests_are_good(&self, server: &Server) {
        for secret in &self.digests {
            // A personal token is not verified but used.
            let target = if secret.starts_with("user:") { "/api/admin/user" } else { "/auth/verify" };
            let answer = server.send(&Request::get(target).by(secret));
            assert_eq!(answer.status, 200, "{secret}: {}", answer.text());
        }
        let answer = server.send(&Request::get("/api/admin/user").header("cookie", &self.cookie));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// Returns all tokens as the list shows them.
fn shown(server: &Server) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let tokens = server.tokens();
    let mut shown: Vec<_> =
        tokens.iter().map(|token| (text(&token["secret"]), text(&token["alias"]))).collect();
    shown.sort();
    shown
}

/// Makes the secret of a token its alias, which no route does; returns the new secret.
fn alias_of_its_old_secret(env: &TestEnv, server: &Server, secret: &str) -> String {
    let mut records = Records::of(env);
    let is_postgres = env.store() == Store::Postgres;
    let mut column = |name: &str| {
        let hex = if is_postgres { format!("encode({name}, 'hex')") } else { format!("hex({name})") };
        let bytes = records.texts(&format!("SELECT {hex} AS value FROM api_tokens WHERE name = 'aliased'"));
        if is_postgres { format!("'\\x{}'", bytes[0]) } else { format!("x'{}'", bytes[0]) }
    };
    let [digest, key, sealed] = ["secret_digest", "secret_key", "secret_sealed"].map(&mut column);
    let rotated = rotate(server, secret, "PT0S");
    let update = format!(
        "UPDATE api_tokens SET alias_digest = {digest}, alias_key = {key}, alias_sealed = {sealed} \
         WHERE name = 'aliased'"
    );
    assert!(Records::of(env).try_execute(&update));
    rotated
}

fn rotate(server: &Server, secret: &str, overlap: &str) -> String {
    let target = format!("{TOKENS}/{}/rotate", percent_encoded(secret));
    let answer = server.as_admin(Request::post(&target, &json!({ "overlap": overlap })));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["secret"].as_str().expect("a secret").to_owned()
}

/// Creates secrets of every sort, all under the one configured key.
fn made(env: &mut TestEnv) -> Secrets {
    // The first start creates the admin token.
    env.serve().stop();
    env.set("LATCHKEY__TOKENS__REVEAL", "once");
    let once = env.create_token(&NewToken { name: "once", projects: &["default"], ..NewToken::default() });
    env.set("LATCHKEY__TOKENS__REVEAL", "always");
    let server = env.serve();
    let personal = env.create_caller("bo", "Viewer");
    let retired = server.create_token("rotated");
    let replaced = rotate(&server, &retired, "PT1H");
    let alias = server.create_token("aliased");
    let aliased = alias_of_its_old_secret(env, &server, &alias);
    let sealed = vec![ADMIN.to_owned(), server.create_token("plain"), replaced, aliased, alias];
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);
    let login = json!({ "username": "ed", "password": "correct horse" });
    let answer = server.send(&Request::post("/auth/simple/login", &login));
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    let secrets = Secrets { sealed, digests: vec![once, retired, personal], cookie: cookie.to_owned() };
    secrets.are_all_good(&server);
    server.stop();
    secrets
}

/// Returns the fields of a line in the table that the command prints.
fn line(table: &str, place: usize) -> Vec<&str> {
    let line = table.lines().nth(place).unwrap_or_else(|| panic!("no line {place} in {table}"));
    line.split_whitespace().skip(1).collect()
}

fn a_key_is_replaced(store: Store) {
    let mut env = TestEnv::on(store).with(KEYS, OLD).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", NEVER);
    let secrets = made(&mut env);

    // Every process has the new key before one seals secrets with it.
    env.set(KEYS, &format!("{OLD},{NEW}"));
    let server = env.serve();
    let webhook = json!({ "url": "https://127.0.0.1:9/hook", "enabled": false });
    assert_eq!(server.as_admin(Request::post("/api/admin/webhooks", &webhook)).status, 201);
    let before = shown(&server);
    env.set(KEYS, &format!("{NEW},{OLD}"));
    let other = env.serve();
    let newest = other.create_token("new-key");
    assert_eq!(server.send(&Request::get("/auth/verify").by(&newest)).status, 200, "the other key is known");

    // One that has only a digest, too; it keeps its key even if it is used where the old key comes first.
    let personal = env.create_personal_token("bo", "new-key");
    assert_eq!(server.send(&Request::get("/api/admin/user").by(&personal)).status, 200);

    // While both servers run.
    let table = env.succeed("keys rotate");
    assert_eq!(line(&table, 1), ["current", "6", "0", "1", "0", "0", "0", "1", "0"], "{table}");
    assert_eq!(line(&table, 2), ["older", "0", "1", "1", "1", "1", "0", "0", "0"], "{table}");
    let asides = env.command_log();
    assert!(asides.contains("6 secrets were moved to "), "{asides}");
    assert!(asides.contains(" is still needed."), "{asides}");
    secrets.are_all_good(&server);
    secrets.are_all_good(&other);
    let mut expected = before.clone();
    expected.push((newest.clone(), String::new()));
    expected.sort();
    assert_eq!(shown(&server), expected);
    // The first server moves nothing, the other moves the used secrets when it stops.
    server.stop();
    other.stop();

    let table = env.succeed("keys rotate");
    assert_eq!(line(&table, 2), ["older", "0", "0", "0", "0", "0", "0", "0", "0"], "{table}");
    assert!(
        env.command_log().contains("it can be taken out of LATCHKEY_MASTER_KEY"),
        "{}",
        env.command_log()
    );

    env.set(KEYS, NEW);
    let server = env.serve();
    secrets.are_all_good(&server);
    assert_eq!(shown(&server), expected);
    assert_eq!(env.succeed("keys list").lines().count(), 2);
    let events = Records::of(&env).count("events WHERE kind LIKE 'api-token-%'");
    // Six tokens, two of them rotated, and the one of the new key.
    assert_eq!(events, 6 + 2, "moving leaves no event");
}

#[test]
fn a_key_is_replaced_on_sqlite() {
    a_key_is_replaced(Store::Sqlite);
}

#[test]
fn a_key_is_replaced_on_postgres() {
    a_key_is_replaced(Store::Postgres);
}

fn what_was_used_moves_while_a_server_runs(store: Store) {
    let mut env = TestEnv::on(store).with(KEYS, OLD).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
    let secrets = made(&mut env);
    env.set(KEYS, &format!("{NEW},{OLD}"));
    let server = env.serve();
    secrets.digests_are_good(&server);
    let left = || {
        let table = env.succeed("keys list");
        line(&table, 2)[2..].iter().map(|count| count.parse::<u32>().expect("a number")).sum::<u32>()
    };
    until_true("what was used is under the new key", || left() == 0);
    secrets.are_all_good(&server);
}

#[test]
fn what_was_used_moves_while_a_server_runs_on_sqlite() {
    what_was_used_moves_while_a_server_runs(Store::Sqlite);
}

#[test]
fn what_was_used_moves_while_a_server_runs_on_postgres() {
    what_was_used_moves_while_a_server_runs(Store::Postgres);
}

fn what_cannot_be_opened_is_named(store: Store) {
    let mut env = TestEnv::on(store).with(KEYS, OLD);
    let server = env.serve();
    let good = server.create_token("good");
    server.create_token("altered");
    server.stop();
    let altered = match store {
        Store::Postgres => "secret_sealed || '\\x00'::bytea",
        _ => "CAST(secret_sealed || x'00' AS BLOB)",
    };
    let alter = format!("UPDATE api_tokens SET secret_sealed = {altered} WHERE name = 'altered'");
    assert!(Records::of(&env).try_execute(&alter));

    // The key of the other secrets is not configured.
    env.set(KEYS, &format!("{NEW},{}", "ab".repeat(32)));
    let CommandResult { stdout: table, stderr: error, code } = env.run("keys rotate");
    assert_eq!(code, Some(1), "{table}\n{error}");
    assert_eq!(line(&table, 3)[..2], ["missing", "3"], "{table}");
    assert!(error.contains("is not among those configured"), "{error}");
    assert!(error.contains("3 secrets could not be moved"), "{error}");

    env.set(KEYS, &format!("{NEW},{OLD}"));
    let CommandResult { stdout: table, stderr: error, code } = env.run("keys rotate");
    assert_eq!(code, Some(1), "{table}\n{error}");
    assert_eq!((line(&table, 1)[1], line(&table, 2)[1]), ("2", "1"), "{table}");
    assert!(error.contains("does not belong to its token, or was altered"), "{error}");
    let server = env.serve();
    assert_eq!(server.send(&Request::get("/auth/verify").by(&good)).status, 200);
}

#[test]
fn what_cannot_be_opened_is_named_on_sqlite() {
    what_cannot_be_opened_is_named(Store::Sqlite);
}

#[test]
fn what_cannot_be_opened_is_named_on_postgres() {
    what_cannot_be_opened_is_named(Store::Postgres);
}
