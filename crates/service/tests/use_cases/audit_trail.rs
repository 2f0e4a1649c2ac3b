//! Who reads which events, and for how long they are kept.

use std::time::Duration;

use latchkey_domain::{EventKind, ProjectScope, RoleId};
use latchkey_ports::Page;
use latchkey_service::{Caller, EventFilter, Missing, Permit, Reveal, RoleReference, ServiceError, Settings};

use crate::support::{House, client_of, project_id, settings, system};

#[tokio::test]
async fn events_are_read_by_those_who_may_read_what_they_are_about() {
    let house = House::new();
    house.project("a").await;
    house.project("b").await;
    let member = house.user("member", "Viewer").await;
    house.user("viewer", "Viewer").await;
    house.user("editor", "Editor").await;
    house.user("admin", "Admin").await;
    let in_a = Permit::request(&Caller::system(), project_id("a")).expect("may do everything");
    let role = [RoleReference::Id(RoleId(5))];
    house.use_cases.members.add(&in_a, vec![member.id], &role).await.expect("given");
    for project in ["a", "b"] {
        house.token(client_of(ProjectScope::one(project_id(project)))).await;
    }
    house.token(client_of(ProjectScope::All)).await;
    let created = EventFilter { kinds: vec![EventKind::ApiTokenCreated], ..EventFilter::default() };
    for (who, expected) in [("admin", 3), ("editor", 3), ("member", 1), ("viewer", 0)] {
        let caller = house.signed_in(who).await;
        let found = house.use_cases.audit_trail.search(&caller, created.clone(), Page::default()).await;
        assert_eq!(found.expect("searched").total, expected, "{who}");
    }
}

#[tokio::test]
async fn a_project_has_its_own_trail() {
    let house = House::new();
    house.project("a").await;
    house.token(client_of(ProjectScope::one(project_id("a")))).await;
    house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let trail = |project: &'static str| {
        let permit = Permit::request(&Caller::system(), project_id(project)).expect("may do everything");
        let trail = &house.use_cases.audit_trail;
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
    let house = House::with(Settings { retention: Some(kept_for), ..settings(Reveal::Always) });
    house.project("old").await;
    house.clock.advance(Duration::from_secs(60));
    house.project("young").await;
    assert_eq!(house.use_cases.sweep().await.expect("swept"), 0);
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.use_cases.sweep().await.expect("swept"), 1);
    house.clock.advance(Duration::from_secs(9_999));
    assert_eq!(house.use_cases.sweep().await.expect("swept"), 0, "the newest stays");
    let left = house.use_cases.audit_trail.list(&system(), EventFilter::default(), Page::default()).await;
    assert_eq!(left.expect("read").total, 1);
}
