//! Deletions beside concurrent creations: nothing refers to a deleted entry, and every change has its
//! event.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use latchkey_domain::{EventId, EventKind, NewUser, RoleId, TokenId, User, UserId};
use latchkey_ports::{Entity, Quota, Store, StoreError, StoredToken, TokenQuery};

use crate::{
    harness::{ErrorKind, all_events, all_tokens, partition_results, run_concurrently},
    samples::{
        AMPLE_QUOTA, MEMBER, VIEWER, environment, environment_removal, event, memberships, moment,
        project_id, project_removal, project_role, root_role, token, token_created, token_deleted,
        token_of_all_projects, user_created, user_named, working_in,
    },
    setup,
};

async fn create(store: &dyn Store, stored: &StoredToken) -> Result<EventId, StoreError> {
    store.create_token(stored, AMPLE_QUOTA, &token_created(stored)).await
}

/// Returns how often each token was created and revoked, according to the event log.
async fn changes_by_events(store: &dyn Store) -> BTreeMap<TokenId, (u32, u32)> {
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

/// Expects exactly the tokens that were created and not revoked, each with one event per change.
async fn assert_tokens_match_events(store: &dyn Store, tokens: &[StoredToken], created: usize) {
    let changes = changes_by_events(store).await;
    let mut seen = 0;
    for stored in tokens {
        let there = store.find_token(stored.token.id).await.expect("a lookup").is_some();
        let counts = changes.get(&stored.token.id).copied().unwrap_or_default();
        assert!([(0, 0), (1, 0), (1, 1)].contains(&counts), "created and revoked {counts:?} times");
        assert_eq!(there, counts == (1, 0), "{}", stored.token.name);
        seen += usize::from(counts.0 == 1);
    }
    assert_eq!(seen, created, "as many events as creations");
}

/// Returns tokens of the project alone, of it and others in either order, and of others only.
fn around_a_project(round: u64, id: &str) -> Vec<StoredToken> {
    let scopes: [&[&str]; 5] = [&[id], &["default", id], &[id, "other"], &["other"], &[id]];
    (0..)
        .zip(scopes.into_iter().cycle())
        .take(29)
        .map(|(number, scope)| token(100 * round + number, scope))
        .collect()
}

/// 29 creations run while the project is deleted. No token names the project afterwards, every creation and
/// revocation has its event, and late creations fail with the unknown project.
pub async fn tokens_created_beside_a_project_deletion_do_not_outlive_it(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["other"]).await;
    for round in 0..4 {
        setup::projects(store.as_ref(), &["a"]).await;
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
        let (done, refused) = partition_results(run_concurrently(calls).await);
        let gone = ErrorKind::NotFound(Entity::Project(project_id("a")));
        assert!(refused.iter().all(|refusal| *refusal == gone), "{refused:?}");
        assert_eq!(store.find_project(&project_id("a")).await.expect("a lookup"), None);
        let remaining = all_tokens(store.as_ref()).await;
        assert!(remaining.iter().all(|stored| !stored.token.access.projects().names(&project_id("a"))));
        assert_tokens_match_events(store.as_ref(), &tokens, done.len() - 1).await;
        assert_counts(store.as_ref(), &["other", "default"]).await;
    }
}

/// Expects the counts of projects and environments to match their tokens.
async fn assert_counts(store: &dyn Store, projects: &[&str]) {
    for id in projects {
        let there = store.tokens(&TokenQuery::of_project(project_id(id))).await.expect("tokens").len();
        let overview = store.project_overview(&project_id(id)).await.expect("a lookup").expect("there");
        assert_eq!(overview.tokens, u64::try_from(there).expect("few"), "in {id}");
    }
    let tokens = all_tokens(store).await;
    for listed in store.environments().await.expect("environments") {
        let name = Some(&listed.environment.name);
        let there = tokens.iter().filter(|stored| stored.token.access.environment() == name).count();
        assert_eq!(listed.tokens, u64::try_from(there).expect("few"), "in {}", listed.environment.name);
    }
}

