//! Environments: made, found, listed, sorted and changed.

use std::sync::Arc;

use latchkey_domain::{Environment, EnvironmentKind, EventId, EventKind};
use latchkey_ports::{Entity, EnvironmentOverview, Store, StoreError};

use crate::{
    at_once::one_wins,
    given,
    observed::{ServiceError, leaves, refusal},
    samples::{
        admin_token, environment, environment_removal, event, project_id, project_removal, test_environment,
        token, token_deleted, token_of_all_projects, working_in,
    },
};

async fn create(store: &dyn Store, environment: &Environment) -> Result<EventId, StoreError> {
    store.create_environment(environment, &event(EventKind::EnvironmentCreated)).await
}

async fn change(store: &dyn Store, before: &Environment, after: &Environment) -> Result<EventId, StoreError> {
    store.update_environment(before, after, &event(EventKind::EnvironmentUpdated)).await
}

/// Finds it, alone and in the list, in no project and without tokens.
async fn is_there(store: &dyn Store, expected: &Environment) {
    let found = store.find_environment(&expected.name).await.expect("a look-up");
    assert_eq!(found.as_ref(), Some(expected));
    let overview = EnvironmentOverview { environment: expected.clone(), projects: 0, tokens: 0 };
    assert!(store.environments().await.expect("environments").contains(&overview));
}

async fn names(store: &dyn Store) -> Vec<String> {
    let listed = store.environments().await.expect("environments");
    listed.into_iter().map(|one| one.environment.name.to_string()).collect()
}

/// What every environment but the first can be.
fn of_all_sorts() -> Vec<Environment> {
    let longest = "x".repeat(100);
    vec![
        test_environment("staging"),
        Environment { kind: EnvironmentKind::Development, sort_order: 0, ..test_environment("-") },
        Environment { kind: EnvironmentKind::PreProduction, enabled: false, ..test_environment("a.b~c_d") },
        Environment { kind: EnvironmentKind::Production, sort_order: i32::MAX, ..test_environment(&longest) },
        Environment { sort_order: i32::MIN, ..test_environment("Staging") },
        // No new one may be called so; one that is from before is read all the same.
        test_environment(".."),
    ]
}

/// Environments of every sort are read back equal, each with its event; tokens can work in them at once.
pub async fn every_sort_is_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, environment) in (1..).zip(of_all_sorts()) {
        leaves(store, &event(EventKind::EnvironmentCreated), create(store, &environment)).await;
        is_there(store, &environment).await;
        given::token(store, &working_in(environment.name.as_str(), token(number, &["default"]))).await;
    }
}

/// A name is taken once, also by an environment that differs in everything else; case matters.
pub async fn a_name_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["staging"]).await;
    for name in ["staging", "production"] {
        let again =
            Environment { kind: EnvironmentKind::PreProduction, sort_order: 7, ..test_environment(name) };
        let refused = refusal(store, create(store, &again)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::Environment(environment(name))));
    }
    create(store, &test_environment("Staging")).await.expect("another name");
}

/// A list goes by sort order, then name, byte by byte, whatever the order of creation.
pub async fn a_list_is_sorted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (last, first) = (i32::MAX, i32::MIN);
    for (name, sort_order) in
        [("b", 2), ("z", first), ("a", 3), ("B", 2), ("y", last), ("_", 2), ("x", 0), ("a-b", 2), ("w", -5)]
    {
        create(store, &Environment { sort_order, ..test_environment(name) }).await.expect("created");
    }
    let expected = ["z", "w", "x", "B", "_", "a-b", "b", "development", "a", "production", "y"];
    assert_eq!(names(store).await, expected);
}

/// Its kind, its place and its state change, alone and together, with the event; its tokens go on, and others stay.
pub async fn everything_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["staging", "Staging"]).await;
    let was = test_environment("staging");
    let mut before = was.clone();
    for after in [
        Environment { kind: EnvironmentKind::Production, ..was.clone() },
        Environment { sort_order: i32::MIN, ..was.clone() },
        Environment { enabled: false, ..was.clone() },
        Environment { kind: EnvironmentKind::PreProduction, sort_order: i32::MAX, ..was.clone() },
        was,
    ] {
        leaves(store, &event(EventKind::EnvironmentUpdated), change(store, &before, &after)).await;
        is_there(store, &after).await;
        before = after;
    }
    is_there(store, &test_environment("Staging")).await;
    let off = Environment { enabled: false, ..before.clone() };
    change(store, &before, &off).await.expect("changed");
    given::token(store, &working_in("staging", token(1, &["default"]))).await;
}

