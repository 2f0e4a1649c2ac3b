//! Notices of tokens: each once, however many processes look for them and whatever the clock does.

use std::{collections::BTreeSet, time::Duration};

use latchkey_domain::{
    ApiToken, Enabled, EventKind, NoticeDays, Policy, ProjectScope, ProjectSet, Term, Timestamp, TokenAccess,
    Unused,
};
use latchkey_ports::{Quota, TokenRepository as _};
use latchkey_service::{
    EndedUnused, FoundNotices, Initiator, IssuingSettings, NoticedProjects, Overlap, Patched, PolicyDraft,
    Reveal, RevealedToken, Settings, TokenDraft, TokenPatch, TokenReference, UpdateProject,
};

use crate::support::{TestEnv, client_of, draft, moment, permit, project_id, sealer, settings, system};

const NOW: i64 = 1_700_000_000_000;
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn term(days: u32) -> Term {
    Term::new(DAY * days).expect("a term")
}

fn noticing(days: &[u16]) -> Settings {
    let expiry_notices = NoticeDays::new(days.iter().copied()).expect("few");
    Settings { expiry_notices, ..settings(Reveal::Always) }
}

fn under(policy: Policy) -> Settings {
    Settings { policy, ..noticing(&[]) }
}

fn of_default() -> TokenAccess {
    client_of(ProjectScope::one(project_id("default")))
}

/// The moment so long after the clock's first.
fn after(span: Duration) -> Timestamp {
    moment(NOW).plus(span).expect("in range")
}

/// Moves the clock so long after its first moment.
fn advance_to(env: &TestEnv, span: Duration) {
    let millis = after(span).millis() - env.use_cases.now().millis();
    env.clock.advance(Duration::from_millis(millis.unsigned_abs()));
}

async fn token(env: &TestEnv, access: TokenAccess, end: Option<Duration>) -> RevealedToken {
    let draft = TokenDraft { expires_at: end.map(after).into(), ..TokenDraft::new(draft("x").name, access) };
    env.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued")
}

async fn patch(env: &TestEnv, token: &ApiToken, patch: TokenPatch) {
    let reference = TokenReference::Id(token.id);
    env.use_cases.instance_tokens.update(&system(), &reference, &patch).await.expect("changed");
}

async fn recorded(env: &TestEnv) -> usize {
    env.use_cases.notices.record().await.expect("recorded").recorded
}

async fn projects(env: &TestEnv) -> NoticedProjects {
    env.use_cases.notices.record().await.expect("recorded").projects
}

/// The kinds and the given member of the notices so far.
async fn notices(env: &TestEnv, member: &str) -> Vec<(EventKind, serde_json::Value)> {
    let kinds = [
        EventKind::ApiTokenExpiring,
        EventKind::ApiTokenExpiredInUse,
        EventKind::ApiTokenUnused,
        EventKind::ApiTokenPolicyViolated,
        EventKind::ApiTokenRotationDue,
    ];
    let events = env.events().await.into_iter().map(|event| event.record);
    let notices = events.filter(|event| kinds.contains(&event.kind)).map(|event| {
        assert_eq!((event.actor.user_id(), &event.before), (-1337, &None));
        let state = event.after.expect("a state");
        (event.kind, state.members().get(member).cloned().unwrap_or_default())
    });
    notices.collect()
}

#[tokio::test]
async fn an_end_is_noticed_once_for_each_number_of_days() {
    let env = TestEnv::with(noticing(&[14, 3, 0]));
    let made = token(&env, of_default(), Some(DAY * 100)).await;
    token(&env, TokenAccess::Admin, None).await;
    let mut all = Vec::new();
    for (days, noticed) in [(86, 14), (97, 3), (100, 0)] {
        advance_to(&env, DAY * (days - 1) + HOUR * 23);
        assert_eq!(recorded(&env).await, 0);
        env.clock.advance(HOUR);
        assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0), "once");
        all.push((EventKind::ApiTokenExpiring, noticed.into()));
        assert_eq!(notices(&env, "days").await, all);
    }
    let event = env.events().await.pop().expect("an event").record;
    assert_eq!(event.projects, Some(made.token.access.projects().clone()));
    let state = event.after.expect("a state");
    assert_eq!(state.text("id"), Some(made.token.id.to_string().as_str()));
    assert_eq!(state.text("expiresAt"), Some(after(DAY * 100).to_string().as_str()));
    env.clock.advance(DAY * 100);
    assert_eq!(recorded(&env).await, 0);
}

