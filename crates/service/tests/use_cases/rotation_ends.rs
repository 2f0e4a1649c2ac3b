//! Rotations that end with the first use of the new secret.

use std::time::Duration;

use latchkey_domain::{EventKind, Timestamp, TokenId};
use latchkey_ports::TokenRepository as _;
use latchkey_service::{Overlap, Patched, Reveal, TokenPatch, TokenReference};

use crate::support::{TestEnv, draft, moment, sealer, settings, system};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const BLINK: Duration = Duration::from_millis(1);

fn overlap(span: Duration, ends_on_first_use: bool) -> Overlap {
    Overlap::new(span).expect("short enough").ending_on_first_use(ends_on_first_use)
}

/// Rotates a token and returns its new secret.
async fn rotate(env: &TestEnv, token: TokenId, overlap: Overlap) -> String {
    let rotated = env.use_cases.instance_tokens.rotate(&system(), &TokenReference::Id(token), overlap).await;
    rotated.expect("rotated").secret.expect("shown").reveal().to_owned()
}

async fn token(env: &TestEnv) -> (TokenId, String) {
    let made = env.use_cases.instance_tokens.create(&system(), draft("x")).await.expect("created");
    (made.token.id, made.secret.expect("shown").reveal().to_owned())
}

async fn is_accepted(env: &TestEnv, secret: &str) -> bool {
    env.use_cases.authenticator.authenticate(secret, None).await.is_ok()
}

async fn end_of_old(env: &TestEnv, secret: &str) -> Option<Timestamp> {
    let secret = latchkey_domain::TokenSecret::parse(secret).expect("a secret");
    let digests = latchkey_ports::SecretSealer::digests(&*sealer(), &secret);
    env.store.find_token_by_digest(&digests).await.expect("a lookup").expect("a token").secret_until
}

#[tokio::test]
async fn the_old_secret_ends_a_minute_after_the_new_one_is_used() {
    let env = TestEnv::new();
    env.use_cases.follow_changes().await.expect("followed");
    let (id, old) = token(&env).await;
    let new = rotate(&env, id, overlap(HOUR, true)).await;
    // As long as only the old one is used, nothing happens.
    assert!(is_accepted(&env, &old).await);
    assert_eq!(env.use_cases.end_rotations().await.expect("ended"), 0);

    env.clock.advance(MINUTE);
    env.use_cases.follow_changes().await.expect("followed");
    assert!(is_accepted(&env, &new).await);
    env.clock.advance(BLINK);
    assert!(is_accepted(&env, &new).await, "the first use counts");
    env.use_cases.first_use_noted().await;
    assert_eq!(env.use_cases.end_rotations().await.expect("ended"), 1);
    assert_eq!(end_of_old(&env, &old).await, Some(moment(1_700_000_000_000 + 120_000)));
    assert_eq!(env.kinds_since(2).await, [EventKind::ApiTokenRotationEnded]);
    let event = env.events().await.pop().expect("an event").record;
    let [before, after] = [event.before, event.after].map(|state| format!("{:?}", state.expect("a state")));
    assert!(before.contains("2023-11-14T23:13:20.000Z") && after.contains("2023-11-14T22:15:20.000Z"));
    assert!(!before.contains("rotation"), "{before}");

    // The entry of the old secret in memory has the new end.
    env.clock.advance(MINUTE.checked_sub(BLINK + BLINK).expect("longer"));
    env.use_cases.follow_changes().await.expect("followed");
    assert!(is_accepted(&env, &old).await);
    env.clock.advance(BLINK);
    assert!(!is_accepted(&env, &old).await && is_accepted(&env, &new).await);
    assert_eq!(env.use_cases.end_rotations().await.expect("nothing is left"), 0);
    assert_eq!(env.kinds_since(2).await.len(), 1);
}

