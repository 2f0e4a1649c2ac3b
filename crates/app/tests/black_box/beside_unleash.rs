//! nginx in front of Latchkey and Unleash, exactly as `deploy/unleash/nginx.conf` says, and in front of files with flags, as
//! `docs/guide/beside-unleash.md` shows.

use std::{fs, net::SocketAddr, process::Command};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{ADMIN, TOKENS},
    wait::until_true,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    neighbors::{NeighborProcess, Stub},
    nginx,
    reverse_proxies::{nginx_with, stands_in_front_of_latchkey},
};

const DOCUMENT: &str = include_str!("../../../../docs/guide/beside-unleash.md");

fn nginx_before(directory: &TempDir, port: u16, latchkey: SocketAddr, unleash: SocketAddr) -> Command {
    let addresses = [
        ("127.0.0.1:4242 max_fails", format!("{latchkey} max_fails")),
        ("127.0.0.1:4343;", format!("{unleash};")),
    ];
    nginx_with(("unleash/nginx.conf", "/etc/ssl/unleash.pem"), directory, port, &addresses)
}

#[test]
fn nginx_stands_in_front_of_latchkey_and_unleash() {
    stands_in_front_of_latchkey("nginx", |directory, port, latchkey| {
        nginx_before(directory, port, latchkey, latchkey)
    });
}

#[test]
fn each_request_reaches_the_server_that_knows_the_answer() {
    let env = TestEnv::on(Store::Sqlite);
    let (latchkey, unleash) = (env.serve(), Stub::echo());
    let directory = tempfile::tempdir().expect("a directory for nginx");
    let nginx = NeighborProcess::start("nginx", |port| {
        nginx_before(&directory, port, latchkey.address(), unleash.address)
    });
    let reaches_unleash = |method: &str, target: &str| {
        let before = unleash.requests();
        Request::new(method, target).by(ADMIN).send_to(nginx.address).expect("nginx answers");
        unleash.requests() > before
    };
    for target in [
        "/auth/simple/login",
        "/auth/verify",
        "/auth/reset/validate-password",
        "/logout",
        "/oauth2/introspect",
        "/edge/validate",
        "/edge/issue-token",
        "/api/admin/user/tokens",
        "/api/admin/user/tokens/1",
        "/api/admin/user/profile",
        "/api/admin/user-admin",
        "/api/admin/user-admin/1",
        "/api/admin/service-account/1/token",
        "/api/admin/groups",
        "/api/admin/roles/4",
        "/api/admin/permissions",
        "/api/admin/api-tokens",
        "/api/admin/api-tokens/default%3Adevelopment.a%2Fb",
        "/api/admin/projects/shop",
        "/api/admin/projects/archive/shop",
        "/api/admin/projects/shop/api-tokens",
        "/api/admin/projects/shop/api-tokens/shop%3Adevelopment.abc",
        "/api/admin/projects/shop/access",
        "/api/admin/projects/shop/users/1/roles",
        "/api/admin/projects/shop/settings",
        "/api/admin/projects/shop/events",
        "/api/admin/events",
        "/api/admin/search/events?offset=0&limit=25",
        "/api/admin/search/events?project=IS%3Adefault&type=IS%3Aapi-token-created",
        "/api/admin/search/events?type=IS_ANY_OF%3Aapi-token-created%2Cuser-deleted",
        "/api/admin/search/events?type=IS_ANY_OF:pat-created,project-created",
    ] {
        assert!(!reaches_unleash("GET", target), "{target} is for Latchkey");
    }
    for target in [
        "/",
        "/projects/default/settings/api-access",
        "/static/index.js",
        "/health",
        "/api/admin/user",
        "/api/admin/ui-config",
        "/api/admin/projects",
        "/api/admin/projects?archived=true",
        "/api/admin/projects/shop/overview",
        "/api/admin/projects/shop/features",
        "/api/admin/projects/shop/environments",
        "/api/admin/environments",
        "/api/admin/features",
        "/api/admin/events/my-flag",
        "/api/admin/search/features?project=IS%3Adefault",
        "/api/admin/search/events?feature=IS%3Amy-flag",
        "/api/admin/search/events?type=IS_ANY_OF%3Afeature-created%2Cuser-deleted",
        "/api/client/features",
        "/api/frontend",
    ] {
        assert!(reaches_unleash("GET", target), "{target} is for Unleash");
    }
    assert!(!reaches_unleash("POST", "/api/admin/projects"), "projects are made in Latchkey");
    assert!(!reaches_unleash("POST", "/api/admin/invite-link/tokens"), "and no one is invited");
    assert!(reaches_unleash("POST", "/api/admin/projects/default/features"));
    assert!(!reaches_unleash("GET", "/invite/abc/validate"));
}

#[test]
fn tokens_that_edge_accepted_count_as_used() {
    let env = TestEnv::on(Store::Sqlite).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
    let (latchkey, unleash) = (env.serve(), Stub::echo());
    let directory = tempfile::tempdir().expect("a directory for nginx");
    let nginx = NeighborProcess::start("nginx", |port| {
        nginx_before(&directory, port, latchkey.address(), unleash.address)
    });
    let (of_edge, of_client) = (latchkey.create_token("edge"), latchkey.create_token("client"));
    let report = json!({"applications": [], "metrics": [], "seenTokens": [of_client]});
    let answer = Request::post("/api/client/metrics/bulk", &report).by(&of_edge).send_to(nginx.address);
    assert!(answer.expect("Unleash answers").text().contains("seenTokens"), "Unleash gets it");
    until_true("Latchkey gets it too", || {
        let token =
            latchkey.as_admin(Request::get(&format!("{TOKENS}?name=client"))).json()["tokens"][0].clone();
        assert_eq!(token["tokenName"], "client");
        token["seenAt"].is_string()
    });
}

#[test]
fn nginx_serves_flags_from_files_to_those_with_a_token() {
    let env = TestEnv::on(Store::Sqlite);
    let latchkey = env.serve();
    let (directory, flags) =
        (tempfile::tempdir().expect("a directory for nginx"), tempfile::tempdir().expect("one for flags"));
    for environment in ["development", "production"] {
        let file = flags.path().join(environment).with_extension("json");
        fs::write(file, format!(r#"{{"version": 2, "features": [{{"name": "{environment}"}}]}}"#))
            .expect("written");
    }
    let addresses = [
        ("127.0.0.1:4242", latchkey.address().to_string()),
        ("/srv/flags;", format!("{};", flags.path().display())),
    ];
    let nginx = nginx::start(&directory, DOCUMENT, ("listen 8080;", &addresses));
    let get = |secret: &str| -> Response {
        Request::get("/api/client/features").by(secret).send_to(nginx.address).expect("nginx answers")
    };
    let token = |kind: &str, environment: &str| {
        let body = json!({"tokenName": "sdk", "type": kind, "environment": environment});
        let made = latchkey.as_admin(Request::post(TOKENS, &body));
        made.json()["secret"].as_str().expect("a secret").to_owned()
    };
    for environment in ["development", "production"] {
        let answer = get(&token("client", environment));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.json()["features"][0]["name"], environment);
    }
    assert_eq!(get(&token("frontend", "development")).status, 403);
    assert_eq!(get("default:development.unknown").status, 401);
    let revoked = token("client", "development");
    assert_eq!(get(&revoked).status, 200);
    assert_eq!(latchkey.delete_token(&revoked).status, 200);
    assert_eq!(get(&revoked).status, 401);
}
