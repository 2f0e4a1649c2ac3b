//! Secrets that have leaked.

use std::time::Duration;

use latchkey_domain::{Enabled, EventKind, LeakAction, TokenId, TokenSecret};
use latchkey_service::{
    Caller, InstancePermit, LeakReport, LeakedToken, Overlap, Patched, ReportLeaks, Reveal, Settings,
    TokenEnd, TokenPatch, TokenReference,
};

use crate::support::{TestEnv, draft, moment, settings, system};

fn permit() -> InstancePermit<ReportLeaks> {
    InstancePermit::request(&Caller::system()).expect("may")
}

fn report_of(secret: &TokenSecret) -> LeakReport {
    LeakReport { secret: secret.clone(), url: None, source: None }
}

#[tokio::test]
async fn a_replaced_secret_is_live_until_its_overlap_ends() {
    let env = TestEnv::new();
    let made = env.use_cases.instance_tokens.create(&system(), draft("x")).await.expect("created");
    let old = made.secret.expect("shown");
    let overlap = Overlap::new(Duration::from_secs(60)).expect("short enough");
    let reference = TokenReference::Id(made.token.id);
    env.use_cases.instance_tokens.rotate(&system(), &reference, overlap).await.expect("rotated");
    let leaks = &env.use_cases.leaks;
    let live = leaks.report(&permit(), &[report_of(&old)]).await.expect("reported");
    assert!(matches!(&*live, [Some(LeakedToken::Api(token))] if token.id == made.token.id), "{live:?}");
    env.clock.advance(Duration::from_secs(60));
    assert_eq!(leaks.report(&permit(), &[report_of(&old)]).await.expect("reported"), [None]);
    assert_eq!(env.kinds_since(2).await, [EventKind::ApiTokenLeaked]);
}

#[tokio::test]
async fn an_expired_token_is_not_live() {
    let env = TestEnv::new();
    let mut request = draft("x");
    request.expires_at = TokenEnd::At(moment(1_700_000_001_000));
    let made = env.use_cases.instance_tokens.create(&system(), request).await.expect("created");
    let secret = made.secret.expect("shown");
    let leaks = &env.use_cases.leaks;
    let reports = [report_of(&secret)];
    assert!(leaks.report(&permit(), &reports).await.expect("reported").iter().all(Option::is_some));
    env.clock.advance(Duration::from_secs(1));
    assert_eq!(leaks.report(&permit(), &reports).await.expect("reported"), [None]);
}

/// Reports a token twice in one request: it is refused at once, after two events of the leak and one of this action.
async fn reported_twice(action: LeakAction, acted: EventKind) -> (TestEnv, TokenId, TokenSecret) {
    let env = TestEnv::with(Settings { leaks: action, ..settings(Reveal::Always) });
    let made = env.use_cases.instance_tokens.create(&system(), draft("x")).await.expect("created");
    let secret = made.secret.expect("shown");
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    let reports = [report_of(&secret), report_of(&secret)];
    let live = env.use_cases.leaks.report(&permit(), &reports).await.expect("reported");
    assert!(live.iter().all(Option::is_some), "{live:?}");
    let kinds = [EventKind::ApiTokenLeaked, EventKind::ApiTokenLeaked, acted];
    assert_eq!(env.kinds_since(1).await, kinds);
    assert!(env.use_cases.authenticator.authenticate(secret.reveal(), None).await.is_err(), "at once");
    (env, made.token.id, secret)
}

#[tokio::test]
async fn a_disabled_token_can_be_enabled_again() {
    let (env, id, secret) = reported_twice(LeakAction::Disable, EventKind::ApiTokenUpdated).await;
    let patch = TokenPatch { enabled: Patched::Set(Enabled(true)), ..TokenPatch::default() };
    let reference = TokenReference::Id(id);
    env.use_cases.instance_tokens.update(&system(), &reference, &patch).await.expect("enabled");
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted again");
}

#[tokio::test]
async fn a_token_is_revoked_once_after_all_its_events() {
    let (env, _, secret) = reported_twice(LeakAction::Revoke, EventKind::ApiTokenDeleted).await;
    let reports = [report_of(&secret), report_of(&secret)];
    assert_eq!(env.use_cases.leaks.report(&permit(), &reports).await.expect("reported"), [None, None]);
}
