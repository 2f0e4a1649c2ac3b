//! Calls whose future is dropped before it completes, as when a client disconnects. Each call must take
//! effect completely or not at all, and the store must keep working.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventKind, RemovalOutcome, Snapshot, TokenId};
use latchkey_ports::{FeedPosition, Store, StoredToken, TokenQuery};

use crate::{
    harness::{StoreContents, count_events, read_contents, run_concurrently},
    samples::{
        AMPLE_QUOTA, MEMBER, OWNER, environment, environment_removal, event, moment, project,
        project_created, project_id, project_removal, project_role, session, token, token_created,
        token_deleted, user_named, working_in,
    },
    setup,
};

/// The number of times each call is started and dropped, each time one poll later.
pub(crate) const CALLS: u64 = 40;

/// Polls the call, polls it again after each of `turns` turns of the other tasks, then drops it.
pub(crate) async fn poll_and_drop<T>(turns: u64, call: impl Future<Output = T>) {
    let patience = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = call => {}
        () = patience => {}
    }
}

/// Returns the tokens that were created and not deleted, according to the event log.
fn tokens_by_events(contents: &StoreContents) -> BTreeSet<TokenId> {
    let mut tokens = BTreeSet::new();
    let id_in = |snapshot: &Option<Snapshot>| {
        let json = snapshot.as_ref().expect("a snapshot").to_json();
        TokenId::parse(json["id"].as_str().expect("an id")).expect("a token's id")
    };
    for event in &contents.events {
        let record = &event.record;
        let fits = match record.kind {
            EventKind::ApiTokenCreated => tokens.insert(id_in(&record.after)),
            EventKind::ApiTokenDeleted => tokens.remove(&id_in(&record.before)),
            _ => true,
        };
        assert!(fits, "created or removed twice: {event:?}");
    }
    tokens
}

/// Checks that tokens and events agree and that the store still accepts writes.
pub(crate) async fn assert_consistent(store: &dyn Store) {
    let contents = read_contents(store).await;
    let listed: BTreeSet<_> = contents.tokens.iter().flatten().map(|stored| stored.token.id).collect();
    assert_eq!(listed, tokens_by_events(&contents), "tokens without events, or events without tokens");

    let stored = token(1_000_000, &["default"]);
    let created = store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
    assert_eq!(store.find_token(stored.token.id).await.expect("a lookup").as_ref(), Some(&stored));
    let events = read_contents(store).await.events;
    assert!(events.iter().any(|event| event.id == created), "the event of the last creation is missing");
}

/// Token creations are dropped after the first poll, or some polls later.
pub async fn a_dropped_token_creation_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        let event = token_created(&stored);
        poll_and_drop(turns, store.create_token(&stored, AMPLE_QUOTA, &event)).await;
    }
    assert_consistent(store.as_ref()).await;
}

/// A creation that is never polled does not happen.
pub async fn a_future_that_is_never_polled_changes_nothing(store: &Arc<dyn Store>) {
    let before = read_contents(store.as_ref()).await;
    let stored = token(1, &["default"]);
    let event = token_created(&stored);
    drop(store.create_token(&stored, AMPLE_QUOTA, &event));
    assert_eq!(read_contents(store.as_ref()).await, before);
    assert_consistent(store.as_ref()).await;
}

/// Token deletions are dropped at every poll.
pub async fn a_dropped_token_deletion_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        setup::token(store.as_ref(), &stored).await;
        let event = token_deleted(&stored);
        poll_and_drop(turns, store.delete_token(stored.token.id, &event)).await;
    }
    assert_consistent(store.as_ref()).await;
}

/// Dropped reads, records of use and project creations run between token creations that complete.
pub async fn dropped_reads_and_writes_leave_the_store_consistent(store: &Arc<dyn Store>) {
    let default = project_id("default");
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        let project = project(&format!("p{turns}"));
        let event = project_created(&project);
        poll_and_drop(turns, store.create_project(&project, &[], None, &event)).await;
        setup::token(store.as_ref(), &stored).await;
        poll_and_drop(turns, store.tokens(&TokenQuery::of_project(default.clone()))).await;
        poll_and_drop(turns, store.record_token_use(&[(stored.token.id, moment(5))])).await;
        poll_and_drop(turns, store.changes_since(&FeedPosition::default(), 100)).await;
    }
    let contents = read_contents(store.as_ref()).await;
    let of_projects = contents.events.iter().filter(|event| event.record.kind == EventKind::ProjectCreated);
    // The default project has no event.
    assert_eq!(of_projects.count() + 1, contents.projects.len());
    assert_consistent(store.as_ref()).await;
}

/// Many calls are dropped at once, so that every connection of the pool is affected.
pub async fn many_calls_dropped_at_once_leave_every_connection_usable(store: &Arc<dyn Store>) {
    let calls = (0..CALLS).map(|turns| {
        let store = Arc::clone(store);
        async move {
            let stored = token(turns, &["default"]);
            let event = token_created(&stored);
            poll_and_drop(turns % 10, store.create_token(&stored, AMPLE_QUOTA, &event)).await;
        }
    });
    run_concurrently(calls).await;
    assert_consistent(store.as_ref()).await;
}

