//! What a store shows of itself, to compare before and after.

use latchkey_domain::{
    AccountKind, Event, EventId, NewEvent, PersonalToken, ProjectVisibility, Role, Session, TokenKind, User,
};
use latchkey_ports::{
    Entity, EnvironmentOverview, Member, Page, ProjectOverview, ProjectQuery, SecretDigest, Store,
    StoreError, StoredToken, TokenQuery,
};

use crate::samples::moment;

/// All that can be listed.
#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    pub(crate) projects: Vec<ProjectOverview>,
    /// Of each project, in the order of projects; so a token of two of them is here twice.
    pub(crate) tokens: Vec<Vec<StoredToken>>,
    /// Of each project, in the order of projects.
    pub(crate) members: Vec<Vec<Member>>,
    pub(crate) environments: Vec<EnvironmentOverview>,
    pub(crate) all_tokens: Vec<StoredToken>,
    pub(crate) roles: Vec<Role>,
    pub(crate) users: Vec<User>,
    pub(crate) personal_tokens: Vec<PersonalToken>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) events: Vec<Event>,
}

/// Looks until nothing has changed meanwhile, so that what is seen belongs together even if a call that nobody waits
/// for is still at work.
pub(crate) async fn observe(store: &dyn Store) -> Observed {
    loop {
        let latest = store.latest_event().await.expect("the latest event");
        let seen = observe_once(store).await;
        if store.latest_event().await.expect("the latest event") == latest
            && let Some(seen) = seen
        {
            return seen;
        }
    }
}

/// `None` where something went while it was looked at.
async fn observe_once(store: &dyn Store) -> Option<Observed> {
    let projects = all_projects(store).await;
    let (mut tokens, mut members, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    for listed in &projects {
        tokens.push(store.tokens_of_project(&listed.project.id).await.ok()?);
        members.push(store.members(&listed.project.id).await.ok()?);
    }
    let users = all_users(store).await;
    for user in &users {
        sessions.extend(store.sessions_of(user.id).await.expect("sessions"));
    }
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    Some(Observed {
        projects,
        tokens,
        members,
        environments: store.environments().await.expect("environments"),
        all_tokens: all_tokens(store).await,
        roles: store.roles().await.expect("roles"),
        users,
        personal_tokens: store.personal_tokens_of(&ids).await.expect("personal tokens"),
        sessions,
        events: all_events(store).await,
    })
}

/// Every project there is, archived or not, by id.
pub(crate) async fn all_projects(store: &dyn Store) -> Vec<ProjectOverview> {
    let mut projects = Vec::new();
    for archived in [true, false] {
        let query = ProjectQuery { visibility: ProjectVisibility::All, archived, page: Page::default() };
        projects.extend(store.projects(&query).await.expect("projects"));
    }
    projects.sort_by(|one, other| one.project.id.cmp(&other.project.id));
    projects
}

/// Every user there is, of either kind.
pub(crate) async fn all_users(store: &dyn Store) -> Vec<User> {
    let mut users = store.users(AccountKind::Person, Page::default()).await.expect("users");
    users.extend(store.users(AccountKind::Service, Page::default()).await.expect("service accounts"));
    users
}

/// Every API token there is, by creation.
pub(crate) async fn all_tokens(store: &dyn Store) -> Vec<StoredToken> {
    let query = TokenQuery::of_kinds([TokenKind::Client, TokenKind::Frontend, TokenKind::Admin]);
    store.tokens(&query).await.expect("tokens")
}

/// The numbers of the sample tokens that are listed, in the order of the list.
pub(crate) async fn numbers(store: &dyn Store, query: &TokenQuery) -> Vec<i64> {
    let tokens = store.tokens(query).await.expect("tokens");
    tokens.iter().map(|stored| stored.token.created_at.millis() - moment(0).millis()).collect()
}

/// The token of one of these digests, of which none is a retired secret's.
pub(crate) async fn token_of_digest(store: &dyn Store, digests: &[SecretDigest]) -> Option<StoredToken> {
    let found = store.find_token_by_digest(digests).await.expect("a look-up")?;
    assert_eq!(found.secret_until, None, "nothing was rotated");
    Some(found.stored)
}

/// Every event there is.
pub(crate) async fn all_events(store: &dyn Store) -> Vec<Event> {
    store.events_after(EventId(0), u32::MAX).await.expect("events")
}

/// Makes a call that must be done and leave exactly this event, under the number that it answers.
pub(crate) async fn leaves(
    store: &dyn Store,
    event: &NewEvent,
    call: impl Future<Output = Result<EventId, StoreError>>,
) -> EventId {
    let last = store.latest_event().await.expect("a number");
    let id = call.await.expect("done");
    let events = store.events_after(last, 10).await.expect("events");
    assert_eq!(events, [Event { id, record: event.clone() }]);
    id
}

/// How a store said no.
#[derive(Debug, PartialEq)]
pub(crate) enum ServiceError {
    NotFound(Entity),
    Conflict(Entity),
    LimitReached(u64),
    Stale(Entity),
    InUse(Entity),
    LastAdmin,
}

/// How a call is refused that must be, and that must leave everything as it was.
pub(crate) async fn refusal<T>(
    store: &dyn Store,
    call: impl Future<Output = Result<T, StoreError>>,
) -> ServiceError {
    let before = observe(store).await;
    let refusal = as_refusal(call.await);
    assert_eq!(observe(store).await, before, "a call that was refused ({refusal:?}) changed something");
    refusal
}

/// The same where others change things meanwhile.
pub(crate) fn as_refusal<T>(outcome: Result<T, StoreError>) -> ServiceError {
    match outcome {
        Err(StoreError::NotFound(entity)) => ServiceError::NotFound(entity),
        Err(StoreError::Conflict(entity)) => ServiceError::Conflict(entity),
        Err(StoreError::LimitReached { limit }) => ServiceError::LimitReached(limit),
        Err(StoreError::Stale(entity)) => ServiceError::Stale(entity),
        Err(StoreError::InUse(entity)) => ServiceError::InUse(entity),
        Err(StoreError::LastAdmin) => ServiceError::LastAdmin,
        Err(StoreError::Unavailable(error)) => panic!("the store is unavailable: {error}"),
        Err(StoreError::Fault(error)) => panic!("the store is at fault: {error}"),
        Err(StoreError::Inconsistent(error)) => panic!("the store is inconsistent: {error}"),
        Ok(_) => panic!("what has to be refused was done"),
    }
}

/// Sorts outcomes into what was done and how the rest was refused.
pub(crate) fn sorted<T>(outcomes: Vec<Result<T, StoreError>>) -> (Vec<T>, Vec<ServiceError>) {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(value) => done.push(value),
            error => refused.push(as_refusal(error)),
        }
    }
    (done, refused)
}
