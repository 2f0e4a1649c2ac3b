//! Gateways that ask Latchkey, configured exactly as `docs/guide/gateways.md` shows: the document is what is tried.

use serde_json::json;
use tempfile::TempDir;

use crate::{
    ground::{Ground, Store},
    neighbours::{Neighbour, Stub},
    nginx,
    proxy::Proxy,
    server::Server,
    waiting::until_true,
    wire::{Answer, Call},
};

const DOCUMENT: &str = include_str!("../../../../docs/guide/gateways.md");

/// nginx between clients and a server that shows what reaches it, asking a Latchkey that knows the project `shop`.
struct Gate {
    // In the order in which they are to end.
    nginx: Neighbour,
    latchkey: Server,
    upstream: Stub,
    database: Proxy,
    _ground: Ground,
    _directory: TempDir,
}

impl Gate {
    fn new() -> Self {
        let mut ground = Ground::on(Store::Postgres).with("LATCHKEY__VERIFY__MAX_STALENESS", "500ms");
        let database = Proxy::before(&ground.postgres_server());
        ground.reach_postgres_by(database.address());
        let (latchkey, upstream) = (ground.serve(), Stub::echo());
        let shop = json!({"id": "shop", "name": "Shop"});
        assert_eq!(latchkey.as_admin(Call::post("/api/admin/projects", &shop)).status, 201);
        let directory = tempfile::tempdir().expect("a directory for nginx");
        let addresses = [
            ("127.0.0.1:4242", latchkey.address().to_string()),
            ("127.0.0.1:9000", upstream.address.to_string()),
        ];
        let nginx = nginx::start(&directory, DOCUMENT, ("listen 8080;", &addresses));
        Self { nginx, latchkey, upstream, database, _ground: ground, _directory: directory }
    }

    /// A client token of a project.
    fn token(&self, project: &str, name: &str) -> String {
        let path = format!("/api/admin/projects/{project}/api-tokens");
        let made = self.latchkey.as_admin(Call::post(&path, &json!({"tokenName": name, "type": "client"})));
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["secret"].as_str().expect("a secret").to_owned()
    }

    fn send(&self, call: &Call) -> Answer {
        call.send_to(self.nginx.address).expect("nginx answers")
    }

    fn send_by(&self, secret: &str) -> Answer {
        self.send(&Call::get("/").by(secret))
    }

    /// That a call ends with this status, and nothing of it gets through.
    #[track_caller]
    fn refuses(&self, call: &Call, status: u16) -> Answer {
        let before = self.upstream.requests();
        let answer = self.send(call);
        assert_eq!(answer.status, status, "{call:?}: {}", answer.text());
        assert_eq!(self.upstream.requests(), before, "{call:?} got through");
        answer
    }
}

#[test]
fn nginx_lets_good_tokens_through_and_says_whose_they_are() {
    let gate = Gate::new();
    let good = gate.token("shop", "web shop, 50 %");
    for credentials in [good.clone(), format!("Bearer {good}")] {
        let answer = gate.send(&Call::get("/some/path?a=b").by(&credentials));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = answer.text();
        assert!(seen.starts_with("GET /some/path?a=b HTTP/"), "{seen}");
        assert!(seen.contains("X-Token-Name: web shop, 50 %25\r\n"), "{seen}");
        assert!(!seen.contains(&good), "the secret goes no further: {seen}");
    }
    for call in [Call::new("POST", "/").body("a body"), Call::new("POST", "/").body("a body").chunked()] {
        let answer = gate.send(&call.by(&good).header("x-token-name", "somebody else"));
        let seen = answer.text();
        assert!(seen.starts_with("POST / ") && seen.ends_with("\r\n\r\na body"), "{seen}");
        assert!(!seen.contains("somebody else"), "{seen}");
    }
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(gate.send(&Call::new(method, "/").by(&good)).status, 200, "{method}");
    }
}

#[test]
fn nginx_refuses_whoever_has_no_good_token() {
    let gate = Gate::new();
    let (revoked, other) = (gate.token("shop", "revoked"), gate.token("default", "other"));
    assert_eq!(gate.send_by(&revoked).status, 200);
    let path = format!("/api/admin/projects/shop/api-tokens/{revoked}");
    assert_eq!(gate.latchkey.as_admin(Call::delete(&path)).status, 200);
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let call = || Call::new(method, "/");
        for call in [call(), call().by(""), call().by("shop:development.nobody"), call().by(&revoked)] {
            let answer = gate.refuses(&call, 401);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{call:?}");
        }
        gate.refuses(&call().by(&other), 403);
    }
    gate.refuses(&Call::get("/_latchkey").by(&other), 404);
}

#[test]
fn what_a_client_sends_along_does_not_loosen_what_nginx_requires() {
    let gate = Gate::new();
    let other = gate.token("default", "other");
    for target in ["/", "/?project=default", "/x?project=default&project=shop", "/%3Fproject=default"] {
        gate.refuses(&Call::get(target).by(&other), 403);
        for name in ["Project", "project", "Environment", "Type"] {
            for value in ["default", "", "*"] {
                let call = Call::get(target).by(&other).header(&format!("X-Latchkey-Require-{name}"), value);
                gate.refuses(&call, 403);
            }
        }
    }
}

#[test]
fn nginx_refuses_everybody_while_nobody_can_tell_whether_a_token_is_good() {
    let gate = Gate::new();
    let (known, fresh) = (gate.token("shop", "known"), gate.token("shop", "fresh"));
    assert_eq!(gate.send_by(&known).status, 200);
    gate.database.cut();
    gate.refuses(&Call::get("/").by(&fresh), 500);
    // What is in memory is good until it could be out of date.
    until_true("nginx refuses a token that was known", || gate.send_by(&known).status == 500);
    assert!(gate.database.restore());
    until_true("nginx lets the token through again", || gate.send_by(&known).status == 200);
    assert_eq!(gate.send_by(&fresh).status, 200);

    let Gate { nginx, latchkey, upstream, .. } = gate;
    latchkey.stop();
    let before = upstream.requests();
    let answer = Call::get("/").by(&known).send_to(nginx.address).expect("nginx answers");
    assert_eq!((answer.status, upstream.requests()), (500, before), "without Latchkey nobody gets through");
}
