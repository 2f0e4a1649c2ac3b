//! Environments: created, listed, sorted and changed, and the environments of projects.

use std::sync::Arc;

use latchkey_domain::{Environment, EnvironmentKind, EventId, EventKind};
use latchkey_ports::{Entity, EnvironmentOverview, Store, StoreError};

use crate::{
    harness::{
        ErrorKind, all_tokens, exactly_one_succeeds, expect_error, expect_event, partition_results,
        run_concurrently,
    },
    samples::{
        admin_token, environment, environment_removal, event, project_id, project_removal, test_environment,
        token, token_deleted, token_of_all_projects, working_in,
    },
    setup,
};

async fn create(store: &dyn Store, environment: &Environment) -> Result<EventId, StoreError> {
    store.create_environment(environment, &event(EventKind::EnvironmentCreated)).await
}

async fn change(store: &dyn Store, before: &Environment, after: &Environment) -> Result<EventId, StoreError> {
    store.update_environment(before, after, &event(EventKind::EnvironmentUpdated)).await
}

/// Expects the environment in lookups and lists, in no project and without tokens.
async fn assert_stored(store: &dyn Store, expected: &Environment) {
    let found = store.find_environment(&expected.name).await.expect("a lookup");
    assert_eq!(found.as_ref(), Some(expected));
    let overview = EnvironmentOverview { environment: expected.clone(), projects: 0, tokens: 0 };
    assert!(store.environments().await.expect("environments").contains(&overview));
}

async fn names(store: &dyn Store) -> Vec<String> {
    let listed = store.environments().await.expect("environments");
    listed.into_iter().map(|one| one.environment.name.to_string()).collect()
}

/// Returns environments that cover all values of all fields.
fn environments_of_every_kind() -> Vec<Environment> {
    let longest = "x".repeat(100);
    vec![
        test_environment("staging"),
        Environment { kind: EnvironmentKind::Development, sort_order: 0, ..test_environment("-") },
        Environment { kind: EnvironmentKind::PreProduction, enabled: false, ..test_environment("a.b~c_d") },
        Environment { kind: EnvironmentKind::Production, sort_order: i32::MAX, ..test_environment(&longest) },
        Environment { sort_order: i32::MIN, ..test_environment("Staging") },
        // New environments may not have this name, but stored ones with it must still be readable.
        test_environment(".."),
    ]
}

/// Environments of every kind are read back, each with its event, and can be used by tokens at once.
pub async fn every_kind_of_environment_round_trips(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, environment) in (1..).zip(environments_of_every_kind()) {
        expect_event(store, &event(EventKind::EnvironmentCreated), create(store, &environment)).await;
        assert_stored(store, &environment).await;
        setup::token(store, &working_in(environment.name.as_str(), token(number, &["default"]))).await;
    }
}

/// A name is used once, whatever else differs; names are case-sensitive.
pub async fn an_environment_name_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["staging"]).await;
    for name in ["staging", "production"] {
        let again =
            Environment { kind: EnvironmentKind::PreProduction, sort_order: 7, ..test_environment(name) };
        let refused = expect_error(store, create(store, &again)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::Environment(environment(name))));
    }
    create(store, &test_environment("Staging")).await.expect("another name");
}

/// Ties in sort order are broken by name, byte by byte, whatever the order of creation.
pub async fn environments_are_listed_by_sort_order_and_name(store: &Arc<dyn Store>) {
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

/// Kind, sort order and state change, alone and together, with the event; tokens and other environments
/// stay.
pub async fn every_field_of_an_environment_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["staging", "Staging"]).await;
    let was = test_environment("staging");
    let mut before = was.clone();
    for after in [
        Environment { kind: EnvironmentKind::Production, ..was.clone() },
        Environment { sort_order: i32::MIN, ..was.clone() },
        Environment { enabled: false, ..was.clone() },
        Environment { kind: EnvironmentKind::PreProduction, sort_order: i32::MAX, ..was.clone() },
        was,
    ] {
        expect_event(store, &event(EventKind::EnvironmentUpdated), change(store, &before, &after)).await;
        assert_stored(store, &after).await;
        before = after;
    }
    assert_stored(store, &test_environment("Staging")).await;
    let off = Environment { enabled: false, ..before.clone() };
    change(store, &before, &off).await.expect("changed");
    setup::token(store, &working_in("staging", token(1, &["default"]))).await;
}

/// If any field differs from the expected one, nothing changes.
pub async fn a_stale_environment_update_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["staging"]).await;
    let existing = || test_environment("staging");
    for seen in [
        Environment { kind: EnvironmentKind::Production, ..existing() },
        Environment { sort_order: 101, ..existing() },
        Environment { enabled: false, ..existing() },
    ] {
        for after in [Environment { sort_order: 7, ..existing() }, existing()] {
            let refused = expect_error(store, change(store, &seen, &after)).await;
            assert_eq!(refused, ErrorKind::Stale(Entity::Environment(environment("staging"))), "{seen:?}");
        }
    }
}

