//! What a store shows of itself, to compare before and after.

use latchkey_domain::{Event, EventId, Project};
use latchkey_ports::{Entity, Store, StoreError, StoredToken};

/// All that can be listed.
#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) projects: Vec<Project>,
    /// Of each project, in the order of projects; so a token of two of them is here twice.
    pub(crate) tokens: Vec<Vec<StoredToken>>,
    pub(crate) events: Vec<Event>,
}

/// Looks until nothing has changed meanwhile, so that what is seen belongs together even if a call that nobody waits
/// for is still at work.
pub(crate) async fn observe(store: &dyn Store) -> Observed {
    loop {
        let latest = store.latest_event().await.expect("the latest event");
        let projects = store.projects().await.expect("projects");
        let mut tokens = Vec::new();
        for project in &projects {
            tokens.push(store.tokens_of_project(&project.id).await.expect("tokens"));
        }
        let events = all_events(store).await;
        if store.latest_event().await.expect("the latest event") == latest {
            return Observed { projects, tokens, events };
        }
    }
}

/// Every event there is.
pub(crate) async fn all_events(store: &dyn Store) -> Vec<Event> {
    store.events_after(EventId(0), u32::MAX).await.expect("events")
}

/// How a store said no.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    NotFound(Entity),
    Conflict(Entity),
    LimitReached(u64),
}

/// How a call is refused that must be, and that must leave everything as it was.
pub(crate) async fn refusal<T>(
    store: &dyn Store,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Refusal {
    let before = observe(store).await;
    let refusal = as_refusal(call.await);
    assert_eq!(observe(store).await, before, "a call that was refused ({refusal:?}) changed something");
    refusal
}

/// The same where others change things meanwhile.
pub(crate) fn as_refusal<T>(outcome: Result<T, StoreError>) -> Refusal {
    match outcome {
        Err(StoreError::NotFound(entity)) => Refusal::NotFound(entity),
        Err(StoreError::Conflict(entity)) => Refusal::Conflict(entity),
        Err(StoreError::LimitReached { limit }) => Refusal::LimitReached(limit),
        Err(StoreError::Unavailable(error)) => panic!("the store is unavailable: {error}"),
        Err(StoreError::Inconsistent(error)) => panic!("the store is inconsistent: {error}"),
        Ok(_) => panic!("what has to be refused was done"),
    }
}

/// Sorts outcomes into what was done and how the rest was refused.
pub(crate) fn sorted<T>(outcomes: Vec<Result<T, StoreError>>) -> (Vec<T>, Vec<Refusal>) {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => done.push(value),
            error => refused.push(as_refusal(error)),
        }
    }
    (done, refused)
}
