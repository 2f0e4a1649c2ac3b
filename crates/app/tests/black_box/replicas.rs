//! Several servers on one PostgreSQL: a revocation reaches the others at once by notification, or within
//! `verify.max_staleness` without one.

use std::time::{Duration, Instant};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
    wait::{until, until_true},
};

use crate::{database::Records, remote_server::RemoteServer};

/// The time in which a revocation normally reaches other servers.
const SOON: Duration = Duration::from_millis(250);
const STALENESS: Duration = Duration::from_secs(1);
const FROM_MEMORY: &str = r#"latchkey_verifications_total{result="valid",source="memory"}"#;
const LISTENERS: &str =
    "pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN latchkey_events'";

#[expect(clippy::disallowed_methods, reason = "how long a real server really takes is what is measured here")]
fn now() -> Instant {
    Instant::now()
}

fn verify(server: &Server, secret: &str) -> u16 {
    server.send(&Request::get("/auth/verify").by(secret)).status
}

#[test]
fn a_revocation_reaches_the_other_server_soon() {
    let env = TestEnv::on(Store::Postgres);
    let (first, second) = (env.serve(), env.serve());
    let mut spans = Vec::new();
    for number in 0..10 {
        let (one, other) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let secret = first.create_token(&format!("token-{number}"));
        for server in [one, other, other] {
            assert_eq!(verify(server, &secret), 200);
        }
        assert_eq!(one.delete_token(&secret).status, 200);
        let revoked = now();
        assert_eq!(verify(one, &secret), 401, "by the one that revoked it, at once");
        until_true("the other server hears of it", || verify(other, &secret) == 401);
        spans.push(revoked.elapsed());
        // It stays refused.
        assert_eq!(verify(other, &secret), 401);
    }
    spans.sort();
    println!("from the answer to the revocation until the other server refuses: {spans:?}");
    // A busy machine can be late, but not each time.
    assert!(spans[0] < SOON, "{spans:?}");
}

/// Polling is off here: revocations arrive by notification, also those from while the listening connection was lost.
#[test]
fn announcements_alone_tell_of_revocations() {
    let env = TestEnv::on(Store::Postgres)
        .with("LATCHKEY__VERIFY__POLL_INTERVAL", "1h")
        .with("LATCHKEY__VERIFY__MAX_STALENESS", "100h");
    let (one, other) = (env.serve(), env.serve());
    let mut records = Records::of(&env);
    for name in ["while it listens", "after it was cut off"] {
        let secret = one.create_token(name);
        until_true("it is remembered", || {
            let remembered = other.metric(FROM_MEMORY);
            verify(&other, &secret) == 200 && other.metric(FROM_MEMORY) > remembered
        });
        if name != "while it listens" {
            until_true("each server listens by one connection", || records.count(LISTENERS) == 2);
            records.texts(&format!("SELECT pg_terminate_backend(pid)::text FROM {LISTENERS}"));
        }
        assert_eq!(one.delete_token(&secret).status, 200);
        until_true("the other server hears of it", || verify(&other, &secret) == 401);
    }
}

/// Revokes a token on one server while another loses its database, and verifies the token on the other all the time.
fn a_disconnected_server_verifies_no_longer_than_max_staleness(
    cut_and_revoke: impl Fn(&RemoteServer, &Server, &str),
) {
    let env = TestEnv::on(Store::Postgres)
        .with("LATCHKEY__VERIFY__MAX_STALENESS", &format!("{}ms", STALENESS.as_millis()));
    let mut remote = RemoteServer::of(env);
    let direct = remote.env.postgres_url().to_owned();
    remote.env.set("DATABASE_URL", &direct);
    let near = remote.env.serve();
    let secret = near.create_token("revoked");
    for server in [&remote.server, &near] {
        assert_eq!(verify(server, &secret), 200);
    }

    cut_and_revoke(&remote, &near, &secret);
    let revoked = now();
    let mut last_good = None;
    let refusal = until("the server that is cut off refuses", || {
        let asked = now();
        match verify(&remote.server, &secret) {
            200 => {
                last_good = Some(asked.duration_since(revoked));
                None
            }
            refusal => Some(refusal),
        }
    });
    println!("the last good answer was asked for {last_good:?} after the revocation; then came {refusal}");
    // A request with a 200 was sent before the server read its clock, however slow the machine is.
    assert!(last_good.is_none_or(|span| span <= STALENESS), "{last_good:?}");
    assert!([401, 503].contains(&refusal), "{refusal}");
    for _ in 0..20 {
        assert_ne!(verify(&remote.server, &secret), 200);
    }

    assert!(remote.proxy.restore());
    until_true("the revocation arrives", || verify(&remote.server, &secret) == 401);
}

#[test]
fn a_server_that_was_cut_off_before_the_revocation_stops_in_time() {
    a_disconnected_server_verifies_no_longer_than_max_staleness(|remote, near, secret| {
        remote.proxy.cut();
        assert_eq!(near.delete_token(secret).status, 200);
    });
}

#[test]
fn a_server_that_is_cut_off_after_the_revocation_stops_in_time() {
    a_disconnected_server_verifies_no_longer_than_max_staleness(|remote, near, secret| {
        assert_eq!(near.delete_token(secret).status, 200);
        remote.proxy.cut();
    });
}
