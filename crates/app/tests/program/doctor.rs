//! `latchkey doctor`: each kind of finding, and that it changes nothing.

use std::{fs, os::unix::fs::PermissionsExt as _};

use latchkey_testkit::env::TestEnv;
use serde_json::Value;

/// The findings as `level check: text`.
fn findings(env: &TestEnv, code: i32) -> Vec<String> {
    let said = env.run("doctor --json");
    assert_eq!(said.code, Some(code), "{said:?}");
    let findings: Vec<Value> = serde_json::from_str(&said.stdout).expect("a list");
    let text = |finding: &Value, member: &str| finding[member].as_str().expect("text").to_owned();
    findings
        .iter()
        .map(|finding| {
            let [level, check, text] = ["level", "check", "text"].map(|member| text(finding, member));
            format!("{level} {check}: {text}")
        })
        .collect()
}

#[track_caller]
fn has(findings: &[String], start: &str, part: &str) {
    let found = findings.iter().any(|finding| finding.starts_with(start) && finding.contains(part));
    assert!(found, "{start}… {part} not in {findings:#?}");
}

fn set_mode(env: &TestEnv, name: &str, mode: u32) {
    fs::set_permissions(env.path(name), fs::Permissions::from_mode(mode)).expect("changed");
}

#[test]
fn a_healthy_database_has_no_problem() {
    let env = TestEnv::new();
    let new = findings(&env, 0);
    has(&new, "warning database: ", "the first start creates it");
    assert!(!env.path("data").exists(), "nothing is created");
    let env = env.migrated();
    let healthy = findings(&env, 0);
    for check in
        ["configuration", "server", "master key", "database", "migrations", "secrets", "files", "disk"]
    {
        has(&healthy, &format!("ok {check}: "), "");
    }
    assert!(env.succeed("doctor").lines().all(|line| line.starts_with("ok ")));
}

#[test]
fn a_bad_setting_is_the_only_finding() {
    let env = TestEnv::new().with("LATCHKEY__SERVER__PORT", "http");
    let findings = findings(&env, 1);
    assert_eq!(findings.len(), 1);
    has(&findings, "error configuration: bad value for server.port", "LATCHKEY__SERVER__PORT");
    assert!(env.run("doctor").stderr.contains("there is an error"));
}

#[test]
fn plain_http_for_others_is_a_warning() {
    let env = TestEnv::new().with("LATCHKEY__SERVER__LISTEN", "0.0.0.0");
    has(&findings(&env, 0), "warning server: plain HTTP on 0.0.0.0:4242", "set server.tls.certificate");
    let env = env.with("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1");
    has(&findings(&env, 0), "ok server: plain HTTP", "");
}

#[test]
fn certificates_are_checked() {
    let certificate = |year: i32| {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        (parameters.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
    };
    let (certificate_now, key_now) = certificate(2999);
    let env = TestEnv::new()
        .with_file("server.pem", &certificate_now)
        .with_file("server.key", &key_now)
        .with("LATCHKEY__SERVER__TLS__CERTIFICATE", "server.pem")
        .with("LATCHKEY__SERVER__TLS__KEY", "server.key");
    set_mode(&env, "server.key", 0o644);
    let good = findings(&env, 0);
    has(&good, "ok server: the certificate server.pem is valid until 2999-01-01T00:00:00", "");
    has(&good, "warning server: others can read server.key", "chmod 600 server.key");
    let (expired, key) = certificate(2001);
    let env = env.with_file("server.pem", &expired).with_file("server.key", &key);
    has(&findings(&env, 1), "error server: the certificate server.pem expired at 2001-01-01", "renew it");
    let env = env.with_file("server.key", &key_now);
    has(&findings(&env, 1), "error server: ", "cannot be used together");
}

#[test]
fn keys_are_checked() {
    let env = TestEnv::new().migrated();
    env.succeed("token create --type client --name a");
    set_mode(&env, "data/latchkey.key", 0o644);
    has(&findings(&env, 1), "error master key: ", "chmod 600");
    let mut env = env.with("LATCHKEY_MASTER_KEY", &"ab".repeat(32));
    has(&findings(&env, 1), "error secrets: ", "is not configured");
    set_mode(&env, "data/latchkey.key", 0o600);
    let old = fs::read_to_string(env.path("data/latchkey.key")).expect("the key");
    env.set("LATCHKEY_MASTER_KEY", &format!("{},{old}", "ab".repeat(32)));
    has(&findings(&env, 0), "warning secrets: ", "is still needed");
    fs::remove_file(env.path("data/latchkey.key")).expect("removed");
    let env = env.without("LATCHKEY_MASTER_KEY").with("X", "");
    has(&findings(&env, 1), "error master key: the database has one", "put the file back");
    let postgres = TestEnv::new().with("DATABASE_URL", "postgres://u:hush@127.0.0.1:1/d");
    let findings = findings(&postgres, 1);
    has(&findings, "error master key: The master key is missing", "");
    has(&findings, "error database: postgres://u:***@127.0.0.1:1/d", "Connection refused");
    assert!(!findings.concat().contains("hush"));
}

#[test]
fn files_are_checked() {
    let env = TestEnv::new();
    env.serve().stop();
    has(&findings(&env, 0), "warning files: the first admin token is still in data/admin-token", "delete");
    set_mode(&env, "data/latchkey.db", 0o644);
    has(&findings(&env, 0), "warning files: others can read data/latchkey.db", "chmod 600");
    let env =
        TestEnv::new().with_file("latchkey.toml", "[database]\nurl = \"postgres://u:hush@127.0.0.1:1/d\"\n");
    set_mode(&env, "latchkey.toml", 0o644);
    has(&findings(&env, 1), "warning configuration: latchkey.toml may hold the password", "chmod 600");
}

// The file system of /proc has no free space on any machine, so this needs neither a full disk nor a mount.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let env = TestEnv::new().with("DATABASE_URL", "sqlite:///proc/latchkey/latchkey.db");
    has(&findings(&env, 1), "error disk: 0 MiB are free for the database", "make room");
}
