//! The first start in an empty directory, and later starts.

use std::{fs, os::unix::fs::PermissionsExt as _};

use latchkey_testkit::{env::TestEnv, process::Signal, server::TOKENS};

fn mode(env: &TestEnv, name: &str) -> u32 {
    fs::metadata(env.path(name)).expect(name).permissions().mode() & 0o777
}

#[test]
fn without_a_terminal_the_first_admin_token_is_put_into_a_file_and_never_printed() {
    let env = TestEnv::new();
    let server = env.serve();
    let secret = fs::read_to_string(env.path("data/admin-token")).expect("the file");
    let secret = secret.trim();
    assert_eq!(server.status(TOKENS, secret), 200);
    assert_eq!((mode(&env, "data/admin-token"), mode(&env, "data/latchkey.key")), (0o600, 0o600));
    let line =
        format!("curl -H \"Authorization: $(cat data/admin-token)\" http://{}{TOKENS}", server.address());
    assert!(server.stdout().contains(&line), "{}", server.stdout());
    for said in [server.stdout(), server.stderr()] {
        assert!(!said.contains(secret), "{said}");
    }
    server.signal(Signal::TERM);
    server.wait();

    // Later starts create no other token.
    let server = env.serve();
    assert_eq!(server.status(TOKENS, secret), 200);
    assert!(server.stdout().contains("$(cat data/admin-token)"), "{}", server.stdout());
    drop(server);
    fs::remove_file(env.path("data/admin-token")).expect("deleted, as the start asks");
    let server = env.serve();
    assert!(!env.path("data/admin-token").exists());
    assert!(server.stdout().contains("Authorization: $TOKEN"), "{}", server.stdout());
}

#[test]
fn a_crash_between_the_file_and_the_token_loses_nothing() {
    let env = TestEnv::new();
    drop(env.serve());
    let secret = fs::read_to_string(env.path("data/admin-token")).expect("the file");
    for name in ["latchkey.db", "latchkey.db-wal", "latchkey.db-shm"] {
        let _ = fs::remove_file(env.path(&format!("data/{name}")));
    }
    let server = env.serve();
    assert_eq!(server.status(TOKENS, secret.trim()), 200);
}

#[test]
fn init_tokens_are_made_on_the_first_start_only() {
    let env = TestEnv::new()
        .with(
            "INIT_ADMIN_API_TOKENS",
            "*:*.first-admin-0123456789-0123456789-0123, *:*.second-admin-0123456789-0123456789-0123",
        )
        .with("INIT_BACKEND_API_TOKENS", "default:development.backend-secret-0123456789-0123456789-0123");
    let server = env.serve();
    for (secret, expected) in [
        ("*:*.first-admin-0123456789-0123456789-0123", 200),
        ("*:*.second-admin-0123456789-0123456789-0123", 200),
        ("default:development.backend-secret-0123456789-0123456789-0123", 403),
        ("*:*.third-admin-0123456789-0123456789-0123", 401),
    ] {
        assert_eq!(server.status(TOKENS, secret), expected, "{secret}");
    }
    assert!(!env.path("data/admin-token").exists());
    assert!(!server.stdout().contains("first-admin") && !server.stderr().contains("first-admin"));
    drop(server);
    let env = env.with("INIT_ADMIN_API_TOKENS", "*:*.third-admin-0123456789-0123456789-0123");
    let server = env.serve();
    assert_eq!(server.status(TOKENS, "*:*.third-admin-0123456789-0123456789-0123"), 401);
    assert_eq!(server.status(TOKENS, "*:*.first-admin-0123456789-0123456789-0123"), 200);
    assert!(server.stderr().contains("INIT_*_API_TOKENS are ignored"), "{}", server.stderr());
}

#[test]
fn short_init_tokens_can_be_allowed() {
    let env = TestEnv::new()
        .with("INIT_ADMIN_API_TOKENS", "*:*.unleash-insecure-admin")
        .with("LATCHKEY__TOKENS__MIN_INIT_LENGTH", "20");
    assert_eq!(env.serve().status(TOKENS, "*:*.unleash-insecure-admin"), 200);
}

#[test]
fn a_malformed_init_token_stops_the_start_and_is_not_shown() {
    for (variable, list, expected) in [
        ("INIT_ADMIN_API_TOKENS", "*:*.good-hush,hush", "INIT_ADMIN_API_TOKENS: entry 2: "),
        (
            "INIT_ADMIN_API_TOKENS",
            "*:*.hush-hush",
            "INIT_ADMIN_API_TOKENS: entry 1: the secret is shorter than 32 char",
        ),
        ("INIT_CLIENT_API_TOKENS", "*:*.hush-hush", "INIT_CLIENT_API_TOKENS: entry 1: "),
        ("INIT_FRONTEND_API_TOKENS", "[]:development.hush", "INIT_FRONTEND_API_TOKENS: entry 1: "),
        (
            "INIT_CLIENT_API_TOKENS",
            "nowhere:development.hush-0123456789-0123456789-0123456789-0123",
            "No project found with id \"nowhere\".",
        ),
    ] {
        let error = TestEnv::new().with(variable, list).fail("serve --port 0 --log-level off", 1);
        assert!(error.contains(expected) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn in_memory_a_start_says_how_to_get_a_token() {
    for url in ["memory:", "sqlite::memory:"] {
        let server = TestEnv::new().with("DATABASE_URL", url).serve();
        assert!(server.stdout().contains("INIT_ADMIN_API_TOKENS"), "{}", server.stdout());
        let env = TestEnv::new()
            .with("DATABASE_URL", url)
            .with("INIT_ADMIN_API_TOKENS", "*:*.some-admin-0123456789-0123456789-0123");
        assert_eq!(env.serve().status(TOKENS, "*:*.some-admin-0123456789-0123456789-0123"), 200, "{url}");
    }
}

#[test]
fn a_start_on_an_address_in_use_leaves_nothing_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let env = TestEnv::new();
    let error = env.fail(&format!("serve --log-level off --port {port}"), 1);
    let expected =
        format!("latchkey: 127.0.0.1:{port} is in use: stop the program that uses it, or choose another");
    assert!(error.starts_with(&expected), "{error}");
    assert!(!env.path("data").exists(), "nothing is made before the address is known to be free");
}

#[test]
fn the_log_is_json_without_a_terminal_and_human_on_request() {
    let server = TestEnv::new().serve();
    let log = server.stderr();
    let line: serde_json::Value = serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    assert_eq!((line["level"].as_str(), line["message"].as_str()), (Some("INFO"), Some("serving")));
    assert_eq!(line["address"].as_str(), Some(server.address().to_string().as_str()));
    let env = TestEnv::new();
    let server = env.serve_with("--log-format human");
    assert!(server.stderr().contains(" INFO latchkey::serve: serving "), "{}", server.stderr());
}