#[tokio::test]
async fn after_an_outage_the_last_notice_alone_is_recorded() {
    let env = TestEnv::with(noticing(&[14, 3, 0]));
    token(&env, of_default(), Some(DAY * 100)).await;
    env.clock.advance(DAY * 98);
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    assert_eq!(notices(&env, "days").await, [(EventKind::ApiTokenExpiring, 3.into())]);
    env.clock.advance(DAY * 9);
    assert_eq!(recorded(&env).await, 0, "that it ended a week ago is no news");
}

#[tokio::test]
async fn an_end_that_is_moved_is_noticed_anew() {
    let env = TestEnv::with(noticing(&[14, 3]));
    let made = token(&env, of_default(), Some(DAY * 100)).await;
    env.clock.advance(DAY * 90);
    assert_eq!(recorded(&env).await, 1);
    let end = Patched::Set(after(DAY * 200));
    patch(&env, &made.token, TokenPatch { expires_at: end, ..TokenPatch::default() }).await;
    assert_eq!(recorded(&env).await, 0);
    env.clock.advance(DAY * 100);
    assert_eq!(recorded(&env).await, 1);
    let back = Patched::Set(after(DAY * 192));
    patch(&env, &made.token, TokenPatch { expires_at: back, ..TokenPatch::default() }).await;
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    let days = [14, 14, 3].map(|days: i32| (EventKind::ApiTokenExpiring, days.into()));
    assert_eq!(notices(&env, "days").await, days);
}

#[tokio::test]
async fn neither_another_process_nor_a_clock_that_jumps_repeats_a_notice() {
    let env = TestEnv::with(noticing(&[14, 3, 0]));
    let ahead = env.beside_ahead(DAY * 30, noticing(&[14, 3, 0]));
    let mut made = Vec::new();
    for days in [20, 25, 40, 44] {
        made.push(token(&env, of_default(), Some(DAY * days)).await);
    }
    // One process is a month ahead, the other's clock goes back and forth.
    let mut sum = 0;
    for step in 0..60_u32 {
        sum += recorded(&ahead).await + recorded(&env).await;
        if step % 3 == 2 {
            env.clock.set_back(DAY);
            ahead.clock.set_back(DAY);
        } else {
            env.clock.advance(DAY);
            ahead.clock.advance(DAY);
        }
    }
    let mut seen = BTreeSet::new();
    for event in env.events().await.into_iter().map(|event| event.record) {
        if event.kind == EventKind::ApiTokenExpiring {
            let state = event.after.expect("a state");
            let notice = (state.text("id").map(str::to_owned), state.members()["days"].to_string());
            assert!(seen.insert(notice.clone()), "{notice:?}");
        }
    }
    assert_eq!(seen.len(), sum);
    assert!(sum >= made.len(), "{sum}");
}

#[tokio::test]
async fn of_many_tokens_each_is_noticed_once_by_several_processes() {
    let many = || {
        let settings = noticing(&[14]);
        let tokens = IssuingSettings { quota: Quota(u64::MAX), ..settings.tokens };
        Settings { tokens, ..settings }
    };
    let env = TestEnv::with(many());
    for day in 15..=36 {
        for _ in 0..100 {
            token(&env, of_default(), Some(DAY * day)).await;
        }
    }
    let others = [env.beside(sealer(), many()), env.beside(sealer(), many())];
    env.clock.advance(DAY * 25);
    let each = [&env, &others[0], &others[1]].map(|env| env.use_cases.notices.record());
    let each = futures_util::future::join_all(each).await;
    let sum: usize = each.into_iter().map(|found| found.expect("recorded").recorded).sum();
    // Those that end in up to a fortnight; those that have ended have no notice of that here.
    assert_eq!(sum, 1_100);
    assert_eq!(notices(&env, "days").await.len(), 1_100);
}

