//! A database that becomes unavailable: a 503, a recovery, and nothing half-written.

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::{Request, Response},
    server::TOKENS,
    tls::{Authority, TlsClient},
    wait::until_true,
};

use crate::{
    database::Records,
    remote_server::{RemoteServer, assert_unavailable},
};

fn post(name: &str) -> Request {
    Request::post(TOKENS, &serde_json::json!({ "tokenName": name, "type": "client" }))
}

#[test]
fn without_its_database_the_server_responds_503_and_recovers() {
    let remote = RemoteServer::of(TestEnv::on(Store::Postgres));
    let pat = remote.env.create_caller("editor", "Editor");
    let secret = remote.server.create_token("before");
    assert_eq!(remote.server.tokens().len(), 1);

    remote.proxy.cut();
    assert_unavailable(&remote.answer_when_dead(&Request::get(TOKENS).by(ADMIN)), "list");
    assert_unavailable(&remote.server.as_admin(post("during")), "create");
    assert_unavailable(&remote.server.delete_token(&secret), "delete");
    // Whether these are valid is unknown now, so they are not refused as invalid.
    for credentials in [pat.as_str(), "default:development.never-seen", "user:never-seen"] {
        assert_unavailable(
            &remote.server.send(&Request::get(TOKENS).by(credentials)),
            "credentials never seen before",
        );
    }
    assert_eq!(remote.answer_when_dead(&Request::get("/ready")).status, 503);
    assert_eq!(remote.server.send(&Request::get("/health")).status, 200);
    // Requests that need no database get their usual response.
    assert_eq!(remote.server.send(&Request::get(TOKENS)).status, 401);

    assert!(remote.proxy.restore());
    until_true("readiness", || remote.server.send(&Request::get("/ready")).status == 200);
    let listed = remote.server.tokens();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["tokenName"], "before");
    assert_eq!(remote.server.send(&Request::get(TOKENS).by(&pat)).status, 200);
    assert_eq!(remote.server.send(&Request::get(TOKENS).by("default:development.never-seen")).status, 401);
    remote.server.create_token("after");
    assert_eq!(remote.server.delete_token(&secret).status, 200);
}

/// Cuts the connection after each number of messages in turn, so that every step of a mutation is the last one once.
fn cut_at_every_step(remote: &RemoteServer, act: impl Fn(usize) -> Response) {
    let mut records = Records::of(&remote.env);
    let mut cuts = 0;
    for step in 0..25 {
        until_true("readiness", || remote.server.send(&Request::get("/ready")).status == 200);
        remote.proxy.cut_after(step);
        let answer = act(step);
        if remote.proxy.restore() {
            cuts += 1;
        }
        if answer.status >= 300 {
            assert_unavailable(&answer, &format!("cut after {step} messages"));
        }
        until_true("readiness", || remote.server.send(&Request::get("/ready")).status == 200);
        assert_nothing_half_written(remote, &mut records, step);
    }
    assert!(cuts >= 3, "only {cuts} of the steps were cut");
}

fn assert_nothing_half_written(remote: &RemoteServer, records: &mut Records, step: usize) {
    let tokens = records.count("api_tokens");
    let (created, deleted) = (records.events("api-token-created"), records.events("api-token-deleted"));
    assert_eq!(tokens, created - deleted, "after a cut at step {step}: tokens, and events about them");
    assert_eq!(
        records.count("api_token_projects"),
        tokens - 1,
        "after a cut at step {step}: all but the admin token"
    );
    assert_eq!(remote.server.tokens().len(), tokens - 1, "after a cut at step {step}: listed");
    let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    until_true("no transaction is left open", || records.count(open) == 0);
}

#[test]
fn a_creation_that_is_cut_off_leaves_nothing_half_written() {
    let remote = RemoteServer::of(TestEnv::on(Store::Postgres));
    cut_at_every_step(&remote, |step| remote.server.as_admin(post(&format!("cut {step}"))));
}

#[test]
fn a_deletion_that_is_cut_off_leaves_nothing_half_written() {
    let remote = RemoteServer::of(TestEnv::on(Store::Postgres));
    let secrets: Vec<String> =
        (0..25).map(|number| remote.server.create_token(&format!("t{number}"))).collect();
    cut_at_every_step(&remote, |step| remote.server.delete_token(&secrets[step]));
}

/// A response that says to ask over TLS alone, and not to keep it.
#[track_caller]
fn assert_protected(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{}", response.text());
    let headers = ["strict-transport-security", "cache-control"].map(|name| response.header(name));
    assert_eq!(headers, [Some("max-age=31536000"), Some("no-store")]);
}

#[test]
fn every_response_over_tls_has_the_headers_that_protect_it() {
    let authority = Authority::new("ours");
    let env = TestEnv::on(Store::Postgres)
        .with("LATCHKEY__SERVER__TLS__CERTIFICATE", "server.pem")
        .with("LATCHKEY__SERVER__TLS__KEY", "server.key")
        .with("LATCHKEY__SERVER__REQUEST_TIMEOUT", "1s");
    authority.issue("localhost").write(env.directory(), "server");
    let remote = RemoteServer::of(env);
    let client = TlsClient::trusting(&authority);
    let send = |request: Request| client.send(remote.server.address(), &request).expect("a response");
    let validate = Request::post("/edge/validate", &serde_json::json!({ "tokens": [ADMIN] }));
    // In turn: by the router and on the short cut of frequent requests.
    assert_protected(&send(Request::get(TOKENS).by(ADMIN)), 200);
    assert_protected(&send(Request::get(TOKENS)), 401);
    assert_protected(&send(Request::get("/auth/verify").by(ADMIN)), 200);
    assert_protected(&send(validate), 200);
    assert_protected(&send(Request::get("/auth/verify")), 401);
    remote.proxy.freeze();
    assert_protected(&send(post("into silence").by(ADMIN)), 503);
    assert_protected(&send(Request::get("/auth/verify").by("default:development.never-seen")), 503);
    let log = remote.server.stop();
    assert!(log.contains(r#""route":"unfinished""#), "a handler was dropped: {log}");
}

#[test]
fn a_server_does_not_start_without_its_database_and_says_why() {
    let env = TestEnv::on(Store::Postgres).with("DATABASE_URL", "postgres://latchkey@127.0.0.1:1/nothing");
    let output = env.command("serve --port 0").output().expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("127.0.0.1:1") || said.contains("connect"), "{said}");
}
