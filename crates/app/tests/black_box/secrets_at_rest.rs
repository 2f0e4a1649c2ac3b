//! No secret, and no part of one, is stored or logged in clear.

use std::{collections::HashSet, fs, path::Path};

use latchkey_testkit::{
    env::{ADMIN, NewToken, Store, TestEnv, random_part},
    raw_http::Request,
    server::{Server, TOKENS, percent_encoded},
    wait::until_true,
};
use serde_json::json;

use crate::database::Records;

const INIT_CLIENT: &str = "default:development.Tz5Wk8QmB3xVn7RcJ2pLs9HgYd4FfUa6";
/// A name that the database holds in clear: a search that does not find it would not find a secret either.
const NEEDLE: &str = "needle-in-the-hay";
const PASSWORD: &str = "Rt6Wm4Zk9TzC2pQx7VbN8sHd5LjF3yGe";
const WINDOW: usize = 12;

/// The parts of secrets that are searched for: each substring of a fixed length of a random part, in clear and in hex.
struct Pieces(HashSet<Vec<u8>>);

impl Pieces {
    fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut pieces = HashSet::new();
        for secret in secrets {
            let random = random_part(secret).as_bytes();
            assert!(random.len() >= 2 * WINDOW, "{secret} has no random part");
            pieces.extend(random.windows(WINDOW).map(<[u8]>::to_vec));
        }
        Self(pieces)
    }

    /// Returns the first part that the bytes contain.
    fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let plain = bytes.windows(WINDOW).find(|window| self.0.contains(*window)).map(<[u8]>::to_vec);
        let hex = bytes
            .windows(2 * WINDOW)
            .find_map(|window| from_hex(window).filter(|window| self.0.contains(window)));
        plain.or(hex).map(|piece| String::from_utf8_lossy(&piece).into_owned())
    }

    #[track_caller]
    fn assert_not_in(&self, place: &str, bytes: &[u8]) {
        if let Some(piece) = self.found_in(bytes) {
            panic!("{piece}, a piece of a secret, is in {place}");
        }
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks(2).map(|pair| Some(value(&pair[0])? << 4 | value(&pair[1])?)).collect()
}

#[test]
fn the_search_finds_what_is_there() {
    let pieces = Pieces::of([ADMIN]);
    let secret = random_part(ADMIN).as_bytes();
    let hex = secret.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(pieces.found_in(&[b"before", &secret[5..5 + WINDOW], b"after"].concat()).is_some());
    assert!(pieces.found_in(format!("\\x{hex}").as_bytes()).is_some());
    assert!(pieces.found_in(&[b"before", &secret[5..4 + WINDOW], b"after"].concat()).is_none());
}

/// Returns all that the store has written, by place.
fn written(env: &TestEnv) -> Vec<(String, Vec<u8>)> {
    let mut places = Vec::new();
    files_below(env.directory(), &mut places);
    if env.store() == Store::Postgres {
        places.extend(Records::of(env).everything());
    }
    places
}

/// Returns all files but those that hold a key or the first token by design.
fn files_below(directory: &Path, places: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        let name = entry.display().to_string();
        if entry.is_dir() {
            files_below(&entry, places);
        } else if !["latchkey.key", "admin-token"].iter().any(|known| entry.ends_with(known)) {
            places.push((name, fs::read(&entry).expect("a file")));
        }
    }
}

/// Creates tokens of every kind in every possible way, uses them, lists them and deletes some; returns their secrets.
fn live(env: &TestEnv, server: &Server) -> Vec<String> {
    let mut secrets = vec![ADMIN.to_owned(), INIT_CLIENT.to_owned()];
    secrets.extend(["client", "frontend"].map(|kind| {
        let body = json!({ "tokenName": NEEDLE, "type": kind, "secret": "default:development.mine" });
        let request = Request::post(TOKENS, &body).header("Idempotency-Key", kind);
        server.as_admin(request).json()["secret"].as_str().expect("a secret").to_owned()
    }));
    env.create_project("p2");
    for (kind, environment, projects) in [
        ("admin", None, &[][..]),
        ("client", Some("production"), &[]),
        ("client", Some("development"), &["default", "p2"]),
        ("frontend", Some("development"), &["default"]),
    ] {
        secrets.push(env.create_token(&NewToken { kind, environment, projects, ..NewToken::default() }));
    }
    secrets.extend(["Viewer", "Editor", "Admin"].map(|role| env.create_caller(role, role)));
    secrets.extend([PASSWORD.to_owned(), sign_in(env, server)]);
    for secret in &secrets {
        use_everywhere(server, secret);
    }
    for doomed in &secrets[2..4] {
        assert_eq!(server.delete_token(doomed).status, 200);
        use_everywhere(server, doomed);
    }
    server.create_token(NEEDLE);
    until_true("it is written when tokens were seen", || {
        server.tokens().iter().any(|token| !token["seenAt"].is_null())
    });
    secrets
}