/// A project with tokens, members and environments is complete, or gone with all that it contained.
pub async fn a_dropped_project_deletion_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    for turns in 0..CALLS {
        let id = format!("p{turns}");
        setup::projects(store, &[&id]).await;
        setup::project_environments(store, &id, &["production"]).await;
        setup::membership(store, ed, &project_id(&id), OWNER).await;
        setup::token(store, &token(3 * turns, &[&id])).await;
        setup::token(store, &token(3 * turns + 1, &["default", &id])).await;
        let removal = project_removal(&id);
        poll_and_drop(turns, store.delete_project(&removal)).await;
    }
    let contents = read_contents(store).await;
    let there: BTreeSet<_> = contents.projects.iter().map(|listed| listed.project.id.to_string()).collect();
    let mut deleted = 0;
    for turns in 0..CALLS {
        let id = format!("p{turns}");
        let tokens = [token(3 * turns, &[&id]), token(3 * turns + 1, &["default", &id])];
        if there.contains(&id) {
            let listed = contents.projects.iter().find(|listed| listed.project.id == project_id(&id));
            let listed = listed.expect("the project");
            assert_eq!((listed.members, listed.tokens, listed.environments.len()), (1, 2, 1));
            assert!(tokens.iter().all(|stored| contents.all_tokens.contains(stored)));
        } else {
            deleted += 1;
            let outcome = project_removal(&id).outcome_of(&tokens[1].token);
            let RemovalOutcome::Narrowed { access, .. } = outcome else {
                panic!("the token keeps the project default")
            };
            let found = |stored: &StoredToken| {
                contents.all_tokens.iter().find(|one| one.token.id == stored.token.id).cloned()
            };
            assert_eq!(found(&tokens[1]).expect("narrowed").token.access, access);
            assert_eq!(found(&tokens[0]), None);
        }
    }
    for kind in [EventKind::ProjectDeleted, EventKind::ApiTokenDeleted, EventKind::ApiTokenUpdated] {
        assert_eq!(count_events(&contents, kind), deleted, "{kind}");
    }
    assert_consistent(store).await;
}

/// An environment with tokens, in a project, is complete or gone.
pub async fn a_dropped_environment_deletion_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for turns in 0..CALLS {
        let name = format!("e{turns}");
        setup::environments(store, &[&name]).await;
        setup::project_environments(store, "default", &[&name]).await;
        setup::token(store, &working_in(&name, token(turns, &["default"]))).await;
        let removal = environment_removal(&name);
        poll_and_drop(turns, store.delete_environment(&removal)).await;
    }
    let contents = read_contents(store).await;
    let made = contents.environments.iter().filter(|one| one.environment.name.as_str().starts_with('e'));
    let remaining = made.clone().count();
    assert!(made.clone().all(|one| (one.projects, one.tokens) == (1, 1)), "{:?}", contents.environments);
    assert_eq!(contents.all_tokens.len(), remaining);
    assert_eq!(contents.projects[0].environments.len(), remaining + 2);
    let deleted = usize::try_from(CALLS).expect("few") - remaining;
    for kind in [EventKind::EnvironmentDeleted, EventKind::ApiTokenDeleted] {
        assert_eq!(count_events(&contents, kind), deleted, "{kind}");
    }
    assert_consistent(store).await;
}

/// For every other kind of deletion, as many entries are gone as there are events.
pub async fn other_dropped_deletions_take_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let default = project_id("default");
    let kinds = [
        EventKind::UserDeleted,
        EventKind::RoleDeleted,
        EventKind::PersonalTokenDeleted,
        EventKind::SessionEnded,
        EventKind::ProjectEnvironmentRemoved,
    ];
    for turns in 0..CALLS {
        let user = setup::user(store, &user_named(&format!("u{turns}"))).await;
        setup::membership(store, user, &default, MEMBER).await;
        setup::personal_token(store, user, "ci", 1_000 + turns).await;
        setup::session(store, &session(1_000 + turns, user), 1_000 + turns).await;
        let role = setup::role(store, &project_role(&format!("r{turns}"))).await.id;
        let token = setup::personal_token(store, ed, &format!("t{turns}"), turns).await;
        setup::session(store, &session(turns, ed), turns).await;
        let name = environment(&format!("e{turns}"));
        setup::environments(store, &[name.as_str()]).await;
        setup::project_environments(store, "default", &[name.as_str()]).await;
        let [one, two, three, four, five] = kinds.map(event);
        poll_and_drop(turns, store.delete_user(user, &one)).await;
        poll_and_drop(turns, store.delete_role(role, &two)).await;
        poll_and_drop(turns, store.delete_personal_token(ed, token, &three)).await;
        poll_and_drop(turns, store.end_session(ed, session(turns, ed).id, &four)).await;
        poll_and_drop(turns, store.remove_project_environment(&default, &name, &five)).await;
    }
    let contents = read_contents(store).await;
    let [users, roles, tokens, sessions, environments] = kinds.map(|kind| count_events(&contents, kind));
    let made = usize::try_from(CALLS).expect("few");
    assert_eq!(contents.users.len(), 1 + made - users);
    assert_eq!(contents.members[0].len(), made - users);
    assert_eq!(contents.roles.len(), 5 + made - roles);
    assert_eq!(contents.personal_tokens.len(), 2 * made - users - tokens);
    assert_eq!(contents.sessions.len(), 2 * made - users - sessions);
    assert_eq!(contents.projects[0].environments.len(), 2 + made - environments);
    assert_consistent(store).await;
}
