//! Calls a store, one at a time or concurrently, and checks the result and the contents.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::{
    AccountKind, Event, EventId, EventKind, NewEvent, PersonalToken, Policy, ProjectId, ProjectVisibility,
    Role, Session, TokenKind, User,
};
use latchkey_ports::{
    Entity, EnvironmentOverview, GroupOverview, Member, MemberGroup, Page, ProjectOverview, ProjectQuery,
    SecretDigest, Store, StoreError, StoredToken, TokenQuery,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    event_log::{events_after, latest_event},
    samples::moment,
};

/// Everything that a store can list.
#[derive(Debug, PartialEq)]
pub(crate) struct StoreContents {
    pub(crate) projects: Vec<ProjectOverview>,
    pub(crate) policies: BTreeMap<ProjectId, Policy>,
    /// Per project, in the order of `projects`; a token of two projects appears twice.
    pub(crate) tokens: Vec<Vec<StoredToken>>,
    /// Per project, in the order of `projects`.
    pub(crate) members: Vec<Vec<Member>>,
    /// Per project, in the order of `projects`.
    pub(crate) member_groups: Vec<Vec<MemberGroup>>,
    pub(crate) environments: Vec<EnvironmentOverview>,
    pub(crate) all_tokens: Vec<StoredToken>,
    pub(crate) roles: Vec<Role>,
    pub(crate) groups: Vec<GroupOverview>,
    pub(crate) users: Vec<User>,
    pub(crate) personal_tokens: Vec<PersonalToken>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) events: Vec<Event>,
}

/// Reads everything, again if an event was recorded in between, so that the result is consistent even while a dropped
/// call is still running.
pub(crate) async fn read_contents(store: &dyn Store) -> StoreContents {
    loop {
        let before = all_events(store).await.len();
        if let Some(seen) = observe_once(store).await
            && all_events(store).await.len() == before
        {
            return seen;
        }
    }
}

/// Returns `None` if a project was deleted in between.
async fn observe_once(store: &dyn Store) -> Option<StoreContents> {
    let projects = all_projects(store).await;
    let (mut tokens, mut sessions) = (Vec::new(), Vec::new());
    let (mut members, mut member_groups) = (Vec::new(), Vec::new());
    for listed in &projects {
        tokens.push(store.tokens(&TokenQuery::of_project(listed.project.id.clone())).await.expect("tokens"));
        members.push(store.members(&listed.project.id).await.ok()?);
        member_groups.push(store.member_groups(&listed.project.id).await.ok()?);
    }
    let users = all_users(store).await;
    for user in &users {
        sessions.extend(store.sessions_of(user.id).await.expect("sessions"));
    }
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    Some(StoreContents {
        projects,
        policies: store.policies().await.expect("policies"),
        tokens,
        members,
        member_groups,
        environments: store.environments().await.expect("environments"),
        all_tokens: all_tokens(store).await,
        roles: store.roles().await.expect("roles"),
        groups: store.groups().await.expect("groups"),
        users,
        personal_tokens: store.personal_tokens_of(&ids).await.expect("personal tokens"),
        sessions,
        events: all_events(store).await,
    })
}

/// Returns all projects, archived or not, by id.
pub(crate) async fn all_projects(store: &dyn Store) -> Vec<ProjectOverview> {
    let mut projects = Vec::new();
    for archived in [true, false] {
        let query = ProjectQuery { visibility: ProjectVisibility::All, archived, page: Page::default() };
        projects.extend(store.projects(&query).await.expect("projects"));
    }
    projects.sort_by(|one, other| one.project.id.cmp(&other.project.id));
    projects
}

/// Returns all users, of both kinds.
pub(crate) async fn all_users(store: &dyn Store) -> Vec<User> {
    let mut users = store.users(AccountKind::Person, Page::default()).await.expect("users");
    users.extend(store.users(AccountKind::Service, Page::default()).await.expect("service accounts"));
    users
}

/// Returns all API tokens, by creation.
pub(crate) async fn all_tokens(store: &dyn Store) -> Vec<StoredToken> {
    let query = TokenQuery::of_kinds([TokenKind::Client, TokenKind::Frontend, TokenKind::Admin]);
    store.tokens(&query).await.expect("tokens")
}

