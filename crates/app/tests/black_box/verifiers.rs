//! `server.role = "verifier"`: servers that verify tokens from real hot standbys of a primary on which another server
//! administers them.

use std::{cell::OnceCell, path::Path, process::Command};

use latchkey_testkit::{
    cluster::{Cluster, connect},
    env::{ADMIN, TestEnv},
    process::Signal,
    raw_http::Request,
    server::{OF_VERIFICATION, Server, TOKENS, percent_encoded},
    wait::{until, until_true},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::{refusals::assert_refused, remote_server::assert_unavailable};

const MASTER_KEY: &str = "6c617463686b65792d626c61636b2d626f782d74657374732d6d61737465726b";
/// An account that reads everything and writes nothing.
const READER: &str = "verifier";
const DROPPED: &str = "latchkey_last_uses_dropped_total";
const FROM_MEMORY: &str = r#"latchkey_verifications_total{result="valid",source="memory"}"#;
const STALE: &str = r#"latchkey_verifications_total{result="valid",source="stale"}"#;

fn unsafe_but_fast(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-c", "fsync=off"]);
    command
}

/// A database server and a connection to the database `latchkey` on it.
struct Site {
    cluster: Cluster,
    client: OnceCell<Client>,
    _directory: TempDir,
}

/// A primary, its standbys, and the environment of the servers.
struct Region {
    runtime: Runtime,
    primary: Site,
    env: TestEnv,
}

impl Region {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let directory = TempDir::new().expect("a directory");
        let cluster = runtime.block_on(Cluster::start(directory.path(), unsafe_but_fast)).expect("a primary");
        runtime.block_on(cluster.create_database("latchkey")).expect("a database");
        let env = TestEnv::new()
            .with("LATCHKEY_MASTER_KEY", MASTER_KEY)
            .with("INIT_ADMIN_API_TOKENS", ADMIN)
            .with("DATABASE_URL", &cluster.url("latchkey"))
            .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "20ms");
        let primary = Site { cluster, client: OnceCell::new(), _directory: directory };
        let region = Self { runtime, primary, env };
        region.run(&format!("CREATE ROLE {READER} LOGIN IN ROLE pg_read_all_data"));
        region
    }

    fn standby(&self) -> Site {
        let directory = TempDir::new().expect("a directory");
        let cluster = self.runtime.block_on(self.primary.cluster.standby(directory.path(), unsafe_but_fast));
        Site { cluster: cluster.expect("a standby"), client: OnceCell::new(), _directory: directory }
    }

    fn client<'s>(&self, site: &'s Site) -> &'s Client {
        site.client.get_or_init(|| {
            self.runtime.block_on(connect(&site.cluster.url("latchkey"))).expect("the database")
        })
    }

    /// Runs a statement on the primary.
    #[track_caller]
    fn run(&self, statement: &str) {
        self.runtime.block_on(self.client(&self.primary).batch_execute(statement)).expect(statement);
    }

    /// Returns the value of an expression, as text.
    #[track_caller]
    fn ask(&self, site: &Site, expression: &str) -> Option<String> {
        let query = format!("SELECT ({expression})::text");
        let row = self.runtime.block_on(self.client(site).query_one(&query, &[]));
        row.expect(&query).get(0)
    }
}

/// An environment of servers that verify from these hosts.
fn verifiers(sites: &[&Site]) -> TestEnv {
    let hosts: Vec<_> = sites.iter().map(|site| site.cluster.address()).collect();
    TestEnv::new()
        .with("LATCHKEY_MASTER_KEY", MASTER_KEY)
        .with("DATABASE_URL", &format!("postgres://{READER}@{}/latchkey", hosts.join(",")))
        .with("LATCHKEY__SERVER__ROLE", "verifier")
        .with("LATCHKEY__VERIFY__MAX_STALENESS", "3s")
        .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "20ms")
}

fn verify(server: &Server, secret: &str) -> u16 {
    server.send(&Request::get("/auth/verify").by(secret)).status
}

