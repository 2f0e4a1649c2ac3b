//! Tokens that are not used are disabled, and some time later deleted.

use std::time::Duration;

use latchkey_domain::{
    ApiToken, Enabled, EventKind, Policy, ProjectScope, Term, TokenAccess, TokenId, Unused,
};
use latchkey_ports::TokenRepository as _;
use latchkey_service::{
    EndedUnused, Patched, PolicyDraft, Reveal, RevealedToken, Settings, TokenPatch, TokenReference,
    UpdateProject,
};

use crate::support::{TestEnv, client_of, permit, project_id, sealer, settings, system};

const DAY: Duration = Duration::from_secs(86_400);
const NOTHING: EndedUnused = EndedUnused { disabled: 0, deleted: 0 };

fn term(days: u32) -> Term {
    Term::new(DAY * days).expect("a term")
}

fn strict(disable: u32, delete: Option<u32>) -> Settings {
    let unused = Unused::new(Some(term(disable)), delete.map(term)).expect("in order");
    Settings { policy: Policy { unused, ..Policy::default() }, ..settings(Reveal::Always) }
}

async fn token(env: &TestEnv) -> RevealedToken {
    env.token(client_of(ProjectScope::one(project_id("default")))).await
}

async fn found(env: &TestEnv, id: TokenId) -> Option<ApiToken> {
    env.store.find_token(id).await.expect("a lookup").map(|stored| stored.token)
}

async fn is_enabled(env: &TestEnv, id: TokenId) -> bool {
    found(env, id).await.expect("there").attributes.enabled.is_on()
}

/// Uses a token, and writes that it was used.
async fn used(env: &TestEnv, token: &RevealedToken) {
    env.use_cases.follow_changes().await.expect("followed");
    let secret = token.secret.as_ref().expect("shown");
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    env.use_cases.flush_usage().await.expect("flushed");
}

async fn enforced(env: &TestEnv) -> EndedUnused {
    env.use_cases.enforce_unused().await.expect("enforced")
}

async fn enable(env: &TestEnv, id: TokenId, enabled: bool) {
    let patch = TokenPatch { enabled: Patched::Set(Enabled(enabled)), ..TokenPatch::default() };
    let changed = env.use_cases.instance_tokens.update(&system(), &TokenReference::Id(id), &patch).await;
    changed.expect("changed");
}

#[tokio::test]
async fn a_token_is_disabled_when_it_is_not_used_and_later_deleted() {
    let env = TestEnv::with(strict(10, Some(15)));
    let (unused, other) = (token(&env).await, token(&env).await);
    let admin = env.token(TokenAccess::Admin).await;
    env.clock.advance(DAY * 9);
    used(&env, &other).await;
    assert_eq!(enforced(&env).await, NOTHING);

    env.clock.advance(DAY);
    assert_eq!(enforced(&env).await, EndedUnused { disabled: 1, deleted: 0 });
    assert!(!is_enabled(&env, unused.token.id).await && is_enabled(&env, other.token.id).await);
    env.use_cases.follow_changes().await.expect("followed");
    let secret = unused.secret.as_ref().expect("shown").reveal();
    assert!(env.use_cases.authenticator.authenticate(secret, None).await.is_err());
    assert_eq!(enforced(&env).await, NOTHING, "once");

    env.clock.advance((DAY * 5).checked_sub(Duration::from_millis(1)).expect("longer"));
    assert_eq!(enforced(&env).await, NOTHING);
    env.clock.advance(Duration::from_millis(1));
    assert_eq!(enforced(&env).await, EndedUnused { disabled: 0, deleted: 1 });
    assert_eq!(found(&env, unused.token.id).await, None);
    env.clock.advance(DAY * 1_000);
    assert_eq!(enforced(&env).await, EndedUnused { disabled: 1, deleted: 0 }, "never at once");
    assert!(is_enabled(&env, admin.token.id).await, "an admin token is the way back in");

    let kinds = [EventKind::ApiTokenUpdated, EventKind::ApiTokenDeleted, EventKind::ApiTokenUpdated];
    assert_eq!(env.kinds_since(3).await, kinds);
    let events = env.events().await;
    let [disabled, deleted] = [&events[3].record, &events[4].record];
    assert_eq!((disabled.actor.user_id(), deleted.actor.user_id()), (-1337, -1337));
    let state = disabled.after.as_ref().expect("a state");
    assert_eq!(state.text("unusedSince"), Some("2023-11-14T22:13:20.000Z"));
    assert_eq!(state.members()["enabled"], false);
    assert!(!state.members().contains_key("disuse"));
    assert_eq!(deleted.before.as_ref().expect("a state").text("unusedSince"), state.text("unusedSince"));
}

#[tokio::test]
async fn a_token_that_is_enabled_again_has_the_whole_time_anew() {
    let env = TestEnv::with(strict(10, Some(15)));
    let id = token(&env).await.token.id;
    env.clock.advance(DAY * 14);
    assert_eq!(enforced(&env).await.disabled, 1);
    env.clock.advance(DAY * 4);
    enable(&env, id, true).await;
    for days in [5, 4] {
        env.clock.advance(DAY * days);
        assert_eq!(enforced(&env).await, NOTHING);
    }
    env.clock.advance(DAY);
    assert_eq!(enforced(&env).await.disabled, 1);
}

#[tokio::test]
async fn a_token_that_was_disabled_by_hand_is_kept() {
    let env = TestEnv::with(strict(10, Some(15)));
    let id = token(&env).await.token.id;
    enable(&env, id, false).await;
    env.clock.advance(DAY * 1_000);
    assert_eq!(enforced(&env).await, NOTHING);
    enable(&env, id, true).await;
    env.clock.advance(DAY * 10);
    assert_eq!(enforced(&env).await.disabled, 1);
    // So is one that the policy had disabled before.
    enable(&env, id, true).await;
    enable(&env, id, false).await;
    env.clock.advance(DAY * 1_000);
    assert_eq!(enforced(&env).await, NOTHING);
    assert!(found(&env, id).await.is_some());
}

#[tokio::test]
async fn a_project_can_be_stricter_than_the_instance() {
    let env = TestEnv::new();
    env.project("shop").await;
    let of_shop = env.token(client_of(ProjectScope::one(project_id("shop")))).await.token.id;
    let other = token(&env).await.token.id;
    env.clock.advance(DAY * 100);
    assert_eq!(enforced(&env).await, NOTHING, "there is no policy");
    let draft = PolicyDraft { unused_disable: Some(term(10)), ..PolicyDraft::default() };
    env.use_cases.policies.set(&permit::<UpdateProject>("shop"), &draft).await.expect("set");
    assert_eq!(enforced(&env).await.disabled, 1);
    assert!(!is_enabled(&env, of_shop).await && is_enabled(&env, other).await);
    env.clock.advance(DAY * 1_000);
    assert_eq!(enforced(&env).await, NOTHING, "it is not to be deleted");
}

#[tokio::test]
async fn each_token_is_ended_once_by_several_processes() {
    let env = TestEnv::with(strict(10, None));
    for _ in 0..4 {
        token(&env).await;
    }
    let other = env.beside(sealer(), strict(10, None));
    env.clock.advance(DAY * 10);
    let ended = (enforced(&env).await.disabled, enforced(&other).await.disabled);
    assert_eq!(ended, (4, 0));
    assert_eq!(env.kinds_since(4).await, [EventKind::ApiTokenUpdated; 4]);
}