#[tokio::test]
async fn a_token_that_is_used_after_its_end_is_noticed_once() {
    let env = TestEnv::with(noticing(&[]));
    let (used, left) =
        (token(&env, of_default(), Some(HOUR)).await, token(&env, of_default(), Some(HOUR)).await);
    let using = async |token: &RevealedToken| {
        env.use_cases.follow_changes().await.expect("followed");
        let secret = token.secret.as_ref().expect("shown").reveal();
        let found = env.use_cases.authenticator.authenticate(secret, None).await;
        env.use_cases.flush_usage().await.expect("flushed");
        found.is_ok()
    };
    assert!(using(&used).await && using(&left).await);
    env.clock.advance(HOUR);
    assert_eq!(recorded(&env).await, 0);
    assert!(!using(&used).await);
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    assert_eq!(projects(&env).await, NoticedProjects { expired_in_use: 1, ..NoticedProjects::default() });
    let expired = (EventKind::ApiTokenExpiredInUse, used.token.id.to_string().into());
    assert_eq!(notices(&env, "id").await, vec![expired.clone()]);
    assert!(!using(&used).await);
    env.clock.advance(DAY * 2);
    assert_eq!(projects(&env).await, NoticedProjects::default(), "not in the last day");
    assert!(!using(&used).await);
    assert_eq!(recorded(&env).await, 0, "of the same end");

    // Another end is another notice, but not for the uses before it.
    let end = Patched::Set(after(DAY * 2 + HOUR * 4));
    patch(&env, &used.token, TokenPatch { expires_at: end, ..TokenPatch::default() }).await;
    env.clock.advance(HOUR * 3);
    assert_eq!(recorded(&env).await, 0);
    assert!(!using(&used).await);
    assert_eq!(recorded(&env).await, 1);
    assert_eq!(notices(&env, "id").await, [expired.clone(), expired]);
}

#[tokio::test]
async fn an_unused_token_is_noticed_before_it_is_disabled() {
    let unused = Unused::new(Some(term(30)), None).expect("in order").with_notice(Some(term(20)));
    let policy = Policy { unused: unused.expect("in order"), ..Policy::default() };
    let env = TestEnv::with(under(policy));
    let made = token(&env, of_default(), None).await;
    let is_enabled = async || {
        let found = env.store.find_token(made.token.id).await.expect("a lookup").expect("there");
        found.token.attributes.enabled.is_on()
    };
    let enforced = async || env.use_cases.enforce_unused().await.expect("enforced").disabled;
    // No server ran for long: the notice is late, and so is the disabling.
    env.clock.advance(DAY * 100);
    assert_eq!(enforced().await, 0);
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    assert_eq!(projects(&env).await, NoticedProjects { unused: 1, ..NoticedProjects::default() });
    let since = (EventKind::ApiTokenUnused, after(Duration::ZERO).to_string().into());
    assert_eq!(notices(&env, "unusedSince").await, [since]);
    env.clock.advance(DAY * 9 + Duration::from_millis(86_399_999));
    assert_eq!(enforced().await, 0);
    env.clock.advance(Duration::from_millis(1));
    assert_eq!((enforced().await, is_enabled().await), (1, false));
    assert_eq!(projects(&env).await, NoticedProjects::default(), "it is disabled");

    // Enabled again, it has the whole time anew, and another notice.
    let on = TokenPatch { enabled: Patched::Set(Enabled(true)), ..TokenPatch::default() };
    patch(&env, &made.token, on).await;
    env.clock.advance(DAY * 20);
    assert_eq!((recorded(&env).await, enforced().await), (1, 0));
    env.clock.advance(DAY * 10);
    let ended = env.use_cases.enforce_unused().await.expect("enforced");
    assert_eq!(ended, EndedUnused { disabled: 1, deleted: 0 });
}

#[tokio::test]
async fn a_token_that_is_used_after_its_notice_is_not_disabled() {
    let unused = Unused::new(Some(term(30)), None).expect("in order").with_notice(Some(term(20)));
    let policy = Policy { unused: unused.expect("in order"), ..Policy::default() };
    let env = TestEnv::with(under(policy));
    let made = token(&env, of_default(), None).await;
    env.clock.advance(DAY * 20);
    assert_eq!(recorded(&env).await, 1);
    env.clock.advance(DAY * 5);
    env.store.record_token_use(&[(made.token.id, env.use_cases.now())]).await.expect("recorded");
    env.clock.advance(DAY * 29);
    assert_eq!(env.use_cases.enforce_unused().await.expect("enforced").disabled, 0);
    assert_eq!(recorded(&env).await, 1, "it was not used since");
    env.clock.advance(DAY);
    assert_eq!(env.use_cases.enforce_unused().await.expect("enforced").disabled, 0, "the notice was late");
    env.clock.advance(DAY * 9);
    assert_eq!(env.use_cases.enforce_unused().await.expect("enforced").disabled, 1);
}

