//! Gateways that verify tokens with Latchkey, configured exactly as `docs/guide/gateways.md` shows.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::Server,
    wait::until_true,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    neighbors::{NeighborProcess, Stub},
    nginx,
    proxy::Proxy,
};

const DOCUMENT: &str = include_str!("../../../../docs/guide/gateways.md");

/// nginx between clients and a server that echoes requests, with a Latchkey that has the project `shop`.
struct Gate {
    // Dropped in this order.
    nginx: NeighborProcess,
    latchkey: Server,
    upstream: Stub,
    database: Proxy,
    _ground: TestEnv,
    _directory: TempDir,
}

impl Gate {
    fn new() -> Self {
        let mut env = TestEnv::on(Store::Postgres).with("LATCHKEY__VERIFY__MAX_STALENESS", "500ms");
        let database = Proxy::before(&env.postgres_server());
        env.use_postgres_proxy(database.address());
        let (latchkey, upstream) = (env.serve(), Stub::echo());
        let shop = json!({"id": "shop", "name": "Shop"});
        assert_eq!(latchkey.as_admin(Request::post("/api/admin/projects", &shop)).status, 201);
        let directory = tempfile::tempdir().expect("a directory for nginx");
        let addresses = [
            ("127.0.0.1:4242", latchkey.address().to_string()),
            ("127.0.0.1:9000", upstream.address.to_string()),
        ];
        let nginx = nginx::start(&directory, DOCUMENT, ("listen 8080;", &addresses));
        Self { nginx, latchkey, upstream, database, _ground: env, _directory: directory }
    }

    /// Creates a client token of a project.
    fn token(&self, project: &str, name: &str) -> String {
        let path = format!("/api/admin/projects/{project}/api-tokens");
        let made =
            self.latchkey.as_admin(Request::post(&path, &json!({"tokenName": name, "type": "client"})));
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["secret"].as_str().expect("a secret").to_owned()
    }

    fn send(&self, request: &Request) -> Response {
        request.send_to(self.nginx.address).expect("nginx answers")
    }

    fn send_by(&self, secret: &str) -> Response {
        self.send(&Request::get("/").by(secret))
    }

    /// Asserts that a request gets this status and does not reach the upstream.
    #[track_caller]
    fn refuses(&self, request: &Request, status: u16) -> Response {
        let before = self.upstream.requests();
        let answer = self.send(request);
        assert_eq!(answer.status, status, "{request:?}: {}", answer.text());
        assert_eq!(self.upstream.requests(), before, "{request:?} got through");
        answer
    }
}

#[test]
fn nginx_passes_valid_tokens_on_with_their_name_and_scope() {
    let gate = Gate::new();
    let good = gate.token("shop", "web shop, 50 %");
    for credentials in [good.clone(), format!("Bearer {good}")] {
        let answer = gate.send(&Request::get("/some/path?a=b").by(&credentials));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = answer.text();
        assert!(seen.starts_with("GET /some/path?a=b HTTP/"), "{seen}");
        assert!(seen.contains("X-Token-Name: web shop, 50 %25\r\n"), "{seen}");
        assert!(!seen.contains(&good), "the secret goes no further: {seen}");
    }
    for request in
        [Request::new("POST", "/").body("a body"), Request::new("POST", "/").body("a body").chunked()]
    {
        let answer = gate.send(&request.by(&good).header("x-token-name", "another token"));
        let seen = answer.text();
        assert!(seen.starts_with("POST / ") && seen.ends_with("\r\n\r\na body"), "{seen}");
        assert!(!seen.contains("another token"), "{seen}");
    }
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(gate.send(&Request::new(method, "/").by(&good)).status, 200, "{method}");
    }
}

#[test]
fn nginx_refuses_requests_without_a_valid_token() {
    let gate = Gate::new();
    let (revoked, other) = (gate.token("shop", "revoked"), gate.token("default", "other"));
    assert_eq!(gate.send_by(&revoked).status, 200);
    let path = format!("/api/admin/projects/shop/api-tokens/{revoked}");
    assert_eq!(gate.latchkey.as_admin(Request::delete(&path)).status, 200);
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let request = || Request::new(method, "/");
        for request in
            [request(), request().by(""), request().by("shop:development.unknown"), request().by(&revoked)]
        {
            let answer = gate.refuses(&request, 401);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{request:?}");
        }
        let answer = gate.refuses(&request().by(&other), 403);
        assert_eq!(answer.header("x-latchkey-reason"), Some("wrong_project"), "{method}");
    }
    gate.refuses(&Request::get("/_latchkey").by(&other), 404);
}

#[test]
fn client_headers_do_not_loosen_the_requirements_of_nginx() {
    let gate = Gate::new();
    let other = gate.token("default", "other");
    for target in ["/", "/?project=default", "/x?project=default&project=shop", "/%3Fproject=default"] {
        gate.refuses(&Request::get(target).by(&other), 403);
        for name in ["Project", "project", "Environment", "Type"] {
            for value in ["default", "", "*"] {
                let request =
                    Request::get(target).by(&other).header(&format!("X-Latchkey-Require-{name}"), value);
                gate.refuses(&request, 403);
            }
        }
    }
}

#[test]
fn nginx_refuses_all_requests_while_tokens_cannot_be_verified() {
    let gate = Gate::new();
    let (known, fresh) = (gate.token("shop", "known"), gate.token("shop", "fresh"));
    assert_eq!(gate.send_by(&known).status, 200);
    gate.database.cut();
    gate.refuses(&Request::get("/").by(&fresh), 500);
    // Cache entries are valid until they may be stale.
    until_true("nginx refuses a token that was known", || gate.send_by(&known).status == 500);
    assert!(gate.database.restore());
    until_true("nginx lets the token through again", || gate.send_by(&known).status == 200);
    assert_eq!(gate.send_by(&fresh).status, 200);

    let Gate { nginx, latchkey, upstream, .. } = gate;
    latchkey.stop();
    let before = upstream.requests();
    let answer = Request::get("/").by(&known).send_to(nginx.address).expect("nginx answers");
    assert_eq!(
        (answer.status, upstream.requests()),
        (500, before),
        "without Latchkey no request gets through"
    );
}