/// Returns the numbers of the listed sample tokens, in list order.
pub(crate) async fn token_numbers(store: &dyn Store, query: &TokenQuery) -> Vec<i64> {
    let tokens = store.tokens(query).await.expect("tokens");
    tokens.iter().map(|stored| stored.token.created_at.millis() - moment(0).millis()).collect()
}

/// Returns the token with one of these digests, none of which is a retired secret.
pub(crate) async fn token_of_digest(store: &dyn Store, digests: &[SecretDigest]) -> Option<StoredToken> {
    let found = store.find_token_by_digest(digests).await.expect("a lookup")?;
    assert_eq!(found.secret_until, None, "nothing was rotated");
    Some(found.stored)
}

/// Returns all events.
pub(crate) async fn all_events(store: &dyn Store) -> Vec<Event> {
    events_after(store, EventId(0)).await
}

/// Expects the call to succeed and to record exactly this event, under the id that it returns.
pub(crate) async fn expect_event(
    store: &dyn Store,
    event: &NewEvent,
    call: impl Future<Output = Result<EventId, StoreError>>,
) -> EventId {
    let last = latest_event(store).await;
    let id = call.await.expect("done");
    let events = events_after(store, last).await;
    assert_eq!(events, [Event { id, record: event.clone() }]);
    id
}

/// A [`StoreError`] that can be compared.
#[derive(Debug, PartialEq)]
pub(crate) enum ErrorKind {
    NotFound(Entity),
    Conflict(Entity),
    LimitReached(u64),
    Stale(Entity),
    InUse(Entity),
    LastAdmin,
}

/// Expects the call to fail and to change nothing, and returns its error.
pub(crate) async fn expect_error<T>(
    store: &dyn Store,
    call: impl Future<Output = Result<T, StoreError>>,
) -> ErrorKind {
    let before = read_contents(store).await;
    let refusal = error_kind(call.await);
    assert_eq!(read_contents(store).await, before, "a failed call ({refusal:?}) changed something");
    refusal
}

/// Returns the error of a call that must have failed.
pub(crate) fn error_kind<T>(outcome: Result<T, StoreError>) -> ErrorKind {
    match outcome {
        Err(StoreError::NotFound(entity)) => ErrorKind::NotFound(entity),
        Err(StoreError::Conflict(entity)) => ErrorKind::Conflict(entity),
        Err(StoreError::LimitReached { limit }) => ErrorKind::LimitReached(limit),
        Err(StoreError::Stale(entity)) => ErrorKind::Stale(entity),
        Err(StoreError::InUse(entity)) => ErrorKind::InUse(entity),
        Err(StoreError::LastAdmin) => ErrorKind::LastAdmin,
        Err(StoreError::Unavailable(error)) => panic!("the store is unavailable: {error}"),
        Err(StoreError::Fault(error)) => panic!("the store is at fault: {error}"),
        Err(StoreError::Inconsistent(error)) => panic!("the store is inconsistent: {error}"),
        Ok(_) => panic!("a call that must fail succeeded"),
    }
}

/// Splits results into values and errors.
pub(crate) fn partition_results<T>(outcomes: Vec<Result<T, StoreError>>) -> (Vec<T>, Vec<ErrorKind>) {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => done.push(value),
            error => refused.push(error_kind(error)),
        }
    }
    (done, refused)
}

/// Runs the calls as tasks that start together, and returns their results in no particular order.
pub(crate) async fn run_concurrently<T, F>(calls: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let calls: Vec<F> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let mut tasks = JoinSet::new();
    for call in calls {
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            // The last task to arrive would otherwise run before those that it wakes.
            tokio::task::yield_now().await;
            call.await
        });
    }
    tasks.join_all().await
}

/// Runs the calls concurrently and expects that one succeeds, with one event, and all others fail with this error.
pub(crate) async fn exactly_one_succeeds<T, F>(
    store: &dyn Store,
    refused: ErrorKind,
    calls: impl IntoIterator<Item = F>,
) -> T
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let before = all_events(store).await.len();
    let (mut done, others) = partition_results(run_concurrently(calls).await);
    assert_eq!(done.len(), 1, "one call must succeed");
    assert!(others.iter().all(|other| *other == refused), "{others:?}");
    assert_eq!(all_events(store).await.len() - before, 1, "one event");
    done.remove(0)
}

/// Returns the number of events of this kind.
pub(crate) fn count_events(contents: &StoreContents, kind: EventKind) -> usize {
    contents.events.iter().filter(|event| event.record.kind == kind).count()
}
