//! TLS of the server: who trusts whom, which protocol is spoken, and new certificates while the server runs.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Command,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    process::{Signal, installed},
    raw_http::Request,
    server::{Server, TOKENS},
    tls::{Authority, TlsClient},
    wait::{until, until_true},
};
use serde_json::json;

/// An environment whose server has a certificate that the authority signed.
fn env_with(authority: &Authority) -> TestEnv {
    let env = TestEnv::on(Store::Sqlite)
        .with("LATCHKEY__SERVER__TLS__CERTIFICATE", "server.pem")
        .with("LATCHKEY__SERVER__TLS__KEY", "server.key");
    authority.issue("localhost").write(env.directory(), "server");
    fs::write(env.path("ca.pem"), authority.pem()).expect("written");
    env
}

fn list() -> Request {
    Request::get(TOKENS).by(ADMIN)
}

#[test]
fn clients_that_trust_the_authority_are_served() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let env = env_with(&ours);
    let server = env.serve();
    let response = TlsClient::trusting(&ours).send(server.address(), &list()).expect("a response");
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("strict-transport-security"), Some("max-age=31536000"));
    TlsClient::trusting(&theirs).connect(server.address()).expect_err("the client trusts another");
    list().send_to(server.address()).expect_err("there is no plain HTTP");
    let health = format!("health --url https://{}", server.address());
    assert_eq!(env.succeed(&health), r#"{"health":"GOOD"}"#);
    // The handshakes that failed cost nothing but themselves.
    assert_eq!(TlsClient::trusting(&ours).send(server.address(), &list()).expect("again").status, 200);
}

#[test]
fn cookies_of_encrypted_connections_are_for_those_alone() {
    let authority = Authority::new("ours");
    let server = env_with(&authority).serve();
    let client = TlsClient::trusting(&authority);
    let send = |request: Request| client.send(server.address(), &request).expect("a response");
    let user = json!({ "username": "ed", "password": "correct horse", "rootRole": 3 });
    assert_eq!(send(Request::post("/api/admin/user-admin", &user).by(ADMIN)).status, 201);
    let login = json!({ "username": "ed", "password": "correct horse" });
    let response = send(Request::post("/auth/simple/login", &login));
    let cookie = response.header("set-cookie").expect("a session");
    assert!(cookie.contains("; Secure"), "{cookie}");
}

/// Runs curl on these targets of the server with HTTP/2; prints protocol, status and the number of new connections for each.
fn curl(env: &TestEnv, server: &Server, targets: &[&str]) -> String {
    let mut command = Command::new(installed("curl", "curl").expect("curl"));
    command.args(["-sS", "--http2", "-H", &format!("Authorization: {ADMIN}")]);
    command.args(["--cacert", "ca.pem", "-w", "%{http_version} %{http_code} %{num_connects}\n"]);
    let port = server.address().port();
    command.args(["--resolve", &format!("localhost:{port}:127.0.0.1")]);
    for target in targets {
        command.args(["-o", "/dev/null", &format!("https://localhost:{port}{target}")]);
    }
    let output = command.current_dir(env.directory()).output().expect("curl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn http_2_is_spoken_with_clients_that_offer_it() {
    let authority = Authority::new("ours");
    let env = env_with(&authority);
    let server = env.serve();
    // One connection for all: a list, a verification, a refusal, and a long response.
    let targets = [TOKENS, "/auth/verify", "/nowhere", "/docs/openapi/swagger-ui-bundle.js"];
    assert_eq!(curl(&env, &server, &targets), "2 200 1\n2 200 0\n2 404 0\n2 200 0\n");
    for (offered, chosen) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let client = TlsClient::trusting(&authority).offering(offered);
        let connection = client.connect(server.address()).expect("connected");
        assert_eq!(connection.conn.alpn_protocol(), Some(chosen.as_bytes()));
    }
}

#[test]
fn an_idle_http_2_connection_does_not_delay_shutdown() {
    let authority = Authority::new("ours");
    // Longer than the test waits.
    let env = env_with(&authority).with("LATCHKEY__SERVER__SHUTDOWN_TIMEOUT", "10m");
    let server = env.serve();
    let client = TlsClient::trusting(&authority).offering(&["h2"]);
    let mut connection = client.connect(server.address()).expect("connected");
    // The preface of a client with empty settings (RFC 9113, section 3.4).
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("sent");
    connection.flush().expect("sent");
    let mut settings = [0; 9];
    connection.read_exact(&mut settings).expect("the server's settings");
    server.stop();
}