/// 29 creations run while the environment is deleted.
pub async fn tokens_created_beside_an_environment_deletion_do_not_outlive_it(store: &Arc<dyn Store>) {
    for round in 0..4 {
        setup::environments(store.as_ref(), &["staging"]).await;
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
        let (done, refused) = partition_results(run_concurrently(calls).await);
        let gone = ErrorKind::NotFound(Entity::Environment(environment("staging")));
        assert!(refused.iter().all(|refusal| *refusal == gone), "{refused:?}");
        assert_eq!(store.find_environment(&environment("staging")).await.expect("a lookup"), None);
        let remaining = all_tokens(store.as_ref()).await;
        let name = environment("staging");
        assert!(remaining.iter().all(|stored| stored.token.access.environment() != Some(&name)));
        assert_tokens_match_events(store.as_ref(), &tokens, done.len() - 1).await;
        assert_counts(store.as_ref(), &["default"]).await;
    }
}

/// Two projects with common tokens, named in either order, are deleted; the narrowing of each token is
/// recorded.
pub async fn two_concurrent_project_deletions_do_not_deadlock(store: &Arc<dyn Store>) {
    for round in 0..6 {
        setup::projects(store.as_ref(), &["a", "b"]).await;
        let scopes: [&[&str]; 4] = [&["a", "b"], &["b", "a"], &["b", "default", "a"], &["a"]];
        let tokens: Vec<_> =
            (100 * round..).zip(scopes).map(|(number, scope)| token(number, scope)).collect();
        setup::tokens(store.as_ref(), &tokens).await;
        let calls = ["a", "b"].map(|id| {
            let store = Arc::clone(store);
            async move { store.delete_project(&project_removal(id)).await }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        assert_eq!((done.len(), refused), (2, vec![]));
        assert_tokens_match_events(store.as_ref(), &tokens, 4).await;
        let remaining = all_tokens(store.as_ref()).await;
        assert_eq!(
            remaining.last().map(|stored| stored.token.access.clone()),
            Some(token(0, &["default"]).token.access)
        );
        assert_counts(store.as_ref(), &["default"]).await;
    }
}

/// Of 30 concurrent deletions of one project, one succeeds; its tokens are revoked once.
pub async fn one_of_concurrent_project_deletions_succeeds(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a"]).await;
    let tokens: Vec<_> = (0..10).map(|number| token(number, &["a"])).collect();
    setup::tokens(store.as_ref(), &tokens).await;
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { store.delete_project(&project_removal("a")).await }
    });
    let (done, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!((done.len(), refused.len()), (1, 29));
    assert!(refused.iter().all(|refusal| *refusal == ErrorKind::NotFound(Entity::Project(project_id("a")))));
    assert_tokens_match_events(store.as_ref(), &tokens, 10).await;
}

/// A project and an environment with common tokens are deleted.
pub async fn concurrent_project_and_environment_deletions_do_not_deadlock(store: &Arc<dyn Store>) {
    for round in 0..6 {
        setup::projects(store.as_ref(), &["a"]).await;
        setup::environments(store.as_ref(), &["staging"]).await;
        let tokens: Vec<_> = (0..9)
            .map(|call| {
                let projects: &[&str] = if call % 2 == 0 { &["a"] } else { &["a", "default"] };
                let stored = token(100 * round + call, projects);
                if call % 3 == 0 { stored } else { working_in("staging", stored) }
            })
            .collect();
        setup::tokens(store.as_ref(), &tokens).await;
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
        let (done, refused) = partition_results(run_concurrently(calls).await);
        assert_eq!((done.len(), refused), (2, vec![]));
        assert_tokens_match_events(store.as_ref(), &tokens, 9).await;
        assert_counts(store.as_ref(), &["default"]).await;
    }
}

/// After concurrent creations, errors and deletions of tokens of many projects, the counts are exact.
pub async fn token_counts_are_exact_under_concurrency(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b"]).await;
    let scopes: [&[&str]; 4] = [&["a"], &["b", "a"], &["a", "b", "default"], &["default"]];
    let tokens: Vec<_> =
        (0..).zip(scopes.into_iter().cycle()).take(30).map(|(number, scope)| token(number, scope)).collect();
    setup::tokens(store.as_ref(), &tokens[..15]).await;
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
    let (_, refused) = partition_results(run_concurrently(calls).await);
    assert!(refused.iter().all(|refusal| *refusal == ErrorKind::LimitReached(9)), "{refused:?}");
    assert_counts(store.as_ref(), &["a", "b", "default"]).await;
}

/// A project role is either assigned or deleted, never both.
pub async fn a_role_deleted_while_it_is_assigned_is_in_use_or_gone(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let role = setup::role(store.as_ref(), &project_role(&format!("role {round}"))).await.id;
        let ed = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..3).map(|call| (call + round) % 3).map(|call| {
            let store = Arc::clone(store);
            async move { delete_or_assign(store.as_ref(), call, ed, role).await }
        });
        let (_, refused) = partition_results(run_concurrently(calls).await);
        let allowed = [ErrorKind::InUse(Entity::Role(role)), ErrorKind::NotFound(Entity::Role(role))];
        assert!(
            refused
                .iter()
                .all(|one| allowed.contains(one) || *one == ErrorKind::Conflict(Entity::Membership))
        );
        let there = store.find_role(role).await.expect("a lookup").is_some();
        let held = store.roles_in_project(ed.into(), &project_id("default")).await.expect("roles");
        assert_eq!(held, if there { vec![role] } else { vec![] });
    }
}

