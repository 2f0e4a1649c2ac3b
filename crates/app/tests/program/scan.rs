//! `latchkey scan`.

use std::{fs, os::unix::fs::symlink, process::Stdio};

use latchkey_domain::{TokenAccess, TokenSecret};
use latchkey_testkit::env::{FAR_FUTURE, TestEnv};
use serde_json::{Value, json};

/// Returns a secret that no server knows.
fn secret(number: u8) -> String {
    TokenSecret::mint(&TokenAccess::Admin, [number; 24]).reveal().to_owned()
}

fn masked(secret: &str) -> String {
    TokenSecret::parse(secret).expect("a secret").masked()
}

/// An environment with a folder that has secrets in some files.
fn env() -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir_all(env.path("src/.hidden")).expect("a folder");
    for (name, text) in [
        ("src/a.yml", format!("url: x\ntoken: \"{}\"\n", secret(1))),
        ("src/.hidden/log", format!("GET /{} 200\n", secret(2).replace(':', "%3A"))),
        ("src/clean", "nothing: here, user:name and *:*.short\n".to_owned()),
        ("src/program", format!("\0 {}", secret(3))),
    ] {
        fs::write(env.path(name), text).expect("written");
    }
    symlink("a.yml", env.path("src/link")).expect("a link");
    env
}

#[test]
fn secrets_are_named_by_file_and_line_and_never_shown() {
    let env = env();
    let said = env.run("scan src");
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.stdout,
        format!(
            "src/.hidden/log:1: {} (API token)\nsrc/a.yml:2: {} (API token)\n",
            masked(&secret(2)),
            masked(&secret(1))
        )
    );
    assert_eq!(
        said.stderr,
        "Scanned 3 files, and left out 1 binary file.\n\
         latchkey: 2 secrets were found: revoke what is valid, then remove it\n"
    );
    let clean = env.run("scan src/clean src/program");
    assert_eq!((clean.code, &*clean.stdout), (Some(0), ""));
    for format in ["", "--json", "--sarif"] {
        let said = env.run(&format!("scan {format} src"));
        for number in 1..=3 {
            let random = secret(number)[7..].to_owned();
            assert!(!said.stdout.contains(&random) && !said.stderr.contains(&random), "{said:?}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_an_error_beside_what_was_found() {
    let env = env();
    let said = env.run("scan nowhere src/a.yml");
    assert_eq!(said.code, Some(2));
    assert!(said.stdout.starts_with("src/a.yml:2: "), "{said:?}");
    assert!(said.stderr.starts_with("latchkey: nowhere cannot be read: No such file"), "{said:?}");
    assert!(
        said.stderr.ends_with("1 secret was found, and not everything could be read: see above\n"),
        "{said:?}"
    );
    env.fail("scan", 2);
    env.fail("scan src --json --sarif", 2);
    env.fail("scan src --verify", 2);
}

#[test]
fn json_has_each_finding() {
    let env = env();
    let said = env.run("scan --json src/a.yml");
    assert_eq!(said.code, Some(1));
    let mut findings: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let digest = findings[0]["sha256"].take();
    assert_eq!(digest.as_str().map(str::len), Some(64));
    assert_eq!(
        findings,
        json!([{
            "path": "src/a.yml", "commit": null, "line": 2, "form": "api-token", "masked": masked(&secret(1)),
            "sha256": null, "status": null,
        }])
    );
    assert_eq!(env.succeed("scan --json src/clean"), "[]");
}

#[test]
fn sarif_has_rules_and_places() {
    let env = env();
    fs::write(env.path("src/with blank.txt"), secret(4)).expect("written");
    let said = env.run("scan --sarif src");
    assert_eq!(said.code, Some(1));
    let log: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!((&log["version"], &run["tool"]["driver"]["name"]), (&json!("2.1.0"), &json!("latchkey")));
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    let places: Vec<_> = results
        .iter()
        .map(|result| {
            assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
            let place = &result["locations"][0]["physicalLocation"];
            (
                place["artifactLocation"]["uri"].as_str().expect("a path"),
                place["region"]["startLine"].as_u64(),
            )
        })
        .collect();
    let expected = [("src/.hidden/log", Some(1)), ("src/a.yml", Some(2)), ("src/with%20blank.txt", Some(1))];
    assert_eq!(places, expected);
    let clean: Value = serde_json::from_str(&env.succeed("scan --sarif src/clean")).expect("JSON");
    assert_eq!(clean["runs"][0]["results"], json!([]));
}

#[test]
fn a_stream_is_text_or_the_history_of_git() {
    let env = TestEnv::new();
    let text = format!("\0one\n{}\n", secret(1));
    let said = env.run_with_input("scan -", &text);
    assert_eq!((said.code, &*said.stdout), (Some(1), &*format!("-:2: {} (API token)\n", masked(&secret(1)))));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let log = format!(
        "commit {commit}\nAuthor: A <a@example.com>\n\n    Message {}\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n\
         @@ -7 +7 @@\n-{}\n+fixed\n",
        secret(1),
        secret(2)
    );
    let said = env.run_with_input("scan -", &log);
    let expected = format!(
        "{commit}:line 4: {} (API token)\n{commit}:x:7: {} (API token)\n",
        masked(&secret(1)),
        masked(&secret(2))
    );
    assert_eq!((said.code, said.stdout), (Some(1), expected));
    assert_eq!(env.run_with_input("scan -", "").code, Some(0));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let env = env();
    let mut command = env.command("scan src");
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
    drop(process.stdout.take());
    assert_eq!(process.wait().expect("ended").code(), Some(1));
}

#[test]
fn a_server_says_which_are_valid_and_whose() {
    let env = TestEnv::new().migrated();
    env.create_project("shop");
    let token = env.succeed(&format!(
        "token create --type client --name web --project shop --environment production --expires-at {FAR_FUTURE}"
    ));
    let personal = env.create_caller("ed", "Viewer");
    let asking = env.succeed("token create --type client --name scanner");
    env.run_with_input("user set-password --user ed --password-stdin", "correct horse");
    let server = env.serve();
    let url = format!("http://{}", server.address());
    let cookie = server.sign_in("ed", "correct horse").expect("signed in");
    let (_, session) = cookie.split_once('=').expect("a value");
    let text = [&*token, &personal, session, &secret(1), &token].join("\n");
    let env = env.with_file("log", &text).with("LATCHKEY_TOKEN", &asking);
    let scan = format!("scan log --verify --url {url}");
    let said = env.run(&scan);
    let statuses: Vec<_> =
        said.stdout.lines().map(|line| line.split_once("), ").expect("a status").1).collect();
    let [of_token, user] = ["valid: client token \"web\" of shop in production", "valid: of user 1, ed"];
    assert_eq!(statuses, [of_token, user, user, "not valid", of_token], "{said:?}");
    assert_eq!(said.code, Some(1));

    let json: Value = serde_json::from_str(&env.run(&format!("{scan} --json")).stdout).expect("JSON");
    assert_eq!(json[0]["status"]["token"]["name"], "web");
    assert_eq!(
        (&json[1]["status"]["user"]["username"], &json[3]["status"]),
        (&json!("ed"), &json!({"live": false}))
    );

    let without = env.without("LATCHKEY_TOKEN");
    let error = without.fail(&scan, 2);
    assert!(error.contains("set LATCHKEY_TOKEN to an API token of this server"), "{error}");
    let wrong = without.with("LATCHKEY_TOKEN", &secret(9));
    let error = wrong.fail(&scan, 2);
    assert!(error.contains("the token in LATCHKEY_TOKEN may not ask"), "{error}");
    drop(server);
    wrong.fail(&scan, 2);
}
