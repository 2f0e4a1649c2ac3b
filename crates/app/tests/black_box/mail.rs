//! Mail to a real mail server, encrypted both ways: each recipient gets one digest a day, however many servers there are, and `latchkey
//! mail test` says what is in the way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    tls::Authority,
    wait::until_true,
};
use serde_json::{Value, json};

use crate::{
    database::Records,
    neighbors::{self, NeighborProcess},
};

const PASSWORD: &str = "open sesame";

/// A mail server, which knows the user `latchkey` with [`PASSWORD`].
struct MailServer(NeighborProcess);

impl MailServer {
    /// Starts one that is encrypted in this way, with a certificate in the directory of the environment.
    fn start(env: &TestEnv, tls: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/black_box/mail/server.py");
        let python = python();
        Self(NeighborProcess::start("aiosmtpd", |port| {
            let mut command: Command = neighbors::command(&python);
            command.arg(&script).arg(port.to_string()).arg(tls);
            if tls != "none" {
                command.arg(env.path("mail.pem")).arg(env.path("mail.key"));
            }
            command
        }))
    }

    fn port(&self) -> u16 {
        self.0.address.port()
    }

    /// Returns the messages that it has taken.
    fn taken(&self) -> Vec<Value> {
        let output = self.0.output();
        let lines = output.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// Returns the interpreter that has aiosmtpd: that of its command.
fn python() -> PathBuf {
    let program = fs::read_to_string(neighbors::installed("aiosmtpd")).expect("a script");
    let interpreter = program.lines().next().and_then(|line| line.strip_prefix("#!"));
    interpreter.expect("its interpreter").trim().into()
}

/// An environment whose mail goes to a server that is encrypted in this way. Digests are due hours from now.
fn env(store: Store, tls: &str) -> (TestEnv, MailServer) {
    let authority = Authority::new("an authority");
    let mut env = TestEnv::on(store).with_file("ca.pem", &authority.pem());
    authority.issue("localhost").write(env.directory(), "mail");
    let server = MailServer::start(&env, tls);
    for (name, value) in [
        ("LATCHKEY__MAIL__SERVER", "localhost"),
        ("LATCHKEY__MAIL__PORT", &*server.port().to_string()),
        ("LATCHKEY__MAIL__TLS", tls),
        ("LATCHKEY__MAIL__FROM", "latchkey@example.com"),
        ("LATCHKEY__MAIL__CONTACT", "contact@example.com"),
        ("LATCHKEY__MAIL__DIGEST_AT", &later()),
    ] {
        env.set(name, value);
    }
    if tls != "none" {
        env.set("LATCHKEY__MAIL__CA_FILE", "ca.pem");
        env.set("LATCHKEY__MAIL__USER", "latchkey");
        env.set("LATCHKEY_SMTP_PASSWORD", PASSWORD);
    }
    (env, server)
}

/// The time of day in half a day.
#[expect(
    clippy::disallowed_methods,
    reason = "the servers read the real clock, and nothing must be due by it"
)]
fn later() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let minutes = (now.as_secs() / 60 + 12 * 60) % (24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn leak(server: &Server, secret: &str) {
    let report = json!({ "tokens": [{ "token": secret, "url": "https://example.com/<x>?a=1&b=2" }] });
    let response = server.as_admin(Request::post("/api/admin/leaked-tokens", &report));
    assert_eq!(response.json()["tokens"][0]["live"], json!(true), "{}", response.text());
}

/// Three servers, leaks that are reported to all of them, and three recipients.
fn a_recipient_gets_one_digest_a_day(store: Store, tls: &str) {
    let (env, mail) = env(store, tls);
    let servers = [env.serve(), env.serve(), env.serve()];
    env.succeed("user create --email ed@example.com");
    env.succeed("grant --user ed@example.com --project default --role Owner");
    let token = json!({ "tokenName": "<web>", "type": "client", "owner": "Ops@Example.com" });
    let made = servers[0].as_admin(Request::post(TOKENS, &token)).json();
    let secret = made["secret"].as_str().expect("a secret");
    for _ in 0..3 {
        for server in &servers {
            leak(server, secret);
        }
    }
    let mut records = Records::of(&env);
    until_true("all leaks are filed", || records.count("mail_items") == 3 * 9);
    assert_eq!(records.count("mail_digests"), 3);
    assert!(mail.taken().is_empty(), "nothing is due");
    let due = match store {
        Store::Postgres => "UPDATE mail_digests SET due_at = 'epoch', next_at = 'epoch'",
        _ => "UPDATE mail_digests SET due_at = 0, next_at = 0",
    };
    assert!(records.try_execute(due));
    until_true("all digests are sent", || records.count("mail_digests WHERE state = 'delivered'") == 3);
    let mut received = mail.taken();
    received.sort_by_key(|message| message["to"].to_string());
    let recipients: Vec<_> =
        received.iter().map(|message| message["to"][0].as_str().expect("text")).collect();
    assert_eq!(recipients, ["Ops@Example.com", "contact@example.com", "ed@example.com"]);
    for message in &received {
        assert_eq!((&message["encrypted"], &message["authenticated"]), (&json!(true), &json!(true)));
        let headers = &message["headers"];
        assert_eq!(message["from"], json!("latchkey@example.com"));
        assert_eq!(headers["auto-submitted"], json!("auto-generated"));
        assert_eq!(headers["list-id"], json!("Latchkey <latchkey.example.com>"));
        let subject = headers["subject"].as_str().expect("text");
        assert!(subject.starts_with("Latchkey, 2") && subject.ends_with(": 9 events"), "{subject}");
        let part = |kind: &str| message["parts"][kind].as_str().expect("text").to_owned();
        let (text, html) = (part("text/plain"), part("text/html"));
        assert_eq!(text.matches("API token \"<web>\"").count(), 9, "{text}");
        assert_eq!(html.matches("API token &quot;&lt;web&gt;&quot;").count(), 9, "{html}");
        assert!(text.contains("at https://example.com/<x>?a=1&b=2."), "{text}");
        assert!(!text.contains(secret) && !html.contains(secret), "{text}");
    }
    // What happens on the rest of the day is said on another one.
    leak(&servers[1], secret);
    until_true("the leak is filed", || records.count("mail_digests WHERE state = 'waiting'") == 3);
    assert_eq!(records.count("mail_items"), 3 * 10);
    let metrics = servers.iter().map(|server| {
        let text = server.send(&Request::get("/metrics")).text();
        let line = text.lines().find_map(|line| line.strip_prefix(r#"latchkey_mails_total{result="sent"} "#));
        line.map_or(0.0, |number| number.parse::<f64>().expect("a number"))
    });
    assert!((metrics.sum::<f64>() - 3.0).abs() < f64::EPSILON);
    for server in servers {
        server.stop();
    }
    assert_eq!(mail.taken().len(), 3);
}

#[test]
fn a_recipient_gets_one_digest_a_day_by_starttls_on_sqlite() {
    a_recipient_gets_one_digest_a_day(Store::Sqlite, "starttls");
}

#[test]
fn a_recipient_gets_one_digest_a_day_by_tls_on_postgres() {
    a_recipient_gets_one_digest_a_day(Store::Postgres, "tls");
}

#[test]
fn a_test_message_says_what_the_server_answers() {
    for tls in ["starttls", "tls", "none"] {
        let (mut env, server) = env(Store::Sqlite, tls);
        let test = "mail test ed@example.com";
        assert_eq!(env.succeed(test), "The mail server answered: 250 taken", "{tls}");
        let received = server.taken();
        assert_eq!((received.len(), &received[0]["to"]), (1, &json!(["ed@example.com"])));
        assert_eq!(received[0]["encrypted"], json!(tls != "none"));
        assert_eq!(received[0]["headers"]["subject"], json!("Latchkey: a test"));
        assert!(!env.path("latchkey.db").exists(), "it needs no database");
        let error = env.fail("mail test refused@example.com", 1);
        assert!(
            error.contains("the message was not sent") && error.contains("5.1.1 no such mailbox"),
            "{error}"
        );
        if tls == "none" {
            env.set("LATCHKEY__MAIL__TLS", "starttls");
            let error = env.fail(test, 1);
            assert!(error.contains("STARTTLS is not supported on this server"), "{error}");
        } else {
            env.set("LATCHKEY_SMTP_PASSWORD", "wrong");
            let error = env.fail(test, 1);
            assert!(error.contains("535") && !error.contains("wrong"), "{error}");
            env.set("LATCHKEY_SMTP_PASSWORD", PASSWORD);
            env.set("LATCHKEY__MAIL__SERVER", "127.0.0.1");
            let error = env.fail(test, 1);
            assert!(error.contains("certificate"), "{error}");
            env.set("LATCHKEY__MAIL__SERVER", "localhost");
            env = env.with_file("ca.pem", &Authority::new("another").pem());
            let error = env.fail(test, 1);
            assert!(error.contains("certificate"), "{error}");
        }
        assert_eq!(server.taken().len(), 1);
    }
}

#[test]
fn settings_of_mail_that_do_not_fit_stop_the_start() {
    let env = || TestEnv::on(Store::Sqlite).with("LATCHKEY__MAIL__SERVER", "mail.example.com");
    let from = || env().with("LATCHKEY__MAIL__FROM", "latchkey@example.com");
    for (env, expected) in [
        (
            env(),
            "bad value for mail.from in default: it must be the address from which mail is sent, because mail.server is set",
        ),
        (from().with("LATCHKEY__MAIL__USER", "ed"), "mail.user needs a password: set LATCHKEY_SMTP_PASSWORD"),
        (
            from().with("LATCHKEY_SMTP_PASSWORD", "x"),
            "LATCHKEY_SMTP_PASSWORD is set, and mail.user is not: set both, or neither",
        ),
        (
            from().with("LATCHKEY__MAIL__USER", "ed").with("LATCHKEY__MAIL__TLS", "none"),
            "bad value for mail.tls in LATCHKEY__MAIL__TLS: mail.user needs starttls or tls: its password would cross the network in \
             the clear",
        ),
        (from().with("LATCHKEY__MAIL__CA_FILE", "nowhere.pem"), "mail.ca_file: nowhere.pem: No such file"),
        (
            from().with_file("empty.pem", "").with("LATCHKEY__MAIL__CA_FILE", "empty.pem"),
            "there is no certificate of an authority in PEM form",
        ),
    ] {
        for command in ["serve --port 0", "mail test ed@example.com"] {
            let error = env.fail(command, 1);
            assert!(error.contains(expected), "{command}: {error}");
        }
    }
    let error = TestEnv::on(Store::Sqlite).fail("mail test ed@example.com", 2);
    assert!(error.contains("no mail is sent: set mail.server and mail.from first"), "{error}");
    let error = from().fail("mail test no-address", 2);
    assert!(error.contains("an e-mail address must read name@domain"), "{error}");
}