/// Where anything is not as the caller saw it, nothing changes.
pub async fn an_environment_that_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["staging"]).await;
    let kept = || test_environment("staging");
    for seen in [
        Environment { kind: EnvironmentKind::Production, ..kept() },
        Environment { sort_order: 101, ..kept() },
        Environment { enabled: false, ..kept() },
    ] {
        for after in [Environment { sort_order: 7, ..kept() }, kept()] {
            let refused = refusal(store, change(store, &seen, &after)).await;
            assert_eq!(refused, ServiceError::Stale(Entity::Environment(environment("staging"))), "{seen:?}");
        }
    }
}

/// An environment that is not there, or not any more, does not change and does not come back.
pub async fn an_environment_that_is_not_there(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["gone"]).await;
    store.delete_environment(&environment_removal("gone")).await.expect("removed");
    for name in ["gone", "nope", "Production"] {
        let (before, after) =
            (test_environment(name), Environment { enabled: false, ..test_environment(name) });
        let refused = refusal(store, change(store, &before, &after)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Environment(environment(name))));
    }
}

/// Places in lists change together, with one event; whoever is not named keeps the place.
pub async fn places_change_together(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["a", "b", "c"]).await;
    let orders = [("production", 1), ("b", i32::MIN), ("a", i32::MAX)];
    let orders = orders.map(|(name, order)| (environment(name), order));
    let sorted = event(EventKind::EnvironmentsSorted);
    leaves(store, &sorted, store.sort_environments(&orders, &sorted)).await;
    assert_eq!(names(store).await, ["b", "production", "development", "c", "a"]);
    is_there(store, &Environment { sort_order: i32::MAX, ..test_environment("a") }).await;
    is_there(store, &test_environment("c")).await;
    let overview = store.project_overview(&project_id("default")).await.expect("a look-up").expect("there");
    assert_eq!(overview.environments, ["production", "development"].map(environment));
}

/// If one is not there, the first such is named, and none of them moves.
pub async fn all_places_or_none(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let orders = [("production", 1), ("nope", 2), ("Production", 3), ("development", 4)];
    let orders = orders.map(|(name, order)| (environment(name), order));
    let sorted = event(EventKind::EnvironmentsSorted);
    let refused = refusal(store, store.sort_environments(&orders, &sorted)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::Environment(environment("nope"))));
}

/// A list says in how many projects an environment is and how many tokens work in it, after each change.
pub async fn counts_are_exact(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["staging"]).await;
    given::projects(store, &["a", "b"]).await;
    for id in ["a", "b"] {
        given::project_environments(store, id, &["staging"]).await;
    }
    let counts = async || {
        let listed = store.environments().await.expect("environments");
        listed.into_iter().map(|one| (one.projects, one.tokens)).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [(1, 0), (1, 0), (2, 0)]);
    let tokens = [
        working_in("staging", token(1, &["a"])),
        working_in("staging", token(2, &["a", "b"])),
        working_in("staging", token_of_all_projects(3)),
        admin_token(4),
        working_in("production", token(5, &["a"])),
        // Where a token works, its project's environments do not decide.
        token(6, &["b"]),
    ];
    given::tokens(store, &tokens).await;
    assert_eq!(counts().await, [(1, 1), (1, 1), (2, 3)]);
    store.delete_token(tokens[4].token.id, &token_deleted(&tokens[4])).await.expect("removed");
    store.delete_token(tokens[3].token.id, &token_deleted(&tokens[3])).await.expect("removed");
    assert_eq!(counts().await, [(1, 1), (1, 0), (2, 3)]);
    store.delete_project(&project_removal("a")).await.expect("removed");
    assert_eq!(counts().await, [(1, 1), (1, 0), (1, 2)]);
    store.delete_project(&project_removal("b")).await.expect("removed");
    assert_eq!(counts().await, [(1, 0), (1, 0), (0, 1)]);
}

/// Of two, and of 30, that saw the same and change it at once, one is done, whole.
pub async fn one_change_wins(store: &Arc<dyn Store>) {
    for (name, calls) in [("a", 2), ("b", 30)] {
        given::environments(store.as_ref(), &[name]).await;
        let calls = (0..calls).map(|sort_order| {
            let store = Arc::clone(store);
            let after = Environment { sort_order, enabled: sort_order % 2 == 0, ..test_environment(name) };
            async move { change(store.as_ref(), &test_environment(name), &after).await.map(|_| after) }
        });
        let stale = ServiceError::Stale(Entity::Environment(environment(name)));
        let winner = one_wins(store.as_ref(), stale, calls).await;
        is_there(store.as_ref(), &winner).await;
    }
}

/// Of 20 environments of one name at once, there is one then.
pub async fn one_environment_wins(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|sort_order| {
        let store = Arc::clone(store);
        let new = Environment { sort_order, ..test_environment("staging") };
        async move { create(store.as_ref(), &new).await.map(|_| new) }
    });
    let taken = ServiceError::Conflict(Entity::Environment(environment("staging")));
    let winner = one_wins(store.as_ref(), taken, calls).await;
    is_there(store.as_ref(), &winner).await;
}