/// An environment that does not exist, or no longer exists, is neither changed nor recreated.
pub async fn updating_an_unknown_environment_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["gone"]).await;
    store.delete_environment(&environment_removal("gone")).await.expect("removed");
    for name in ["gone", "nope", "Production"] {
        let (before, after) =
            (test_environment(name), Environment { enabled: false, ..test_environment(name) });
        let refused = expect_error(store, change(store, &before, &after)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Environment(environment(name))));
    }
}

/// Several sort orders change with one event; environments that are not named keep theirs.
pub async fn sort_orders_change_together(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["a", "b", "c"]).await;
    let orders = [("production", 1), ("b", i32::MIN), ("a", i32::MAX)];
    let orders = orders.map(|(name, order)| (environment(name), order));
    let sorted = event(EventKind::EnvironmentsSorted);
    expect_event(store, &sorted, store.sort_environments(&orders, &sorted)).await;
    assert_eq!(names(store).await, ["b", "production", "development", "c", "a"]);
    assert_stored(store, &Environment { sort_order: i32::MAX, ..test_environment("a") }).await;
    assert_stored(store, &test_environment("c")).await;
    let overview = store.project_overview(&project_id("default")).await.expect("a lookup").expect("there");
    assert_eq!(overview.environments, ["production", "development"].map(environment));
}

/// If one environment is unknown, the first such is reported, and none changes.
pub async fn sort_orders_change_all_or_none(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let orders = [("production", 1), ("nope", 2), ("Production", 3), ("development", 4)];
    let orders = orders.map(|(name, order)| (environment(name), order));
    let sorted = event(EventKind::EnvironmentsSorted);
    let refused = expect_error(store, store.sort_environments(&orders, &sorted)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::Environment(environment("nope"))));
}

/// The counts of projects and tokens are exact after each change.
pub async fn the_projects_and_tokens_of_an_environment_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["staging"]).await;
    setup::projects(store, &["a", "b"]).await;
    for id in ["a", "b"] {
        setup::project_environments(store, id, &["staging"]).await;
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
        // A token may use an environment that its project does not contain.
        token(6, &["b"]),
    ];
    setup::tokens(store, &tokens).await;
    assert_eq!(counts().await, [(1, 1), (1, 1), (2, 3)]);
    store.delete_token(tokens[4].token.id, &token_deleted(&tokens[4])).await.expect("removed");
    store.delete_token(tokens[3].token.id, &token_deleted(&tokens[3])).await.expect("removed");
    assert_eq!(counts().await, [(1, 1), (1, 0), (2, 3)]);
    store.delete_project(&project_removal("a")).await.expect("removed");
    assert_eq!(counts().await, [(1, 1), (1, 0), (1, 2)]);
    store.delete_project(&project_removal("b")).await.expect("removed");
    assert_eq!(counts().await, [(1, 0), (1, 0), (0, 1)]);
}

/// Of 2 and of 30 concurrent updates of the same state, one succeeds, completely.
pub async fn one_of_concurrent_environment_updates_succeeds(store: &Arc<dyn Store>) {
    for (name, calls) in [("a", 2), ("b", 30)] {
        setup::environments(store.as_ref(), &[name]).await;
        let calls = (0..calls).map(|sort_order| {
            let store = Arc::clone(store);
            let after = Environment { sort_order, enabled: sort_order % 2 == 0, ..test_environment(name) };
            async move { change(store.as_ref(), &test_environment(name), &after).await.map(|_| after) }
        });
        let stale = ErrorKind::Stale(Entity::Environment(environment(name)));
        let winner = exactly_one_succeeds(store.as_ref(), stale, calls).await;
        assert_stored(store.as_ref(), &winner).await;
    }
}

/// Of 20 concurrent environments with the same name, one is created.
pub async fn one_of_concurrent_environments_with_the_same_name_is_created(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|sort_order| {
        let store = Arc::clone(store);
        let new = Environment { sort_order, ..test_environment("staging") };
        async move { create(store.as_ref(), &new).await.map(|_| new) }
    });
    let conflicting = ErrorKind::Conflict(Entity::Environment(environment("staging")));
    let winner = exactly_one_succeeds(store.as_ref(), conflicting, calls).await;
    assert_stored(store.as_ref(), &winner).await;
}

async fn add_to_project(store: &dyn Store, project: &str, name: &str) -> Result<EventId, StoreError> {
    let event = event(EventKind::ProjectEnvironmentAdded);
    store.add_project_environment(&project_id(project), &environment(name), &event).await
}

async fn remove_from_project(store: &dyn Store, project: &str, name: &str) -> Result<EventId, StoreError> {
    let event = event(EventKind::ProjectEnvironmentRemoved);
    store.remove_project_environment(&project_id(project), &environment(name), &event).await
}