#[tokio::test]
async fn tokens_that_break_a_policy_are_noticed_when_it_is_set() {
    let env = TestEnv::with(noticing(&[]));
    env.project("shop").await;
    let both = ProjectSet::new(["default", "shop"].map(project_id)).expect("two");
    let made = token(&env, client_of(ProjectScope::Only(both)), Some(DAY * 50)).await;
    token(&env, client_of(ProjectScope::one(project_id("shop"))), Some(DAY * 20)).await;
    token(&env, of_default(), None).await;
    assert_eq!(recorded(&env).await, 0);
    let set = async |project: &str, draft: PolicyDraft| {
        env.use_cases.policies.set(&permit::<UpdateProject>(project), &draft).await.expect("set");
        (recorded(&env).await, recorded(&env).await)
    };
    let lifetime = |days| PolicyDraft { max_lifetime: Some(term(days)), ..PolicyDraft::default() };
    assert_eq!(set("shop", lifetime(40)).await, (1, 0));
    assert_eq!(set("shop", lifetime(50)).await, (0, 0));
    assert_eq!(set("shop", lifetime(40)).await, (0, 0), "of the same bound");
    assert_eq!(set("shop", lifetime(10)).await, (2, 0), "a tighter bound");
    assert_eq!(set("default", lifetime(10)).await, (1, 0));
    let described = PolicyDraft { require_description: Some(true), ..lifetime(10) };
    assert_eq!(set("shop", described).await, (2, 0));
    let rules: Vec<_> = notices(&env, "rule").await;
    let rule = |name: &str| (EventKind::ApiTokenPolicyViolated, name.into());
    let mut expected = vec![rule("max_lifetime"); 4];
    expected.extend(vec![rule("require_description"); 2]);
    assert_eq!(rules, expected);
    assert_eq!(projects(&env).await, NoticedProjects::default());

    // What was expired when a policy was set breaks nothing.
    env.clock.advance(DAY * 60);
    let late = env.beside(sealer(), under(Policy { require_expiry: true, ..Policy::default() }));
    assert_eq!(late.use_cases.notices.record().await.expect("recorded").recorded, 1);
    let found = env.store.find_token(made.token.id).await.expect("a lookup");
    assert_eq!(found.expect("there").token, made.token, "it is not changed");
}

#[tokio::test]
async fn a_rotation_that_is_due_is_noticed_once_each_time() {
    let env = TestEnv::with(noticing(&[]));
    let made = token(&env, of_default(), None).await.token;
    let every = TokenPatch { rotate_every: Patched::Set(term(30)), ..TokenPatch::default() };
    patch(&env, &made, every).await;
    let rotate = async || {
        let overlap = Overlap::new(Duration::ZERO).expect("short");
        let tokens = &env.use_cases.instance_tokens;
        let rotated = tokens.rotate(&system(), &TokenReference::Id(made.id), overlap).await;
        rotated.expect("rotated").token.rotation_due_at()
    };
    env.clock.advance(DAY * 29);
    assert_eq!(recorded(&env).await, 0);
    env.clock.advance(DAY);
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    assert_eq!(projects(&env).await, NoticedProjects { rotation_due: 1, ..NoticedProjects::default() });
    env.clock.advance(DAY * 5);
    assert_eq!(rotate().await, Some(after(DAY * 65)));
    assert_eq!(projects(&env).await, NoticedProjects::default());
    env.clock.advance(DAY * 30);
    assert_eq!((recorded(&env).await, recorded(&env).await), (1, 0));
    let due = [30, 65].map(|days| (EventKind::ApiTokenRotationDue, after(DAY * days).to_string().into()));
    assert_eq!(notices(&env, "rotationDueAt").await, due);
    let never = TokenPatch { rotate_every: Patched::Removed, ..TokenPatch::default() };
    patch(&env, &made, never).await;
    assert_eq!(rotate().await, None);
    env.clock.advance(DAY * 100);
    assert_eq!(recorded(&env).await, 0);
}

#[tokio::test]
async fn projects_are_counted_once_and_disabled_tokens_not_at_all() {
    let env = TestEnv::with(noticing(&[14]));
    for project in ["a", "b", "c"] {
        env.project(project).await;
    }
    let of = |ids: &[&str]| {
        let set = ProjectSet::new(ids.iter().map(|id| project_id(id))).expect("some");
        client_of(ProjectScope::Only(set))
    };
    token(&env, of(&["a"]), Some(DAY * 20)).await;
    token(&env, of(&["a", "b"]), Some(DAY * 20)).await;
    token(&env, client_of(ProjectScope::All), Some(DAY * 20)).await;
    let disabled = token(&env, of(&["c"]), Some(DAY * 20)).await.token;
    let off = TokenPatch { enabled: Patched::Set(Enabled(false)), ..TokenPatch::default() };
    patch(&env, &disabled, off).await;
    env.clock.advance(DAY * 10);
    let FoundNotices { recorded, projects } = env.use_cases.notices.record().await.expect("recorded");
    assert_eq!((recorded, projects), (3, NoticedProjects { expiring: 2, ..NoticedProjects::default() }));
}