#[tokio::test]
async fn the_old_secret_ends_at_the_latest_with_the_overlap() {
    let env = TestEnv::new();
    for wait in [Duration::from_secs(5), HOUR] {
        let (id, old) = token(&env).await;
        let new = rotate(&env, id, overlap(Duration::from_secs(30), true)).await;
        let end = end_of_old(&env, &old).await;
        env.clock.advance(wait);
        assert!(is_accepted(&env, &new).await);
        assert_eq!(env.use_cases.end_rotations().await.expect("ended"), 1);
        assert_eq!(end_of_old(&env, &old).await, end);
        assert_eq!(
            env.store.find_token(id).await.expect("a lookup").expect("a token").token.attributes.rotation,
            None
        );
    }
}

#[tokio::test]
async fn other_rotations_keep_their_overlap() {
    let env = TestEnv::new();
    let (id, first) = token(&env).await;
    let second = rotate(&env, id, overlap(2 * HOUR, false)).await;
    let third = rotate(&env, id, overlap(HOUR, true)).await;
    let kept = end_of_old(&env, &first).await;
    assert!(is_accepted(&env, &third).await);
    assert_eq!(env.use_cases.end_rotations().await.expect("ended"), 1);
    assert_eq!(end_of_old(&env, &first).await, kept);
    assert!(end_of_old(&env, &second).await < kept);

    // A rotation without the wish takes the place of one with it.
    let fourth = rotate(&env, id, overlap(HOUR, true)).await;
    let fifth = rotate(&env, id, overlap(HOUR, false)).await;
    let kept = [end_of_old(&env, &third).await, end_of_old(&env, &fourth).await];
    assert!(is_accepted(&env, &fourth).await && is_accepted(&env, &fifth).await);
    assert_eq!(env.use_cases.end_rotations().await.expect("nothing to do"), 0);
    assert_eq!([end_of_old(&env, &third).await, end_of_old(&env, &fourth).await], kept);
    // Without an overlap there is nothing to end.
    let sixth = rotate(&env, id, overlap(Duration::ZERO, true)).await;
    assert!(is_accepted(&env, &sixth).await);
    assert_eq!(env.use_cases.end_rotations().await.expect("nothing to do"), 0);
}

#[tokio::test]
async fn a_note_of_an_earlier_rotation_does_not_end_a_later_one() {
    let env = TestEnv::new();
    let (id, _) = token(&env).await;
    let second = rotate(&env, id, overlap(HOUR, true)).await;
    assert!(is_accepted(&env, &second).await, "noted");
    env.clock.advance(BLINK);
    rotate(&env, id, overlap(HOUR, true)).await;
    let kept = end_of_old(&env, &second).await;
    assert_eq!(env.use_cases.end_rotations().await.expect("nothing to do"), 0);
    assert_eq!(end_of_old(&env, &second).await, kept);
}

#[tokio::test]
async fn of_several_processes_one_ends_a_rotation_and_a_replica_leaves_it_to_others() {
    let env = TestEnv::new();
    let beside = env.beside(sealer(), settings(Reveal::Always));
    let replica = env.replica(settings(Reveal::Always));
    let (id, old) = token(&env).await;
    let new = rotate(&env, id, overlap(HOUR, true)).await;
    for process in [&env, &beside, &replica] {
        process.use_cases.follow_changes().await.expect("followed");
        assert!(is_accepted(process, &old).await && is_accepted(process, &new).await);
    }
    assert_eq!(replica.use_cases.end_rotations().await.expect("left to others"), 0);
    let patch = TokenPatch { expires_at: Patched::Set(moment(2_000_000_000_000)), ..TokenPatch::default() };
    let changed = env.use_cases.instance_tokens.update(&system(), &TokenReference::Id(id), &patch).await;
    changed.expect("a change between does not hinder it");
    let ended = [beside.use_cases.end_rotations().await, env.use_cases.end_rotations().await];
    assert_eq!(ended.map(|ended| ended.expect("ended")), [1, 0]);
    env.clock.advance(MINUTE);
    for process in [&env, &beside, &replica] {
        process.use_cases.follow_changes().await.expect("followed");
        assert!(!is_accepted(process, &old).await && is_accepted(process, &new).await);
    }
}
