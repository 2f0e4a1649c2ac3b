//! Which environments are in which projects.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_tokens, leaves, refusal, sorted},
    samples::{environment, environment_removal, event, project_id, token, working_in},
};

async fn add(store: &dyn Store, project: &str, name: &str) -> Result<EventId, StoreError> {
    let event = event(EventKind::ProjectEnvironmentAdded);
    store.add_project_environment(&project_id(project), &environment(name), &event).await
}

async fn remove(store: &dyn Store, project: &str, name: &str) -> Result<EventId, StoreError> {
    let event = event(EventKind::ProjectEnvironmentRemoved);
    store.remove_project_environment(&project_id(project), &environment(name), &event).await
}

async fn names(store: &dyn Store, project: &str) -> Vec<String> {
    let overview = store.project_overview(&project_id(project)).await.expect("a look-up").expect("there");
    overview.environments.iter().map(ToString::to_string).collect()
}

/// Added and taken out, each time with the event, in the order of lists; other projects stay as they are.
pub async fn there_and_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "A"]).await;
    given::environments(store, &["test"]).await;
    let added = event(EventKind::ProjectEnvironmentAdded);
    leaves(store, &added, add(store, "a", "test")).await;
    leaves(store, &added, add(store, "a", "production")).await;
    assert_eq!(names(store, "a").await, ["production", "test"]);
    leaves(store, &event(EventKind::ProjectEnvironmentRemoved), remove(store, "a", "production")).await;
    assert_eq!(names(store, "a").await, ["test"]);
    leaves(store, &added, add(store, "a", "production")).await;
    assert_eq!(names(store, "a").await, ["production", "test"]);
    assert_eq!(names(store, "A").await, [""; 0]);
    assert_eq!(names(store, "default").await, ["development", "production"]);
}

/// The last one can be taken out too.
pub async fn a_project_may_have_none(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for name in ["production", "development"] {
        remove(store, "default", name).await.expect("taken out");
    }
    assert_eq!(names(store, "default").await, [""; 0]);
}

/// Tokens are not touched, and can be created for an environment that is not in the project.
pub async fn tokens_are_not_touched(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), working_in("production", token(2, &["default"]))];
    given::tokens(store, &tokens).await;
    remove(store, "default", "development").await.expect("taken out");
    assert_eq!(all_tokens(store).await, tokens);
    given::token(store, &token(3, &["default"])).await;
}

/// What is in the project is not added again.
pub async fn an_environment_is_in_a_project_once(store: &Arc<dyn Store>) {
    let refused = refusal(store.as_ref(), add(store.as_ref(), "default", "production")).await;
    assert_eq!(refused, ServiceError::Conflict(Entity::Environment(environment("production"))));
}

/// Of both, the project that is not there is named first, then the environment; case matters.
pub async fn what_is_not_there(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (project, name) in [("nope", "nope"), ("nope", "production"), ("Default", "production")] {
        let not_found = ServiceError::NotFound(Entity::Project(project_id(project)));
        assert_eq!(refusal(store, add(store, project, name)).await, not_found);
        assert_eq!(refusal(store, remove(store, project, name)).await, not_found);
    }
    for name in ["nope", "Production", "productio_"] {
        let not_found = ServiceError::NotFound(Entity::Environment(environment(name)));
        assert_eq!(refusal(store, add(store, "default", name)).await, not_found);
        assert_eq!(refusal(store, remove(store, "default", name)).await, not_found);
    }
}

/// An environment that is not in the project cannot be taken out of it, though it is in others; nor twice.
pub async fn what_is_not_in_the_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let not_found = ServiceError::NotFound(Entity::Environment(environment("production")));
    assert_eq!(refusal(store, remove(store, "a", "production")).await, not_found);
    remove(store, "default", "production").await.expect("taken out");
    assert_eq!(refusal(store, remove(store, "default", "production")).await, not_found);
}

/// Of 30 at once that add the same, one is done; and of 30 that take it out.
pub async fn one_wins_each_way(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a"]).await;
    let name = Entity::Environment(environment("production"));
    let additions = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { add(store.as_ref(), "a", "production").await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(name.clone()), additions).await;
    let removals = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { remove(store.as_ref(), "a", "production").await }
    });
    one_wins(store.as_ref(), ServiceError::NotFound(name), removals).await;
    assert_eq!(names(store.as_ref(), "a").await, [""; 0]);
}

/// An environment that is removed from the instance while projects take it in is in none of them then.
pub async fn beside_a_removal(store: &Arc<dyn Store>) {
    let ids: Vec<String> = (0..12).map(|number| format!("p{number}")).collect();
    given::projects(store.as_ref(), &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    given::environments(store.as_ref(), &["staging"]).await;
    let calls = ids.clone().into_iter().enumerate().map(|(number, id)| {
        let store = Arc::clone(store);
        async move {
            if number == 6 {
                store.delete_environment(&environment_removal("staging")).await
            } else {
                add(store.as_ref(), &id, "staging").await
            }
        }
    });
    let (_, refused) = sorted(at_once(calls).await);
    let not_found = ServiceError::NotFound(Entity::Environment(environment("staging")));
    assert!(refused.iter().all(|refusal| *refusal == not_found), "{refused:?}");
    for id in ids {
        assert_eq!(names(store.as_ref(), &id).await, [""; 0]);
    }
}
