//! Unleash Edge, which asks Latchkey whether the tokens of its clients are good. It takes long to build, so its tests run
//! where it is installed (on the PATH, or `UNLEASH_EDGE` names it) and say so where it is not.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    ground::{Ground, Store},
    neighbours::{self, Neighbour, Stub},
    nginx,
    server::{Server, TOKENS},
    waiting::until_true,
    wire::{Answer, Call},
};

const DOCUMENT: &str = include_str!("../../../../docs/guide/unleash-edge.md");
const FEATURES: &str = "/api/client/features";
/// What the server that has the flags answers here.
const NO_FEATURES: &str = r#"{"version":2,"features":[]}"#;

/// Where Edge is; `None`, and a word about it, where it is not.
fn program() -> Option<PathBuf> {
    let found = env::var_os("UNLEASH_EDGE").map(PathBuf::from).or_else(|| neighbours::find("unleash-edge"));
    if found.is_none() {
        // Past the test harness, which shows nothing of tests that pass.
        let words = "not tried, because unleash-edge is not installed: Unleash Edge before Latchkey (docs/guide/unleash-edge.md)";
        drop(writeln!(std::io::stderr(), "{words}"));
    }
    found
}

/// Edge before a Latchkey.
struct Edge {
    // In the order in which they are to end.
    process: Neighbour,
    _nginx: Option<Neighbour>,
    latchkey: Server,
    startup: String,
    directory: TempDir,
    _ground: Ground,
}

impl Edge {
    /// With nginx between the two, as the document shows, and a server that has flags; or with Latchkey for everything.
    fn new(program: &Path, has_flags: bool) -> Self {
        let ground = Ground::on(Store::Sqlite);
        let latchkey = ground.serve();
        let startup = latchkey.create("edge");
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
        let process = Neighbour::start(&directory.path().join("edge.log"), |port| {
            let mut command = neighbours::command(program);
            command
                .args(["--interface", "127.0.0.1", "--port", &port.to_string(), "--workers", "1"])
                .args(["edge", "--strict", "--upstream-url", &format!("http://{upstream}")])
                .args(["--tokens", &startup, "--token-revalidation-interval-seconds", "1"]);
            command
        });
        Self { process, _nginx: nginx, latchkey, startup, directory, _ground: ground }
    }

    fn features(&self, secret: &str) -> Answer {
        Call::get(FEATURES).by(secret).send_to(self.process.address).expect("Edge answers")
    }

    /// Edge answers other Edges as Latchkey answers it.
    #[track_caller]
    fn tells_good_from_bad(&self) {
        let asked = json!({ "tokens": [self.startup, "default:development.unknown"] });
        let told =
            Call::post("/edge/validate", &asked).send_to(self.process.address).expect("Edge answers").json();
        let good: Vec<_> =
            told["tokens"].as_array().expect("tokens").iter().map(|token| &token["token"]).collect();
        assert_eq!(good, [&json!(self.startup)]);
    }

    #[track_caller]
    fn answers(&self, secret: &str, status: u16) -> Answer {
        let answer = self.features(secret);
        let said = fs::read_to_string(self.directory.path().join("edge.log")).unwrap_or_default();
        assert_eq!(answer.status, status, "{secret}: {}\n{said}", answer.text());
        answer
    }
}

#[test]
fn edge_lets_good_tokens_in_and_no_others() {
    let Some(program) = program() else { return };
    let edge = Edge::new(&program, true);
    until_true("Edge has its flags", || edge.features(&edge.startup).status == 200);
    assert_eq!(edge.answers(&edge.startup, 200).json()["features"], json!([]));
    edge.tells_good_from_bad();
    let (other, revoked) = (edge.latchkey.create("other"), edge.latchkey.create("revoked"));
    assert_eq!(edge.answers(&other, 200).json()["query"]["projects"], json!(["default"]));
    assert_eq!(edge.latchkey.delete(&revoked).status, 200);
    for bad in [&revoked, "default:development.unknown", "no-token"] {
        edge.answers(bad, 403);
    }
    let frontend = json!({ "tokenName": "web", "type": "frontend" });
    let made = edge.latchkey.as_admin(Call::post(TOKENS, &frontend)).json();
    let frontend = made["secret"].as_str().expect("a secret");
    edge.answers(frontend, 403);
    let web = Call::get("/api/frontend").by(frontend).send_to(edge.process.address).expect("Edge answers");
    assert_eq!(web.status, 200, "{}", web.text());

    // Edge remembers good tokens, and asks again in its own time.
    assert_eq!(edge.latchkey.delete(&other).status, 200);
    until_true("Edge hears of the revocation", || edge.features(&other).status == 403);
    edge.answers(&edge.startup, 200);
}

#[test]
fn edge_knows_good_tokens_but_has_no_flags_from_latchkey_alone() {
    let Some(program) = program() else { return };
    let edge = Edge::new(&program, false);
    edge.tells_good_from_bad();
    edge.answers("default:development.unknown", 403);
    // In strict mode, a token whose flags have not come is refused, too.
    assert!(edge.answers(&edge.startup, 403).text().contains("strict"));
}