/// Creates a user, sets the same password again by a command, and signs in; returns the secret in the cookie.
fn sign_in(env: &TestEnv, server: &Server) -> String {
    let user = json!({ "username": "ed", "password": PASSWORD, "rootRole": 3 });
    assert_eq!(server.as_admin(Request::post("/api/admin/user-admin", &user)).status, 201);
    env.run_with_input("user set-password --user ed --password-stdin", PASSWORD);
    let login = json!({ "username": "ed", "password": PASSWORD });
    let answer = server.send(&Request::post("/auth/simple/login", &login));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    let reading = Request::get("/api/admin/user").header("cookie", cookie);
    assert_eq!(server.send(&reading).status, 200);
    cookie.split_once('=').expect("a pair").1.to_owned()
}

/// Puts the secret into every part of a request that may hold one, mostly wrongly.
fn use_everywhere(server: &Server, secret: &str) {
    let path = percent_encoded(secret);
    for request in [
        Request::get(TOKENS).by(secret),
        Request::get(TOKENS).by(&format!("Bearer {secret}")),
        Request::get(TOKENS).by(&format!("{secret}x")),
        Request::delete(&format!("/api/admin/projects/nope/api-tokens/{path}")).by(ADMIN),
        Request::get(&format!("{TOKENS}/{path}")).by(ADMIN),
        Request::get(&format!("/nowhere/{path}?token={path}")),
        Request::get("/api/admin/user").header("cookie", &format!("latchkey-session={secret}x")),
        Request::post("/auth/simple/login", &json!({ "username": "ed", "password": secret })),
        Request::post(
            TOKENS,
            &json!({ "tokenName": 5, "type": secret, "environment": secret, "projects": [secret] }),
        )
        .by(ADMIN),
        Request::new("POST", TOKENS)
            .header("content-type", "application/json")
            .body(format!("{{\"a\": \"{secret}"))
            .by(ADMIN),
    ] {
        let answer = server.send(&request);
        assert!(answer.status < 500, "{}", answer.text());
    }
}

fn no_piece_of_a_secret_is_written(store: Store) {
    let env = TestEnv::on(store)
        .with("INIT_CLIENT_API_TOKENS", INIT_CLIENT)
        .with("LATCHKEY__LOG__LEVEL", "trace")
        .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
    let server = env.serve();
    let secrets = live(&env, &server);
    let pieces = Pieces::of(secrets.iter().map(String::as_str));

    let mut places = written(&env);
    let said = server.stop();
    places.extend(written(&env));
    let hay: Vec<u8> = places.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(hay.windows(NEEDLE.len()).any(|window| window == NEEDLE.as_bytes()), "these are not the bytes");
    for (place, bytes) in &places {
        pieces.assert_not_in(place, bytes);
    }
    assert!(said.contains("DEBUG"), "the log is not at its most talkative: {said:.2000}");
    for line in said.lines().chain(env.command_log().lines()) {
        pieces.assert_not_in(line, line.as_bytes());
    }
}

#[test]
fn no_piece_of_a_secret_is_written_on_sqlite() {
    no_piece_of_a_secret_is_written(Store::Sqlite);
}

#[test]
fn no_piece_of_a_secret_is_written_on_postgres() {
    no_piece_of_a_secret_is_written(Store::Postgres);
}

#[test]
fn a_generated_admin_token_is_in_its_file_alone() {
    use std::os::unix::fs::PermissionsExt;

    let env =
        TestEnv::on(Store::Sqlite).without("INIT_ADMIN_API_TOKENS").with("LATCHKEY__LOG__LEVEL", "trace");
    let server = env.serve();
    let file = env.directory().join("admin-token");
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = fs::read_to_string(&file).expect("the file");
    let secret = secret.trim();
    assert_eq!(server.send(&Request::get(TOKENS).by(secret)).status, 200);
    let pieces = Pieces::of([secret]);
    pieces.assert_not_in("the output", server.stop().as_bytes());
    for (place, bytes) in written(&env) {
        pieces.assert_not_in(&place, &bytes);
    }
}

fn secrets_shown_once_are_kept_nowhere(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__TOKENS__REVEAL", "once");
    let server = env.serve();
    let created = server.as_admin(Request::post(TOKENS, &json!({ "tokenName": NEEDLE, "type": "client" })));
    assert_eq!((created.status, &created.json()["secure"]), (201, &json!(true)), "{}", created.text());
    let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("default:development."), "{secret}");

    let listed = server.tokens();
    let id = listed[0]["secret"].as_str().expect("a text");
    assert_eq!((listed.len(), &listed[0]["secure"]), (1, &json!(true)));
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "the id of the token: {id}");
    assert_eq!(server.send(&Request::get(TOKENS).by(id)).status, 401, "an id is no secret");
    assert_eq!(server.send(&Request::get(TOKENS).by(&secret)).status, 403, "a client token");
    assert_eq!(Records::of(&env).count("api_tokens WHERE secret_sealed IS NOT NULL"), 0);

    assert_eq!(server.delete_token(id).status, 200);
    assert_eq!(server.delete_token(id).status, 404);
    assert!(server.tokens().is_empty());
    assert_eq!(server.send(&Request::get(TOKENS).by(&secret)).status, 401);
}

#[test]
fn secrets_shown_once_are_kept_nowhere_on_sqlite() {
    secrets_shown_once_are_kept_nowhere(Store::Sqlite);
}

#[test]
fn secrets_shown_once_are_kept_nowhere_on_postgres() {
    secrets_shown_once_are_kept_nowhere(Store::Postgres);
}
