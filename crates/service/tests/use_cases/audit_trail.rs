//! Access to events, and their retention.

use std::time::Duration;

use latchkey_domain::{EventKind, ProjectScope, RoleId};
use latchkey_ports::Page;
use latchkey_service::{Caller, EventFilter, Missing, Permit, Reveal, RoleReference, ServiceError, Settings};

use crate::support::{TestEnv, client_of, project_id, settings, system};

#[tokio::test]
async fn events_are_read_by_those_who_may_read_what_they_are_about() {
    let env = TestEnv::new();
    env.project("a").await;
    env.project("b").await;
    let member = env.user("member", "Viewer").await;
    env.user("viewer", "Viewer").await;
    env.user("editor", "Editor").await;
    env.user("admin", "Admin").await;
    let in_a = Permit::request(&Caller::system(), project_id("a")).expect("may do everything");
    let role = [RoleReference::Id(RoleId(5))];
    env.use_cases.members.add(&in_a, vec![member.id], vec![], &role).await.expect("given");
    for project in ["a", "b"] {
        env.token(client_of(ProjectScope::one(project_id(project)))).await;
    }
    env.token(client_of(ProjectScope::All)).await;
    let created = EventFilter { kinds: vec![EventKind::ApiTokenCreated], ..EventFilter::default() };
    for (who, expected) in [("admin", 3), ("editor", 3), ("member", 1), ("viewer", 0)] {
        let caller = env.signed_in(who).await;
        let found = env.use_cases.audit_trail.search(&caller, created.clone(), Page::default()).await;
        assert_eq!(found.expect("searched").total, expected, "{who}");
    }
}

#[tokio::test]
async fn a_project_has_its_own_trail() {
    let env = TestEnv::new();
    env.project("a").await;
    env.token(client_of(ProjectScope::one(project_id("a")))).await;
    env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let trail = |project: &'static str| {
        let permit = Permit::request(&Caller::system(), project_id(project)).expect("may do everything");
        let trail = &env.use_cases.audit_trail;
        async move { trail.of_project(&permit, Page::first(10)).await }
    };
    let kinds: Vec<_> =
        trail("a").await.expect("read").events.iter().map(|event| event.record.kind).collect();
    assert_eq!(kinds, [EventKind::ApiTokenCreated, EventKind::ProjectCreated], "newest first");
    let unknown = trail("nope").await;
    assert!(matches!(unknown, Err(ServiceError::NotFound(Missing::Project(_)))), "{unknown:?}");
}

#[tokio::test]
async fn old_events_are_forgotten_where_an_operator_says_so() {
    let kept_for = Duration::from_secs(100);
    let env = TestEnv::with(Settings { retention: Some(kept_for), ..settings(Reveal::Always) });
    env.project("old").await;
    env.use_cases.audit_seals.seal().await.expect("sealed");
    env.clock.advance(Duration::from_secs(60));
    env.project("young").await;
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 0);
    env.clock.advance(Duration::from_secs(60));
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 1);
    env.clock.advance(Duration::from_secs(9_999));
    assert_eq!(env.use_cases.sweep().await.expect("swept"), 0, "the newest stays");
    let left = env.use_cases.audit_trail.list(&system(), EventFilter::default(), Page::default()).await;
    assert_eq!(left.expect("read").total, 1);
}