async fn names_in_project(store: &dyn Store, project: &str) -> Vec<String> {
    let overview = store.project_overview(&project_id(project)).await.expect("a lookup").expect("there");
    overview.environments.iter().map(ToString::to_string).collect()
}

/// Each change records its event, in list order; other projects stay.
pub async fn an_environment_is_added_to_and_removed_from_a_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "A"]).await;
    setup::environments(store, &["test"]).await;
    let added = event(EventKind::ProjectEnvironmentAdded);
    expect_event(store, &added, add_to_project(store, "a", "test")).await;
    expect_event(store, &added, add_to_project(store, "a", "production")).await;
    assert_eq!(names_in_project(store, "a").await, ["production", "test"]);
    expect_event(
        store,
        &event(EventKind::ProjectEnvironmentRemoved),
        remove_from_project(store, "a", "production"),
    )
    .await;
    assert_eq!(names_in_project(store, "a").await, ["test"]);
    expect_event(store, &added, add_to_project(store, "a", "production")).await;
    assert_eq!(names_in_project(store, "a").await, ["production", "test"]);
    assert_eq!(names_in_project(store, "A").await, [""; 0]);
    assert_eq!(names_in_project(store, "default").await, ["development", "production"]);
}

/// A project may have no environments.
pub async fn the_last_environment_of_a_project_can_be_removed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for name in ["production", "development"] {
        remove_from_project(store, "default", name).await.expect("removed");
    }
    assert_eq!(names_in_project(store, "default").await, [""; 0]);
}

/// Tokens stay, and can be created for an environment that is not in the project.
pub async fn project_environments_do_not_affect_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), working_in("production", token(2, &["default"]))];
    setup::tokens(store, &tokens).await;
    remove_from_project(store, "default", "development").await.expect("removed");
    assert_eq!(all_tokens(store).await, tokens);
    setup::token(store, &token(3, &["default"])).await;
}

/// An environment that is in the project cannot be added again.
pub async fn adding_an_environment_twice_fails(store: &Arc<dyn Store>) {
    let refused = expect_error(store.as_ref(), add_to_project(store.as_ref(), "default", "production")).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::Environment(environment("production"))));
}

/// The unknown project is reported first, then the unknown environment; both are case-sensitive.
pub async fn unknown_projects_and_environments_are_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (project, name) in [("nope", "nope"), ("nope", "production"), ("Default", "production")] {
        let not_found = ErrorKind::NotFound(Entity::Project(project_id(project)));
        assert_eq!(expect_error(store, add_to_project(store, project, name)).await, not_found);
        assert_eq!(expect_error(store, remove_from_project(store, project, name)).await, not_found);
    }
    for name in ["nope", "Production", "productio_"] {
        let not_found = ErrorKind::NotFound(Entity::Environment(environment(name)));
        assert_eq!(expect_error(store, add_to_project(store, "default", name)).await, not_found);
        assert_eq!(expect_error(store, remove_from_project(store, "default", name)).await, not_found);
    }
}

/// The environment must be in this project, and can be removed once.
pub async fn removing_an_environment_that_is_not_in_the_project_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let not_found = ErrorKind::NotFound(Entity::Environment(environment("production")));
    assert_eq!(expect_error(store, remove_from_project(store, "a", "production")).await, not_found);
    remove_from_project(store, "default", "production").await.expect("removed");
    assert_eq!(expect_error(store, remove_from_project(store, "default", "production")).await, not_found);
}

/// Of 30 concurrent additions, and of 30 concurrent removals, one succeeds.
pub async fn one_of_concurrent_changes_of_a_project_environment_succeeds(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a"]).await;
    let name = Entity::Environment(environment("production"));
    let additions = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { add_to_project(store.as_ref(), "a", "production").await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(name.clone()), additions).await;
    let removals = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { remove_from_project(store.as_ref(), "a", "production").await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::NotFound(name), removals).await;
    assert_eq!(names_in_project(store.as_ref(), "a").await, [""; 0]);
}

/// After its deletion the environment is in no project.
pub async fn an_environment_deleted_while_it_is_added_is_in_no_project(store: &Arc<dyn Store>) {
    let ids: Vec<String> = (0..12).map(|number| format!("p{number}")).collect();
    setup::projects(store.as_ref(), &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    setup::environments(store.as_ref(), &["staging"]).await;
    let calls = ids.clone().into_iter().enumerate().map(|(number, id)| {
        let store = Arc::clone(store);
        async move {
            if number == 6 {
                store.delete_environment(&environment_removal("staging")).await
            } else {
                add_to_project(store.as_ref(), &id, "staging").await
            }
        }
    });
    let (_, refused) = partition_results(run_concurrently(calls).await);
    let not_found = ErrorKind::NotFound(Entity::Environment(environment("staging")));
    assert!(refused.iter().all(|refusal| *refusal == not_found), "{refused:?}");
    for id in ids {
        assert_eq!(names_in_project(store.as_ref(), &id).await, [""; 0]);
    }
}
