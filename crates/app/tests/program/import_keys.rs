//! `latchkey import keys`.

use std::fs;

use latchkey_testkit::{env::TestEnv, raw_http::Request, server::Server, wait::until_true};
use serde_json::json;

/// A secret in the second form of Unleash, which the file has by its SHA-256 alone.
const V2: &str = "[]:production.v2_AAAAAAAAAAAAAAAAAAAAA__RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
const SELECTOR: &str = "AAAAAAAAAAAAAAAAAAAAA_";
const V2_SHA256: &str = "48dc1b94a1f8cf36b9c630232c188798bea2732c793377b3d8cdf6bc54217774";
/// A key of another system, by its SHA-256 alone.
const HASHED: &str = "sk_live_of-another-system-51Hx";
const HASHED_SHA256: &str = "b223eff0d68785e9a70d91f30c85a27967b592cf2423dad3f86453aa24f04c85";
const PLAIN: &str = "plain-key-of-another-system";

fn keys() -> String {
    let lines = [
        json!({"name": "v2", "type": "backend", "projects": ["shop", "default"], "environment": "production",
            "sha256": V2_SHA256, "selector": SELECTOR}),
        json!({"name": "hashed", "type": "frontend", "projects": ["*"], "environment": "development",
            "sha256": HASHED_SHA256.to_uppercase(), "description": "Ads"}),
        json!({"name": "plain", "type": "client", "projects": ["shop"], "environment": "development",
            "secret": PLAIN, "expiresAt": "2099-01-01T00:00:00Z"}),
        json!({"name": "old", "type": "client", "projects": ["shop"], "environment": "development",
            "secret": "expired-key-of-another-system", "expiresAt": "2001-01-01T00:00:00Z"}),
    ];
    lines.map(|line| format!("{line}\n")).concat()
}

fn env() -> TestEnv {
    let env = TestEnv::new().migrated().with_file("keys.jsonl", &keys());
    env.succeed("project create shop");
    env
}

/// Which of these secrets the server takes for valid.
fn valid(server: &Server, secrets: &[&str]) -> Vec<String> {
    let answer = server.send(&Request::post("/edge/validate", &json!({"tokens": secrets}))).json();
    let tokens = answer["tokens"].as_array().expect("tokens").clone();
    tokens.iter().map(|token| token["token"].as_str().expect("a secret").to_owned()).collect()
}

#[test]
fn clients_go_on_using_their_keys_and_a_second_import_changes_nothing() {
    let env = env();
    let admin = env.succeed("token create --type admin --name ops");
    let server = env.serve();
    let all = [V2, HASHED, PLAIN, "expired-key-of-another-system", SELECTOR, V2_SHA256];
    assert_eq!(valid(&server, &all), Vec::<String>::new());
    let dry = env.succeed("import keys --from keys.jsonl --dry-run");
    assert_eq!(dry, "4 would be imported, 0 here already, 0 here with other properties");
    assert_eq!(valid(&server, &all), Vec::<String>::new());
    let done = env.succeed("import keys --from keys.jsonl");
    assert_eq!(done, "4 imported, 0 here already, 0 here with other properties");
    until_true("the server knows the keys", || valid(&server, &all) == [V2, HASHED, PLAIN]);

    let mut listed = server.tokens_seen_by(&admin);
    listed.retain(|token| token["tokenName"] == "v2");
    assert_eq!(listed[0]["secret"], SELECTOR);
    assert_eq!((&listed[0]["projects"], &listed[0]["type"]), (&json!(["shop", "default"]), &json!("client")));
    drop(server);
    let server = env.serve();
    assert_eq!(valid(&server, &all), [V2, HASHED, PLAIN]);
    for input in [keys(), keys().replace("\"hashed\"", "\"renamed\"")] {
        let again = env.run_with_input("import keys --from -", &input);
        let (present, different) = if input == keys() { (4, 0) } else { (3, 1) };
        assert_eq!(
            again.stdout,
            format!("0 imported, {present} here already, {different} here with other properties\n")
        );
        assert_eq!(again.stderr.contains("line 2: the token "), different == 1, "{}", again.stderr);
    }
    drop(server);
    let hex = |digits: &str| {
        (0..32)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex"))
            .collect::<Vec<u8>>()
    };
    let files = fs::read_dir(env.path("data")).expect("files").map(|file| file.expect("a file").path());
    let stored: Vec<u8> = files.flat_map(|file| fs::read(file).expect("read")).collect();
    assert!(contains(&stored, SELECTOR.as_bytes()), "the search finds what is there");
    for needle in [hex(V2_SHA256), hex(HASHED_SHA256), V2_SHA256.into(), HASHED.into(), PLAIN.into()] {
        assert!(!contains(&stored, &needle), "{}", String::from_utf8_lossy(&needle));
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn every_line_with_a_fault_is_named_and_nothing_is_changed() {
    let faulty = [
        "{\"name\":\"a\"}",
        "",
        "no json",
        r#"{"name":"b","type":"client","projects":["nowhere"],"environment":"development","secret":"0123456789abcdef"}"#,
        r#"{"name":"c","type":"client","projects":["shop"],"environment":"development","secret":"0123456789abcdef-1"}"#,
        r#"{"name":"d","type":"client","projects":["shop"],"environment":"development","secret":"0123456789abcdef-1"}"#,
        r#"{"name":"e","type":"client","projects":["shop"],"environment":"moon","secret":"0123456789abcdef-2"}"#,
    ];
    let env = env().with_file("faulty.jsonl", &format!("{}{}", keys(), faulty.join("\n")));
    for line in ["import keys --from faulty.jsonl", "import keys --from faulty.jsonl --dry-run"] {
        let error = env.fail(line, 2);
        for expected in [
            "line 5: missing field `type`.",
            "line 7: expected ident.",
            "line 8: there is no project \"nowhere\": create it with `latchkey project create nowhere`, or name another.",
            "line 10: its secret or selector is that of line 9: leave one of them out.",
            "line 11: there is no environment \"moon\": create it, or name another.",
            "5 of the lines cannot be imported; nothing was changed",
        ] {
            assert!(error.contains(expected), "{expected}: {error}");
        }
        assert!(!error.contains("0123456789abcdef"), "{error}");
    }
    assert_eq!(
        env.succeed("import keys --from keys.jsonl"),
        "4 imported, 0 here already, 0 here with other properties"
    );
    let missing = env.fail("import keys --from nothing.jsonl", 1);
    assert!(missing.contains("nothing.jsonl cannot be read"), "{missing}");
}

#[test]
fn what_an_interrupted_import_has_written_is_not_written_again() {
    let env = env();
    let line = |number: usize| {
        json!({"name": format!("key {number}"), "type": "client", "projects": ["*"], "environment": "development",
            "secret": format!("key-of-another-system-{number}")}).to_string() + "\n"
    };
    let first: String = (0..1_000).map(line).collect();
    let whole: String = (0..2_500).map(line).collect();
    assert_eq!(env.run_with_input("import keys --from -", &first).code, Some(0));
    let rest = env.run_with_input("import keys --from -", &whole);
    assert_eq!(
        rest.stdout, "1500 imported, 1000 here already, 0 here with other properties\n",
        "{}",
        rest.stderr
    );
    let server = env.serve();
    assert_eq!(valid(&server, &["key-of-another-system-0", "key-of-another-system-2499"]).len(), 2);
}
