//! Removals beside creations: nothing is left that names what is gone, and every token that was created or ended has said
//! so.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use latchkey_domain::{EventId, EventKind, TokenId};
use latchkey_ports::{Entity, Quota, Store, StoreError, StoredToken};

use crate::{
    at_once::at_once,
    given,
    observed::{ServiceError, all_events, all_tokens, sorted},
    samples::{
        ROOM_ENOUGH, environment, environment_removal, project_id, project_removal, token, token_created,
        token_deleted, token_of_all_projects, working_in,
    },
};

async fn create(store: &dyn Store, stored: &StoredToken) -> Result<EventId, StoreError> {
    store.create_token(stored, ROOM_ENOUGH, &token_created(stored)).await
}

/// How often each token was created and revoked, by the trail.
async fn by_the_trail(store: &dyn Store) -> BTreeMap<TokenId, (u32, u32)> {
    let mut tokens: BTreeMap<TokenId, (u32, u32)> = BTreeMap::new();
    for event in all_events(store).await {
        let record = &event.record;
        let snapshot = match record.kind {
            EventKind::ApiTokenCreated => &record.after,
            EventKind::ApiTokenDeleted => &record.before,
            _ => continue,
        };
        let json = snapshot.as_ref().expect("a snapshot").to_json();
        let id = TokenId::parse(json["id"].as_str().expect("an id")).expect("a token's id");
        let (created, revoked) = tokens.entry(id).or_default();
        *(if record.kind == EventKind::ApiTokenCreated { created } else { revoked }) += 1;
    }
    tokens
}

/// Of these tokens, those are there that were created and not revoked; what each was, the trail says once.
async fn each_has_its_events(store: &dyn Store, tokens: &[StoredToken], created: usize) {
    let trail = by_the_trail(store).await;
    let mut seen = 0;
    for stored in tokens {
        let there = store.find_token(stored.token.id).await.expect("a look-up").is_some();
        let told = trail.get(&stored.token.id).copied().unwrap_or_default();
        assert!([(0, 0), (1, 0), (1, 1)].contains(&told), "created and revoked {told:?} times");
        assert_eq!(there, told == (1, 0), "{}", stored.token.name);
        seen += usize::from(told.0 == 1);
    }
    assert_eq!(seen, created, "as many events as creations");
}

/// Tokens for one project, for that and others in either order, and for others only.
fn around_a_project(round: u64, id: &str) -> Vec<StoredToken> {
    let scopes: [&[&str]; 5] = [&[id], &["default", id], &[id, "other"], &["other"], &[id]];
    (0..)
        .zip(scopes.into_iter().cycle())
        .take(29)
        .map(|(number, scope)| token(100 * round + number, scope))
        .collect()
}

