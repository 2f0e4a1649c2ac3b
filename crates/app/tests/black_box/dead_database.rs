//! A database that goes away: said so, survived, and nothing half-written.

use crate::{
    database::Records,
    far::{Far, assert_unavailable},
    ground::{Ground, Store},
    server::TOKENS,
    waiting::until_true,
    wire::{Answer, Call},
};

fn post(name: &str) -> Call {
    Call::post(TOKENS, &serde_json::json!({ "tokenName": name, "type": "client" }))
}

#[test]
fn without_its_database_the_server_says_so_and_recovers() {
    let far = Far::of(Ground::on(Store::Postgres));
    let pat = far.ground.make_caller("editor", "Editor");
    let secret = far.server.create("before");
    assert_eq!(far.server.tokens().len(), 1);

    far.proxy.cut();
    let admin = crate::ground::ADMIN;
    assert_unavailable(&far.answer_when_dead(&Call::get(TOKENS).by(admin)), "list");
    assert_unavailable(&far.server.as_admin(post("during")), "create");
    assert_unavailable(&far.server.delete(&secret), "delete");
    // Of these nobody can know now whether they are good, so they are not called bad.
    for credentials in [pat.as_str(), "default:development.never-seen", "user:never-seen"] {
        assert_unavailable(
            &far.server.send(&Call::get(TOKENS).by(credentials)),
            "credentials never seen before",
        );
    }
    assert_eq!(far.answer_when_dead(&Call::get("/ready")).status, 503);
    assert_eq!(far.server.send(&Call::get("/health")).status, 200);
    // What needs no database is answered as ever.
    assert_eq!(far.server.send(&Call::get(TOKENS)).status, 401);

    assert!(far.proxy.restore());
    until_true("readiness", || far.server.send(&Call::get("/ready")).status == 200);
    let listed = far.server.tokens();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["tokenName"], "before");
    assert_eq!(far.server.send(&Call::get(TOKENS).by(&pat)).status, 200);
    assert_eq!(far.server.send(&Call::get(TOKENS).by("default:development.never-seen")).status, 401);
    far.server.create("after");
    assert_eq!(far.server.delete(&secret).status, 200);
}

/// Cuts the connection after each number of messages in turn, so that every step of a mutation is the last one once.
fn cut_at_every_step(far: &Far, act: impl Fn(usize) -> Answer) {
    let mut records = Records::of(&far.ground);
    let mut cuts = 0;
    for step in 0..25 {
        until_true("readiness", || far.server.send(&Call::get("/ready")).status == 200);
        far.proxy.cut_after(step);
        let answer = act(step);
        if far.proxy.restore() {
            cuts += 1;
        }
        if answer.status >= 300 {
            assert_unavailable(&answer, &format!("cut after {step} messages"));
        }
        until_true("readiness", || far.server.send(&Call::get("/ready")).status == 200);
        assert_nothing_half_written(far, &mut records, step);
    }
    assert!(cuts >= 3, "only {cuts} of the steps were cut");
}

fn assert_nothing_half_written(far: &Far, records: &mut Records, step: usize) {
    let tokens = records.count("api_tokens");
    let (created, deleted) = (records.events("api-token-created"), records.events("api-token-deleted"));
    assert_eq!(tokens, created - deleted, "after a cut at step {step}: tokens, and events about them");
    assert_eq!(
        records.count("api_token_projects"),
        tokens - 1,
        "after a cut at step {step}: all but the admin token"
    );
    assert_eq!(far.server.tokens().len(), tokens - 1, "after a cut at step {step}: listed");
    let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    until_true("no transaction is left open", || records.count(open) == 0);
}

#[test]
fn a_creation_that_is_cut_off_leaves_nothing_half_written() {
    let far = Far::of(Ground::on(Store::Postgres));
    cut_at_every_step(&far, |step| far.server.as_admin(post(&format!("cut {step}"))));
}

#[test]
fn a_deletion_that_is_cut_off_leaves_nothing_half_written() {
    let far = Far::of(Ground::on(Store::Postgres));
    let secrets: Vec<String> = (0..25).map(|number| far.server.create(&format!("t{number}"))).collect();
    cut_at_every_step(&far, |step| far.server.delete(&secrets[step]));
}

#[test]
fn a_server_does_not_start_without_its_database_and_says_why() {
    let ground = Ground::on(Store::Postgres).with("DATABASE_URL", "postgres://latchkey@127.0.0.1:1/nothing");
    let output = ground.program().arg("serve").output().expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("127.0.0.1:1") || said.contains("connect"), "{said}");
}
