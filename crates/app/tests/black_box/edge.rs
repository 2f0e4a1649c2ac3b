//! Unleash Edge, which validates the tokens of its clients with Latchkey. It takes long to build, so its tests run only if
//! it is installed (on the PATH, or as `UNLEASH_EDGE`), and print a note otherwise.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    process,
    raw_http::{Request, Response},
    server::{Server, TOKENS},
    wait::until_true,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    neighbors::{self, NeighborProcess, Stub},
    nginx,
};

const DOCUMENT: &str = include_str!("../../../../docs/guide/unleash-edge.md");
const FEATURES: &str = "/api/client/features";
/// The response of the server that has the flags.
const NO_FEATURES: &str = r#"{"version":2,"features":[]}"#;

/// Returns the path of Edge; prints a note if it is not installed.
fn program() -> Option<PathBuf> {
    let found = env::var_os("UNLEASH_EDGE").map(PathBuf::from).or_else(|| process::find("unleash-edge"));
    if found.is_none() {
        // Not through the test harness, which hides the output of tests that pass.
        let words = "not tested, because unleash-edge is not installed: Unleash Edge in front of Latchkey (docs/guide/unleash-edge.md)";
        drop(writeln!(std::io::stderr(), "{words}"));
    }
    found
}

/// Edge in front of a Latchkey.
struct Edge {
    // Dropped in this order.
    process: NeighborProcess,
    _nginx: Option<NeighborProcess>,
    latchkey: Server,
    startup: String,
    _directory: TempDir,
    _env: TestEnv,
}

impl Edge {
    /// Starts Edge with nginx and a server that has flags, as the document shows, or with Latchkey as its only upstream.
    fn new(program: &Path, has_flags: bool) -> Self {
        let env = TestEnv::on(Store::Sqlite);
        let latchkey = env.serve();
        let startup = latchkey.create_token("edge");
        let directory = tempfile::tempdir().expect("a directory for Edge");
        let nginx = has_flags.then(|| {
            let flags = Stub::answering(|_| (200, NO_FEATURES.to_owned()));
            let addresses = [
                ("127.0.0.1:4242", latchkey.address().to_string()),
                ("127.0.0.1:9000", flags.address.to_string()),
            ];
            nginx::start(&directory, DOCUMENT, ("listen 4343;", &addresses))
        });
        let upstream = nginx.as_ref().map_or(latchkey.address(), |nginx| nginx.address);
        let process = NeighborProcess::start("unleash-edge", |port| {
            let mut command = neighbors::command(program);
            // An argument up to version 19, and the only mode since.
            command
                .env("STRICT", "true")
                .args(["--interface", "127.0.0.1", "--port", &port.to_string(), "--workers", "1"])
                .args(["edge", "--upstream-url", &format!("http://{upstream}")])
                .args(["--tokens", &startup, "--token-revalidation-interval-seconds", "1"]);
            command
        });
        Self { process, _nginx: nginx, latchkey, startup, _directory: directory, _env: env }
    }

    fn features(&self, secret: &str) -> Response {
        Request::get(FEATURES).by(secret).send_to(self.process.address).expect("Edge answers")
    }

    /// Asserts that Edge validates tokens for other Edges.
    #[track_caller]
    fn tells_good_from_bad(&self) {
        let asked = json!({ "tokens": [self.startup, "default:development.unknown"] });
        let told = Request::post("/edge/validate", &asked)
            .send_to(self.process.address)
            .expect("Edge answers")
            .json();
        let good: Vec<_> =
            told["tokens"].as_array().expect("tokens").iter().map(|token| &token["token"]).collect();
        assert_eq!(good, [&json!(self.startup)]);
    }

    #[track_caller]
    fn answers(&self, secret: &str, status: u16) -> Response {
        let answer = self.features(secret);
        let said = self.process.output();
        assert_eq!(answer.status, status, "{secret}: {}\n{said}", answer.text());
        answer
    }
}

#[test]
fn edge_accepts_valid_tokens_and_no_others() {
    let Some(program) = program() else { return };
    let edge = Edge::new(&program, true);
    until_true("Edge has its flags", || edge.features(&edge.startup).status == 200);
    assert_eq!(edge.answers(&edge.startup, 200).json()["features"], json!([]));
    edge.tells_good_from_bad();
    let (other, revoked) = (edge.latchkey.create_token("other"), edge.latchkey.create_token("revoked"));
    assert_eq!(edge.answers(&other, 200).json()["query"]["projects"], json!(["default"]));
    assert_eq!(edge.latchkey.delete_token(&revoked).status, 200);
    for bad in [&revoked, "default:development.unknown", "no-token"] {
        edge.answers(bad, 403);
    }
    let frontend = json!({ "tokenName": "web", "type": "frontend" });
    let made = edge.latchkey.as_admin(Request::post(TOKENS, &frontend)).json();
    let frontend = made["secret"].as_str().expect("a secret");
    edge.answers(frontend, 403);
    let web = Request::get("/api/frontend").by(frontend).send_to(edge.process.address).expect("Edge answers");
    assert_eq!(web.status, 200, "{}", web.text());

    // Edge caches valid tokens and validates them again at its own interval.
    assert_eq!(edge.latchkey.delete_token(&other).status, 200);
    until_true("Edge hears of the revocation", || edge.features(&other).status == 403);
    edge.answers(&edge.startup, 200);
}

#[test]
fn edge_knows_good_tokens_but_has_no_flags_from_latchkey_alone() {
    let Some(program) = program() else { return };
    let edge = Edge::new(&program, false);
    edge.tells_good_from_bad();
    edge.answers("default:development.unknown", 403);
    // In strict mode, a token without flags is refused, too; version 19 gives the reason.
    edge.answers(&edge.startup, 403);
}