fn until_cached(server: &Server, secret: &str) {
    until_true("the token is cached", || {
        let before = server.metric(FROM_MEMORY);
        verify(server, secret) == 200 && server.metric(FROM_MEMORY) > before
    });
}

fn last_use(server: &Server, name: &str) -> bool {
    let tokens = server.tokens();
    let token = tokens.iter().find(|token| token["tokenName"] == name).expect("the token");
    !token["seenAt"].is_null()
}

#[test]
fn a_verifier_serves_verification_from_a_standby() {
    let region = Region::new();
    let standby = region.standby();
    let env = verifiers(&[&standby]);
    // The standby may not have the database yet, or has it without tables.
    let error = until("the database arrives", || {
        let result = env.run("serve --port 0 --log-level off");
        assert_eq!((result.code, result.stdout.as_str()), (Some(1), ""), "{result:?}");
        (!result.stderr.contains("does not exist")).then_some(result.stderr)
    });
    assert!(error.contains("migrations of this version") && error.contains("`latchkey migrate`"), "{error}");

    let full = region.env.serve();
    let verifier = until("the tables arrive", || {
        let tables = region.ask(&standby, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
        (tables != Some("0".to_owned())).then(|| env.serve())
    });
    assert!(
        verifier.stdout().contains("It verifies tokens and serves nothing else"),
        "{}",
        verifier.stdout()
    );

    // What changes on the primary is seen here.
    let [kept, revoked] = ["kept", "revoked"].map(|name| full.create_token(name));
    for secret in [&kept, &revoked] {
        until_true("the new token arrives", || verify(&verifier, secret) == 200);
        until_cached(&verifier, secret);
    }
    assert_eq!(full.delete_token(&revoked).status, 200);
    until_true("the revocation arrives", || verify(&verifier, &revoked) == 401);
    let validated =
        verifier.send(&Request::post("/edge/validate", &serde_json::json!({ "tokens": [kept, revoked] })));
    assert_eq!(validated.json()["tokens"].as_array().expect("a list").len(), 1);

    // Nothing else is served.
    for target in ["/health", "/ready", "/metrics"] {
        assert_eq!(verifier.status(target, ADMIN), 200, "{target}");
    }
    let document: serde_json::Value = serde_json::from_str(&env.succeed("openapi")).expect("JSON");
    let metrics = ["/metrics", "/internal-backstage/prometheus"];
    let served = |path: &str| OF_VERIFICATION.contains(&path) || metrics.contains(&path);
    let paths = document["paths"].as_object().expect("paths");
    let others = paths.iter().filter(|(path, _)| !served(path));
    for (path, operations) in others {
        let target = path.replace(['{', '}'], "");
        for method in operations.as_object().expect("operations").keys() {
            let response = verifier.send(&Request::new(&method.to_uppercase(), &target).by(ADMIN));
            assert_refused(&response, 404, "NotFoundError", &[], &target);
            assert!(response.text().contains("this server only verifies tokens"), "{}", response.text());
        }
    }
    assert_eq!(verifier.status("/", ADMIN), 404);
    let error = env.fail("token create --type admin --name x", 2);
    assert!(error.contains("this command is for the primary"), "{error}");
    let error = env.fail("keys list", 2);
    assert!(error.contains("server.role = \"verifier\""), "{error}");
    let findings = env.run("doctor");
    assert!(findings.stdout.contains("a standby, "), "{findings:?}");
    assert!(findings.stdout.contains("ok       clock "), "{findings:?}");
    assert_eq!(findings.code, Some(0), "{findings:?}");

    // Last uses are dropped, or handed to the primary.
    until_true("a last use is dropped", || {
        verify(&verifier, &kept) == 200 && verifier.metric(DROPPED) >= 1.0
    });
    assert!(!last_use(&full, "kept"));
    let mut handing = verifiers(&[&standby]);
    handing.set("LATCHKEY__DATABASE__PRIMARY_URL", &region.primary.cluster.url("latchkey"));
    let handing = handing.serve();
    assert_eq!(verify(&handing, &kept), 200);
    until_true("the last use arrives", || last_use(&full, "kept"));
    until_true("those that reach the primary are listed as replicas", || {
        let listed = full.as_admin(Request::get("/api/admin/replicas")).json();
        listed["replicas"].as_array().expect("a list").len() == 2
    });

    // With no full server, the one that reaches the primary shows that the primary is there.
    full.stop();
    let replayed = "SELECT extract(epoch FROM pg_last_xact_replay_timestamp())";
    let since = region.ask(&standby, replayed).expect("a time");
    until_true("an idle primary shows that it is there", || {
        let passed = region.ask(&standby, &format!("({replayed}) - {since} > 2.5"));
        passed.as_deref() == Some("true")
    });
    until_true("its standby is fresh", || {
        verifier.status("/ready", ADMIN) == 200 && verifier.metric("latchkey_replication_lag_seconds") < 3.0
    });
    let output = verifier.stop();
    assert!(!output.contains("\"ERROR\""), "{output}");
}

#[test]
fn a_standby_that_is_behind_is_trusted_no_longer_than_max_staleness() {
    let region = Region::new();
    let full = region.env.serve();
    let standby = region.standby();
    let refusing = verifiers(&[&standby]).serve();
    let mut serving = verifiers(&[&standby]).with("LATCHKEY__VERIFY__WHEN_STALE", "serve");
    serving.set("LATCHKEY__DATABASE__PRIMARY_URL", &region.primary.cluster.url("latchkey"));
    let serving = serving.serve();
    let [kept, uncached, revoked] = ["kept", "uncached", "revoked"].map(|name| full.create_token(name));
    for verifier in [&refusing, &serving] {
        for secret in [&kept, &revoked] {
            until_true("the token arrives", || verify(verifier, secret) == 200);
            until_cached(verifier, secret);
        }
    }
    let newest = "SELECT max(id) FROM events";
    until_true("everything arrives", || region.ask(&standby, newest) == region.ask(&region.primary, newest));

    // The standby answers, but shows nothing new.
    region.ask(&standby, "SELECT pg_wal_replay_pause()");
    until_true("it pauses", || {
        region.ask(&standby, "SELECT pg_get_wal_replay_pause_state()").as_deref() == Some("paused")
    });
    let shown = region.ask(&standby, newest);
    assert_eq!(full.delete_token(&revoked).status, 200);
    let new = full.create_token("new");
    until_true("it is behind for too long", || {
        let status = verify(&refusing, &revoked);
        assert!([200, 503].contains(&status), "{status}");
        status == 503
    });
    until_true("the lag grows", || refusing.metric("latchkey_replication_lag_seconds") > 3.0);
    assert_eq!(region.ask(&standby, newest), shown, "it still shows the state before");
    for secret in [&kept, &uncached, &revoked, &new] {
        assert_unavailable(&refusing.send(&Request::get("/auth/verify").by(secret)), "no look-up is fresh");
    }
    assert_unavailable(&refusing.send(&Request::get("/ready")), "not ready");
    until_true("the log tells", || refusing.output().contains("the replica may be "));

    until_true("stale answers", || {
        assert_eq!(verify(&serving, &revoked), 200, "it cannot know");
        serving.metric(STALE) > 2.0
    });
    assert_eq!(verify(&serving, &uncached), 200, "as the standby knows it");
    assert_unavailable(&serving.send(&Request::get("/auth/verify").by(&new)), "not known yet, or invalid");
    assert_eq!(serving.status("/ready", ADMIN), 200);
    until_true("the log tells", || serving.output().contains("verified from stale cache entries"));

    region.ask(&standby, "SELECT pg_wal_replay_resume()");
    for verifier in [&refusing, &serving] {
        until_true("the revocation arrives", || verify(verifier, &revoked) == 401);
        until_true("the new token arrives", || verify(verifier, &new) == 200);
        assert_eq!(verify(verifier, &kept), 200);
    }

    // The primary is silent: nothing is known of it any more, and the standby goes on answering.
    region.primary.cluster.signal(Signal::STOP).expect("it runs");
    until_true("it is silent for too long", || {
        let status = verify(&refusing, &kept);
        assert!([200, 503].contains(&status), "{status}");
        assert_eq!(verify(&serving, &kept), 200, "nothing waits for the primary");
        status == 503
    });
    region.primary.cluster.signal(Signal::CONT).expect("it runs");
    until_true("it is back", || verify(&refusing, &kept) == 200);
}

#[test]
fn a_verifier_survives_the_loss_of_its_standby_and_a_promotion() {
    let region = Region::new();
    let full = region.env.serve();
    let (near, far) = (region.standby(), region.standby());
    let env_of_verifier = verifiers(&[&near, &far]).with("LATCHKEY__DATABASE__POOL_SIZE", "2");
    // On a busy machine the first host can be slow to answer, and the next one is used.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let are_none = |site: &Site| region.ask(site, sessions).as_deref() == Some("0");
    let verifier = until("a verifier uses the first host alone", || {
        let verifier = env_of_verifier.serve();
        (are_none(&far) && !are_none(&near)).then_some(verifier)
    });
    let [kept, revoked] = ["kept", "revoked"].map(|name| full.create_token(name));
    for secret in [&kept, &revoked] {
        until_true("the token arrives", || verify(&verifier, secret) == 200);
        until_cached(&verifier, secret);
    }
    // The other standby is behind: nothing that the first one showed says anything of it.
    region.ask(&far, "SELECT pg_wal_replay_pause()");
    until_true("it pauses", || {
        region.ask(&far, "SELECT pg_get_wal_replay_pause_state()").as_deref() == Some("paused")
    });
    assert_eq!(full.delete_token(&revoked).status, 200);
    until_true("the revocation arrives", || verify(&verifier, &revoked) == 401);
    until_true("it is behind for too long", || {
        let behind = "SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) > 3.2";
        region.ask(&far, behind).as_deref() == Some("true")
    });
    drop(near);
    let mut refused = 0;
    until_true("the other standby is used", || {
        let status = verify(&verifier, &revoked);
        assert!([401, 503].contains(&status), "a revoked token: {status}");
        refused += u32::from(status == 503);
        refused > 5 && !are_none(&far)
    });
    assert_eq!(verify(&verifier, &kept), 503);
    region.ask(&far, "SELECT pg_wal_replay_resume()");
    until_true("it has caught up", || {
        let status = verify(&verifier, &revoked);
        assert!([401, 503].contains(&status), "a revoked token: {status}");
        status == 401
    });
    until_true("known tokens are good", || verify(&verifier, &kept) == 200);

    // It becomes the primary.
    full.stop();
    let Region { primary, env, .. } = &region;
    primary.cluster.signal(Signal::STOP).expect("it runs");
    region.ask(&far, "SELECT pg_promote()");
    let mut env_of_new_primary = TestEnv::new();
    for name in ["LATCHKEY_MASTER_KEY", "INIT_ADMIN_API_TOKENS"] {
        env_of_new_primary.set(name, env.variable(name));
    }
    env_of_new_primary.set("DATABASE_URL", &far.cluster.url("latchkey"));
    let full = env_of_new_primary.serve();
    until_true("it is followed as the primary", || verify(&verifier, &kept) == 200);
    let new = full.create_token("new");
    until_true("new tokens are good", || verify(&verifier, &new) == 200);
    let delete = Request::delete(&format!("{TOKENS}/{}", percent_encoded(&kept)));
    assert_eq!(full.as_admin(delete).status, 200);
    until_true("revocations arrive", || verify(&verifier, &kept) == 401);
    primary.cluster.signal(Signal::CONT).expect("it runs");
    let output = verifier.stop();
    assert!(output.contains("the database is another one than before"), "{output}");
    assert!(!output.contains("\"ERROR\""), "{output}");
}
