//! `server.verify_listen`: an address that serves verification only.

use std::{fs, net::SocketAddr, os::unix::net::UnixStream};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{OF_VERIFICATION, Server, TOKENS},
    tls::{Authority, TlsClient},
};
use serde_json::json;

/// Returns the address that serves verification only, which the server prints.
fn verify_address(server: &Server) -> SocketAddr {
    let output = server.stdout();
    let line = output.lines().find_map(|line| line.strip_prefix("Verification only: http"));
    let (_, address) = line.and_then(|line| line.split_once("://")).expect("the address is printed");
    address.parse().expect("an address")
}

fn two_listeners() -> (Server, SocketAddr) {
    let server = TestEnv::on(Store::Sqlite).with("LATCHKEY__SERVER__VERIFY_LISTEN", "127.0.0.1:0").serve();
    let address = verify_address(&server);
    (server, address)
}

fn introspection() -> Request {
    Request::new("POST", "/oauth2/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={ADMIN}"))
        .by(ADMIN)
}

#[test]
fn both_addresses_serve_verification() {
    let (server, verify) = two_listeners();
    for address in [server.address(), verify] {
        for request in [
            Request::get("/auth/verify").by(ADMIN),
            Request::new("OPTIONS", "/auth/verify").by(ADMIN),
            Request::get("/auth/verify/original/path").by(ADMIN),
            Request::post("/edge/validate", &json!({ "tokens": [ADMIN] })),
            introspection(),
            Request::get("/health"),
            Request::get("/ready"),
        ] {
            let response = request.send_to(address).expect("a response");
            assert_eq!(response.status, 200, "{request:?} at {address}: {}", response.text());
        }
    }
    // A token that is revoked on one address is refused on the other.
    let secret = server.create_token("web");
    let status = || Request::get("/auth/verify").by(&secret).send_to(verify).expect("a response").status;
    assert_eq!(status(), 200);
    assert_eq!(server.delete_token(&secret).status, 200);
    assert_eq!(status(), 401);
}

#[test]
fn no_other_operation_is_served_where_verification_is() {
    let (server, verify) = two_listeners();
    let document = server.send(&Request::get("/docs/openapi.json")).json();
    let mut count = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if OF_VERIFICATION.contains(&path.as_str()) {
            continue;
        }
        let target: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for method in operations.as_object().expect("operations").keys() {
            count += 1;
            for target in [target.clone(), format!("{target}/")] {
                let request = Request::new(&method.to_uppercase(), &target).by(ADMIN);
                let response = request.send_to(verify).expect("a response");
                assert_eq!(
                    (response.status, response.kind().as_str()),
                    (404, "NotFoundError"),
                    "{method} {target}"
                );
                // Without credentials, the response is the same.
                let response =
                    Request::new(&method.to_uppercase(), &target).send_to(verify).expect("a response");
                assert_eq!(response.status, 404, "{method} {target}");
            }
        }
    }
    assert!(count > 60, "{count} operations");
    for target in [
        "/",
        "/docs",
        "/docs/openapi/",
        "/docs/openapi.json",
        "/internal-backstage/prometheus",
        "/metrics",
        "/api",
    ] {
        assert_eq!(Request::get(target).send_to(verify).expect("a response").status, 404, "{target}");
    }
    assert_eq!(server.status(TOKENS, ADMIN), 200);
}

#[test]
fn tls_is_for_both_addresses_and_a_unix_domain_socket_is_plain() {
    let authority = Authority::new("ours");
    let mut env = TestEnv::on(Store::Sqlite)
        .with("LATCHKEY__SERVER__TLS__CERTIFICATE", "server.pem")
        .with("LATCHKEY__SERVER__TLS__KEY", "server.key")
        .with("LATCHKEY__SERVER__TLS__CLIENT_AUTHORITIES", "ca.pem")
        .with("LATCHKEY__SERVER__VERIFY_LISTEN", "127.0.0.1:0");
    authority.issue("localhost").write(env.directory(), "server");
    fs::write(env.path("ca.pem"), authority.pem()).expect("written");
    let verification = Request::get("/auth/verify").by(ADMIN);
    let server = env.serve();
    let gateway = TlsClient::with_identity(&authority, &authority.issue("gateway"));
    let response = gateway.send(verify_address(&server), &verification).expect("a response");
    assert_eq!(response.status, 200);
    let stranger = TlsClient::trusting(&authority).send(verify_address(&server), &verification);
    assert_eq!(stranger.expect("a response").status, 403);
    server.stop();

    env.set("LATCHKEY__SERVER__VERIFY_LISTEN", "unix:verify.sock");
    let _server = env.serve();
    let socket = UnixStream::connect(env.path("verify.sock")).expect("it listens");
    assert_eq!(verification.exchange(socket).expect("a response").status, 200);
    let socket = UnixStream::connect(env.path("verify.sock")).expect("it listens");
    assert_eq!(Request::get(TOKENS).by(ADMIN).exchange(socket).expect("a response").status, 404);
}

#[test]
fn an_address_in_use_stops_the_start_and_its_setting_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    for (variable, setting) in [
        ("LATCHKEY__SERVER__VERIFY_LISTEN", "server.verify_listen"),
        ("LATCHKEY__METRICS__LISTEN", "metrics.listen"),
    ] {
        let env = TestEnv::new().with(variable, &address);
        let error = env.fail("serve --port 0 --log-level off", 1);
        let expected = "is in use: stop the program that uses it, or choose another port";
        assert_eq!(error.trim_end(), format!("latchkey: {address} {expected} ({setting})"));
        assert!(!env.path("data").exists());
        let error = TestEnv::new().with(variable, "10.0.0.1").fail("serve", 1);
        let expected = "\"10.0.0.1\" is not an IP address and a port, such as 10.0.0.5:4243, or unix: and a path, or empty";
        assert_eq!(error.trim_end(), format!("latchkey: bad value for {setting} in {variable}: {expected}"));
    }
}
