//! Policies of projects.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use latchkey_domain::{EventKind, NewEvent, Policy, ProjectId, Snapshot, Term, Unused};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    harness::{ErrorKind, exactly_one_succeeds, expect_error, expect_event},
    samples::{event, project_id, project_removal},
    setup,
};

fn term(days: u64) -> Term {
    Term::new(Duration::from_secs(days * 86_400)).expect("a term")
}

fn lifetime(days: u64) -> Policy {
    Policy { max_lifetime: Some(term(days)), ..Policy::default() }
}

fn everything() -> Policy {
    Policy {
        max_lifetime: Some(term(Term::MAX_DAYS)),
        default_lifetime: Some(Term::new(Duration::from_secs(1)).expect("a term")),
        require_expiry: true,
        require_description: true,
        allow_all_projects: false,
        unused: Unused::new(Some(term(30)), Some(term(60)))
            .expect("in order")
            .with_notice(Some(term(20)))
            .expect("in order"),
    }
}

fn changed(before: &Policy, after: &Policy) -> NewEvent {
    let (before, after) = (Some(Snapshot::from(before)), Some(Snapshot::from(after)));
    NewEvent { before, after, subject: None, environment: None, ..event(EventKind::ProjectPolicyUpdated) }
}

async fn set(store: &dyn Store, project: &str, before: &Policy, after: &Policy) -> Result<(), StoreError> {
    store.set_policy(&project_id(project), before, after, &changed(before, after)).await.map(drop)
}

async fn policies(store: &dyn Store) -> BTreeMap<ProjectId, Policy> {
    store.policies().await.expect("policies")
}

/// A policy is read back as it was set, with its event; the default policy is none.
pub async fn a_policy_round_trips(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    assert_eq!(policies(store).await, BTreeMap::new());
    let (a, default) = (project_id("a"), Policy::default());
    for (before, after) in [(default, everything()), (everything(), lifetime(90)), (lifetime(90), default)] {
        let event = changed(&before, &after);
        expect_event(store, &event, store.set_policy(&a, &before, &after, &event)).await;
        let kept = (after != default).then(|| (a.clone(), after));
        let kept: BTreeMap<ProjectId, Policy> = kept.into_iter().collect();
        assert_eq!(policies(store).await, kept);
        let found = store.policies_of(&[project_id("b"), a.clone()]).await.expect("policies");
        assert_eq!(found, kept);
    }
}

/// Only the policies of the projects asked for are found, however many those are.
pub async fn policies_of_some_projects_are_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b", "c"]).await;
    for (id, days) in [("a", 1), ("b", 2)] {
        set(store, id, &Policy::default(), &lifetime(days)).await.expect("set");
    }
    let found = async |ids: &[ProjectId]| store.policies_of(ids).await.expect("policies");
    assert_eq!(found(&[]).await, BTreeMap::new());
    assert_eq!(found(&["c", "nosuch"].map(project_id)).await, BTreeMap::new());
    assert_eq!(found(&["c", "b"].map(project_id)).await, BTreeMap::from([(project_id("b"), lifetime(2))]));
    let mut many: Vec<ProjectId> = (0..2_500).map(|number| project_id(&format!("p{number}"))).collect();
    many.push(project_id("a"));
    assert_eq!(found(&many).await, BTreeMap::from([(project_id("a"), lifetime(1))]));
    assert_eq!(policies(store).await.len(), 2);
}

/// A policy is set in place of the one that the caller saw, and of no other.
pub async fn a_stale_policy_is_not_replaced(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let stale = ErrorKind::Stale(Entity::Project(project_id("a")));
    let (default, one, other) = (Policy::default(), lifetime(1), lifetime(2));
    assert_eq!(expect_error(store, set(store, "a", &one, &other)).await, stale);
    set(store, "a", &default, &one).await.expect("set");
    for seen in [default, other] {
        assert_eq!(expect_error(store, set(store, "a", &seen, &everything())).await, stale);
    }
}

/// A project that is not there has no policy.
pub async fn the_policy_of_an_unknown_project_is_not_set(store: &Arc<dyn Store>) {
    let missing = ErrorKind::NotFound(Entity::Project(project_id("nosuch")));
    let store = store.as_ref();
    assert_eq!(expect_error(store, set(store, "nosuch", &Policy::default(), &lifetime(1))).await, missing);
}

/// A policy ends with its project, and another project of the same id begins without.
pub async fn a_policy_ends_with_its_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    for id in ["a", "b"] {
        set(store, id, &Policy::default(), &everything()).await.expect("set");
    }
    store.delete_project(&project_removal("a")).await.expect("deleted");
    assert_eq!(policies(store).await, BTreeMap::from([(project_id("b"), everything())]));
    setup::projects(store, &["a"]).await;
    assert_eq!(store.policies_of(&[project_id("a")]).await.expect("policies"), BTreeMap::new());
}

/// Of concurrent changes of one policy, one is made.
pub async fn of_concurrent_changes_of_a_policy_one_is_made(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a"]).await;
    let stale = ErrorKind::Stale(Entity::Project(project_id("a")));
    let calls = (1..=10).map(|days| {
        let store = Arc::clone(store);
        async move { set(store.as_ref(), "a", &Policy::default(), &lifetime(days)).await.map(|()| days) }
    });
    let days = exactly_one_succeeds(store.as_ref(), stale, calls).await;
    assert_eq!(policies(store.as_ref()).await, BTreeMap::from([(project_id("a"), lifetime(days))]));
}