/// 29 creations in and around a project while it is removed: in the end no token names it, each one that was created has
/// said so, and each one that was revoked too; who came too late was told that the project is not there.
pub async fn a_project_and_its_tokens(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["other"]).await;
    for round in 0..4 {
        given::projects(store.as_ref(), &["a"]).await;
        let tokens = around_a_project(round, "a");
        let removal_at = [0, 10, 20, 28][usize::try_from(round).expect("small")];
        let calls = (0..30_usize).map(|call| {
            let (store, tokens) = (Arc::clone(store), tokens.clone());
            async move {
                match call.cmp(&removal_at) {
                    Ordering::Less => create(store.as_ref(), &tokens[call]).await,
                    Ordering::Equal => store.delete_project(&project_removal("a")).await,
                    Ordering::Greater => create(store.as_ref(), &tokens[call - 1]).await,
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        let gone = ServiceError::NotFound(Entity::Project(project_id("a")));
        assert!(refused.iter().all(|refusal| *refusal == gone), "{refused:?}");
        assert_eq!(store.find_project(&project_id("a")).await.expect("a look-up"), None);
        let left = all_tokens(store.as_ref()).await;
        assert!(left.iter().all(|stored| !stored.token.access.projects().names(&project_id("a"))));
        each_has_its_events(store.as_ref(), &tokens, done.len() - 1).await;
        counts_are_exact(store.as_ref(), &["other", "default"]).await;
    }
}

/// What lists say of projects and environments is what is there.
async fn counts_are_exact(store: &dyn Store, projects: &[&str]) {
    for id in projects {
        let there = store.tokens_of_project(&project_id(id)).await.expect("tokens").len();
        let overview = store.project_overview(&project_id(id)).await.expect("a look-up").expect("there");
        assert_eq!(overview.tokens, u64::try_from(there).expect("few"), "in {id}");
    }
    let tokens = all_tokens(store).await;
    for listed in store.environments().await.expect("environments") {
        let name = Some(&listed.environment.name);
        let there = tokens.iter().filter(|stored| stored.token.access.environment() == name).count();
        assert_eq!(listed.tokens, u64::try_from(there).expect("few"), "in {}", listed.environment.name);
    }
}

/// 29 creations in and beside an environment while it is removed.
pub async fn an_environment_and_its_tokens(store: &Arc<dyn Store>) {
    for round in 0..4 {
        given::environments(store.as_ref(), &["staging"]).await;
        let tokens: Vec<_> = (0..29)
            .map(|call| {
                let number = 100 * round + call;
                match call % 3 {
                    0 => working_in("staging", token(number, &["default"])),
                    1 => working_in("staging", token_of_all_projects(number)),
                    _ => token(number, &["default"]),
                }
            })
            .collect();
        let calls = (0..30_usize).map(|call| {
            let (store, stored) = (Arc::clone(store), tokens.get(call).cloned());
            async move {
                match stored {
                    Some(stored) => create(store.as_ref(), &stored).await,
                    None => store.delete_environment(&environment_removal("staging")).await,
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        let gone = ServiceError::NotFound(Entity::Environment(environment("staging")));
        assert!(refused.iter().all(|refusal| *refusal == gone), "{refused:?}");
        assert_eq!(store.find_environment(&environment("staging")).await.expect("a look-up"), None);
        let left = all_tokens(store.as_ref()).await;
        let name = environment("staging");
        assert!(left.iter().all(|stored| stored.token.access.environment() != Some(&name)));
        each_has_its_events(store.as_ref(), &tokens, done.len() - 1).await;
        counts_are_exact(store.as_ref(), &["default"]).await;
    }
}

/// Two projects that are removed at once, with tokens that name both in either order: nothing waits for ever, and of each
/// token what is left is told.
pub async fn two_projects_at_once(store: &Arc<dyn Store>) {
    for round in 0..6 {
        given::projects(store.as_ref(), &["a", "b"]).await;
        let scopes: [&[&str]; 4] = [&["a", "b"], &["b", "a"], &["b", "default", "a"], &["a"]];
        let tokens: Vec<_> =
            (100 * round..).zip(scopes).map(|(number, scope)| token(number, scope)).collect();
        given::tokens(store.as_ref(), &tokens).await;
        let calls = ["a", "b"].map(|id| {
            let store = Arc::clone(store);
            async move { store.delete_project(&project_removal(id)).await }
        });
        let (done, refused) = sorted(at_once(calls).await);
        assert_eq!((done.len(), refused), (2, vec![]));
        each_has_its_events(store.as_ref(), &tokens, 4).await;
        let left = all_tokens(store.as_ref()).await;
        assert_eq!(
            left.last().map(|stored| stored.token.access.clone()),
            Some(token(0, &["default"]).token.access)
        );
        counts_are_exact(store.as_ref(), &["default"]).await;
    }
}

/// Of 30 removals of one project at once, one is done; its tokens end once.
pub async fn one_removal_wins(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a"]).await;
    let tokens: Vec<_> = (0..10).map(|number| token(number, &["a"])).collect();
    given::tokens(store.as_ref(), &tokens).await;
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { store.delete_project(&project_removal("a")).await }
    });
    let (done, refused) = sorted(at_once(calls).await);
    assert_eq!((done.len(), refused.len()), (1, 29));
    assert!(
        refused.iter().all(|refusal| *refusal == ServiceError::NotFound(Entity::Project(project_id("a"))))
    );
    each_has_its_events(store.as_ref(), &tokens, 10).await;
}

/// A project and an environment that are removed at once, with tokens in both.
pub async fn a_project_and_an_environment(store: &Arc<dyn Store>) {
    for round in 0..6 {
        given::projects(store.as_ref(), &["a"]).await;
        given::environments(store.as_ref(), &["staging"]).await;
        let tokens: Vec<_> = (0..9)
            .map(|call| {
                let projects: &[&str] = if call % 2 == 0 { &["a"] } else { &["a", "default"] };
                let stored = token(100 * round + call, projects);
                if call % 3 == 0 { stored } else { working_in("staging", stored) }
            })
            .collect();
        given::tokens(store.as_ref(), &tokens).await;
        let calls = [true, false].map(|project| {
            let store = Arc::clone(store);
            async move {
                if project {
                    store.delete_project(&project_removal("a")).await
                } else {
                    store.delete_environment(&environment_removal("staging")).await
                }
            }
        });
        let (done, refused) = sorted(at_once(calls).await);
        assert_eq!((done.len(), refused), (2, vec![]));
        each_has_its_events(store.as_ref(), &tokens, 9).await;
        counts_are_exact(store.as_ref(), &["default"]).await;
    }
}

/// Creations, refusals and removals of tokens of many projects at once: what lists say is what is there.
pub async fn counts_beside_each_other(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b"]).await;
    let scopes: [&[&str]; 4] = [&["a"], &["b", "a"], &["a", "b", "default"], &["default"]];
    let tokens: Vec<_> =
        (0..).zip(scopes.into_iter().cycle()).take(30).map(|(number, scope)| token(number, scope)).collect();
    given::tokens(store.as_ref(), &tokens[..15]).await;
    let calls = tokens.into_iter().enumerate().map(|(call, stored)| {
        let store = Arc::clone(store);
        async move {
            if call < 15 {
                let deleted = token_deleted(&stored);
                return store.delete_token(stored.token.id, &deleted).await;
            }
            let stored = if call % 2 == 0 { working_in("production", stored) } else { stored };
            store.create_token(&stored, Quota(9), &token_created(&stored)).await
        }
    });
    let (_, refused) = sorted(at_once(calls).await);
    assert!(refused.iter().all(|refusal| *refusal == ServiceError::LimitReached(9)), "{refused:?}");
    counts_are_exact(store.as_ref(), &["a", "b", "default"]).await;
}
