use super::*;

fn banner_at(reach: &Reach, access: &Access) -> String {
    let database = "sqlite://data/latchkey.db".parse().expect("a URL");
    banner(reach, None, &database, access)
}

fn local() -> Reach {
    Reach { url: "http://127.0.0.1:4242".to_owned(), socket: None }
}

fn banner_of(access: &Access) -> String {
    banner_at(&local(), access)
}

#[test]
fn through_a_unix_domain_socket_the_example_call_names_it() {
    let reach = Reach { url: "http://localhost".to_owned(), socket: Some("/run/latchkey.sock".into()) };
    let text = banner_at(&reach, &Access::Known);
    assert!(text.contains(" serves on unix:/run/latchkey.sock (SQLite"), "{text}");
    assert!(
        text.contains(
            "curl --unix-socket /run/latchkey.sock -H \"Authorization: $TOKEN\" http://localhost/api/"
        ),
        "{text}"
    );
    assert!(!text.contains("docs/openapi"), "{text}");
}

#[test]
fn the_banner_has_the_address_and_an_example_call() {
    let text = banner_of(&Access::Known);
    assert!(text.starts_with("Latchkey "), "{text}");
    assert!(text.contains(" serves on http://127.0.0.1:4242 (SQLite in data/latchkey.db)\n"), "{text}");
    let call = "\n    curl -H \"Authorization: $TOKEN\" http://127.0.0.1:4242/api/admin/projects/default/api-tokens\n";
    assert!(text.contains(call), "{text}");
}

#[test]
fn the_banner_says_how_to_replace_a_lost_token_where_a_command_can() {
    let text = banner_of(&Access::Known);
    assert!(text.ends_with("\n    latchkey token create --type admin --name ops"), "{text}");
    let in_memory = banner(&local(), None, &Database::Memory, &Access::Known);
    assert!(!in_memory.contains("latchkey token create"), "{in_memory}");
}

#[test]
fn on_a_terminal_the_secret_and_an_example_call_are_shown() {
    let secret = TokenSecret::parse("*:*.abc").expect("a secret");
    let text = banner_of(&Access::Shown(secret));
    assert!(text.contains("\n    *:*.abc\n"), "{text}");
    assert!(text.contains("curl -H 'Authorization: *:*.abc' http://127.0.0.1:4242/"), "{text}");
}

#[test]
fn without_a_terminal_the_example_call_reads_the_file() {
    let in_file = |path: &str| banner_of(&Access::InFile { path: path.into(), is_new: true });
    assert!(in_file("data/admin-token").contains("curl -H \"Authorization: $(cat data/admin-token)\" http"));
    assert!(in_file("my data/admin-token").contains("$(cat 'my data/admin-token')"));
    assert!(in_file("it's/admin-token").contains(r"$(cat 'it'\''s/admin-token')"));
}

#[test]
fn without_a_token_the_banner_says_how_to_create_one() {
    let reachable = banner_of(&Access::None { database_can_be_reached: true });
    assert!(reachable.contains("latchkey token create --type admin --name ops"), "{reachable}");
    let unreachable = banner_of(&Access::None { database_can_be_reached: false });
    assert!(
        unreachable.contains("INIT_ADMIN_API_TOKENS") && !unreachable.contains("token create"),
        "{unreachable}"
    );
}

#[test]
fn a_malformed_secret_of_edge_stops_the_start_and_is_not_shown() {
    let read = |secret: &str| edge_client(&EnvVars::from([("EDGE_CLIENT_SECRET", secret)]));
    assert!(read("").expect("none").is_none());
    assert!(read("aGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8").expect("good").is_some());
    for bad in ["hush-hush", "hush+hush/hush+hush/hush+hush/hush+hush/hush"] {
        let error = format!("{:#}", read(bad).expect_err("malformed"));
        assert!(error.starts_with("EDGE_CLIENT_SECRET: it must be at least 32 bytes"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn keys_of_reports_are_read_from_files_of_pem() {
    // `openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout`.
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcqt4hZBTK36EESkA8xxb8mmHR4n0\n\
        nJcnP9im9MJaKly7Gi4n0IE8drUsvkjdLpWDzjcINKU5jJYnwGltUIBb6Q==\n-----END PUBLIC KEY-----\n";
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("written");
        vec![("id".to_owned(), directory.path().join(name))]
    };
    assert!(report_keys(&[]).expect("none").is_empty());
    assert_eq!(report_keys(&file("good.pem", P256)).expect("a key").len(), 1);
    for (name, text) in [("short.pem", P256.replace("MFkw", "MFow")), ("none.pem", String::new())] {
        let error = format!("{:#}", report_keys(&file(name, &text)).expect_err("no key"));
        assert!(error.starts_with("leaks.github_keys: ") && error.contains(name), "{error}");
    }
}

#[test]
fn init_tokens_are_read_from_every_variable() {
    let variables =
        EnvVars::from([("INIT_BACKEND_API_TOKENS", "*:development.some-secret-0123456789-0123456789-0123")]);
    assert!(!init_tokens(&variables, 32).expect("good").is_empty());
    assert!(init_tokens(&EnvVars::from([("INIT_ADMIN_API_TOKENS", "")]), 32).expect("none").is_empty());
}

#[test]
fn a_malformed_init_token_is_reported_by_its_position_and_not_shown() {
    let variables = EnvVars::from([("INIT_ADMIN_API_TOKENS", "*:*.good-secret,hush-hush")]);
    let error = init_tokens(&variables, 32).expect_err("malformed").to_string();
    assert!(error.starts_with("INIT_ADMIN_API_TOKENS: entry 2: "), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn the_banner_of_a_verifier_shows_what_it_serves() {
    let text = banner_of(&Access::Verification);
    assert!(text.contains("It verifies tokens and serves nothing else"), "{text}");
    assert!(
        text.contains("    curl -i -H \"Authorization: $TOKEN\" http://127.0.0.1:4242/auth/verify"),
        "{text}"
    );
    assert!(!text.contains("/api/admin") && !text.contains("docs/openapi"), "{text}");
}