#[test]
fn a_new_certificate_is_used_after_sighup_and_open_connections_stay() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let env = env_with(&first);
    let server = env.serve();
    let mut open = TlsClient::trusting(&first).connect(server.address()).expect("connected");
    assert_eq!(list().kept().exchange(&mut open).expect("a response").status, 200);

    second.issue("localhost").write(env.directory(), "server");
    server.signal(Signal::HUP);
    until_true("the reload", || server.stderr().contains("the certificates of TLS were reloaded"));
    let response = TlsClient::trusting(&second).send(server.address(), &list()).expect("a new connection");
    assert_eq!(response.status, 200);
    TlsClient::trusting(&first).connect(server.address()).expect_err("the first is no longer used");
    assert_eq!(list().kept().exchange(&mut open).expect("a response").status, 200);
}

#[test]
fn a_new_certificate_is_used_when_the_files_change_and_a_broken_one_is_not() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let env = env_with(&first);
    let server = env.serve();
    let is_served = |by: &Authority| TlsClient::trusting(by).send(server.address(), &list()).is_ok();
    fs::write(env.path("server.key"), "no key").expect("written");
    let line = until("an error", || {
        let log = server.stderr();
        log.lines().find(|line| line.contains("could not be reloaded")).map(str::to_owned)
    });
    assert!(line.contains("ERROR") && line.contains("server.key"), "{line}");
    assert!(is_served(&first));

    second.issue("localhost").write(env.directory(), "server");
    until_true("the new certificate", || is_served(&second));
    assert!(!is_served(&first));
    server.stop();
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    let env = env_with(&Authority::new("ours"));
    fs::write(env.path("server.pem"), "no certificate").expect("written");
    let error = env.fail("serve --port 0 --log-level off", 1);
    assert!(
        error.starts_with(
            "latchkey: server.tls.certificate cannot be used: the file server.pem has no certificate"
        ),
        "{error}"
    );
    assert!(!env.path("latchkey.db").exists(), "nothing is made before");
    let error = env.with("LATCHKEY__SERVER__TLS__KEY", "").fail("serve --port 0", 1);
    assert!(error.contains("bad value for server.tls.key in"), "{error}");
}

#[test]
fn verification_can_demand_a_client_certificate() {
    let (ours, clients, others) =
        (Authority::new("ours"), Authority::new("clients"), Authority::new("others"));
    let env = env_with(&ours).with("LATCHKEY__SERVER__TLS__CLIENT_AUTHORITIES", "clients.pem");
    fs::write(env.path("clients.pem"), clients.pem()).expect("written");
    let server = env.serve();
    let form = Request::new("POST", "/oauth2/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={ADMIN}"));
    let verifications = [
        Request::get("/auth/verify").by(ADMIN),
        Request::get("/auth/verify/").by(ADMIN),
        Request::get("/auth/verify/original/path").by(ADMIN),
        Request::post("/edge/validate", &json!({ "tokens": [ADMIN] })),
        form.by(ADMIN),
    ];
    let without = TlsClient::trusting(&ours);
    let with = TlsClient::with_identity(&ours, &clients.issue("gateway"));
    for request in &verifications {
        let refused = without.send(server.address(), request).expect("a response");
        assert_eq!((refused.status, refused.kind().as_str()), (403, "NoAccessError"), "{request:?}");
        assert!(refused.text().contains("client certificate"), "{}", refused.text());
        let accepted = with.send(server.address(), request).expect("a response");
        assert_eq!(accepted.status, 200, "{request:?}: {}", accepted.text());
    }
    // Other routes do not ask for one.
    for request in [list(), Request::get("/ready"), Request::get("/docs/openapi.json")] {
        assert_eq!(without.send(server.address(), &request).expect("a response").status, 200, "{request:?}");
    }
    // A certificate of another authority is refused before there is a request.
    let stranger = TlsClient::with_identity(&ours, &others.issue("gateway"));
    stranger.send(server.address(), &list()).expect_err("its certificate is not trusted");
}