async fn delete_or_assign(
    store: &dyn Store,
    call: u32,
    ed: UserId,
    role: RoleId,
) -> Result<EventId, StoreError> {
    let memberships = memberships(&[ed], &project_id("default"), &[role]);
    match call {
        0 => store.delete_role(role, &event(EventKind::RoleDeleted)).await,
        1 => store.add_memberships(&memberships, &event(EventKind::ProjectAccessAdded)).await,
        _ => store.replace_memberships(&memberships, &event(EventKind::ProjectAccessUpdated)).await,
    }
}

/// A root role is deleted while one user is created with it and another changes to it.
pub async fn a_root_role_deleted_while_it_is_assigned_is_in_use_or_gone(store: &Arc<dyn Store>) {
    for round in 0..20 {
        let role = setup::role(store.as_ref(), &root_role(&format!("role {round}"), &[])).await.id;
        let ed = setup::stored_user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..3).map(|call| (call + round) % 3).map(|call| {
            let (store, ed) = (Arc::clone(store), ed.clone());
            async move {
                match call {
                    0 => store.delete_role(role, &event(EventKind::RoleDeleted)).await,
                    1 => {
                        let new = NewUser { root_role: role, ..user_named(&format!("new {round}")) };
                        store.create_user(&new, None, &user_created(&new)).await.map(|(_, event)| event)
                    }
                    _ => {
                        let after = User { root_role: role, ..ed.clone() };
                        store.update_user(&ed, &after, &event(EventKind::UserUpdated)).await
                    }
                }
            }
        });
        let (_, refused) = partition_results(run_concurrently(calls).await);
        let allowed = [ErrorKind::InUse(Entity::Role(role)), ErrorKind::NotFound(Entity::Role(role))];
        assert!(refused.iter().all(|one| allowed.contains(one)), "{refused:?}");
        let there = store.find_role(role).await.expect("a lookup").is_some();
        let new = store.find_account_by_login(&format!("new {round}")).await.expect("a lookup");
        assert_eq!(new.is_some(), there, "a created user must have an existing role");
        let now = store.find_user(ed.id).await.expect("a lookup").expect("the user").root_role;
        assert_eq!(now, if there { role } else { VIEWER });
        store.grants_of(ed.id).await.expect("grants").expect("the user");
    }
}

/// Roles are assigned while the project and the user are deleted; no membership remains.
pub async fn members_added_beside_a_deletion_do_not_outlive_it(store: &Arc<dyn Store>) {
    for round in 0..15 {
        let id = format!("p{round}");
        setup::projects(store.as_ref(), &[&id]).await;
        let ed = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..4).map(|call| (call + round) % 4).map(|call| {
            let (store, id) = (Arc::clone(store), id.clone());
            let mut memberships = memberships(&[ed], &project_id(&id), &[MEMBER]);
            memberships.at = moment(call);
            async move {
                match call {
                    0 => store.delete_project(&project_removal(&id)).await,
                    1 => store.delete_user(ed, &event(EventKind::UserDeleted)).await,
                    2 => store.add_memberships(&memberships, &event(EventKind::ProjectAccessAdded)).await,
                    _ => {
                        store.replace_memberships(&memberships, &event(EventKind::ProjectAccessUpdated)).await
                    }
                }
            }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        assert!(done.len() >= 2, "{refused:?}");
        let gone = [Entity::Project(project_id(&id)), Entity::User(ed)].map(ErrorKind::NotFound);
        assert!(
            refused.iter().all(|one| gone.contains(one) || *one == ErrorKind::Conflict(Entity::Membership))
        );
        assert_eq!(store.roles_in_project(ed.into(), &project_id(&id)).await.expect("roles"), []);
        setup::projects(store.as_ref(), &[&id]).await;
        assert_eq!(store.members(&project_id(&id)).await.expect("members"), []);
    }
}
