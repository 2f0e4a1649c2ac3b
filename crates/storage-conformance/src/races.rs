//! Concurrent calls: one of several conflicting calls succeeds, none blocks forever, and a follower of the
//! event log misses no event.

use std::sync::Arc;

use latchkey_domain::ProjectDescription;
use latchkey_ports::{Entity, Store, TokenQuery};

use crate::{
    harness::{ErrorKind, exactly_one_succeeds, partition_results, run_concurrently},
    samples::{
        AMPLE_LIMIT, AMPLE_QUOTA, MEMBER, membership_added, memberships, moment, personal_token,
        personal_token_created, project, project_created, project_id, secret_shown_once, token,
        token_created, token_deleted, user, user_created, user_named, user_with_email,
    },
    setup,
};

/// Of 30 concurrent deletions of one token, one succeeds.
pub async fn one_of_concurrent_token_deletions_succeeds(store: &Arc<dyn Store>) {
    let stored = token(1, &["default"]);
    setup::token(store.as_ref(), &stored).await;
    let calls = (0..30).map(|_| {
        let (store, stored) = (Arc::clone(store), stored.clone());
        async move { store.delete_token(stored.token.id, &token_deleted(&stored)).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::NotFound(Entity::Token(stored.token.id)), calls).await;
    assert_eq!(store.find_token(stored.token.id).await.expect("a lookup"), None);
}

/// Of 20 concurrent projects with the same id, one is created, complete.
pub async fn one_of_concurrent_projects_with_the_same_id_is_created(store: &Arc<dyn Store>) {
    let calls =
        (0..20).map(|number| {
            let mut project = project("a");
            project.created_at = moment(number);
            project.description = ProjectDescription::new(&number.to_string()).expect("a description");
            let store = Arc::clone(store);
            async move {
                store.create_project(&project, &[], None, &project_created(&project)).await.map(|_| project)
            }
        });
    let winner =
        exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Project(project_id("a"))), calls)
            .await;
    assert_eq!(store.find_project(&winner.id).await.expect("a lookup"), Some(winner));
}

/// Of 20 concurrent users whose e-mail addresses differ only in case, one is created.
pub async fn one_of_concurrent_users_with_the_same_email_is_created(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|number| {
        let email = if number % 2 == 0 { "ed@example.com" } else { "ED@Example.com" };
        let new = user(Some(&format!("ed {number}")), Some(email));
        let store = Arc::clone(store);
        async move { store.create_user(&new, None, &user_created(&new)).await.map(|(id, _)| id) }
    });
    let winner = exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::UserIdentity), calls).await;
    let found = store.find_account_by_login("Ed@example.com").await.expect("a lookup");
    assert_eq!(found.map(|account| account.user.id), Some(winner));
}

/// Of 20 concurrent users of which some have as user name the e-mail address of the others, one is created.
pub async fn one_of_concurrent_users_with_the_same_login_name_is_created(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|number| {
        let new =
            if number % 2 == 0 { user_named("ed@example.com") } else { user_with_email("Ed@example.com") };
        let store = Arc::clone(store);
        async move { store.create_user(&new, None, &user_created(&new)).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::UserIdentity), calls).await;
}

/// Of 20 concurrent users with the same user name, one is created.
pub async fn one_of_concurrent_users_with_the_same_username_is_created(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|_| {
        let store = Arc::clone(store);
        async move { store.create_user(&user_named("ed"), None, &user_created(&user_named("ed"))).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::UserIdentity), calls).await;
}

/// Of 20 concurrent additions of the same role for the same user, one succeeds.
pub async fn one_of_concurrent_identical_memberships_is_added(store: &Arc<dyn Store>) {
    let user = setup::user(store.as_ref(), &user_named("ed")).await;
    let default = project_id("default");
    let calls = (0..20).map(|_| {
        let (store, default) = (Arc::clone(store), default.clone());
        let event = membership_added(user, &default, MEMBER);
        async move { store.add_memberships(&memberships(&[user], &default, &[MEMBER]), &event).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Membership), calls).await;
}

/// Of 20 concurrent personal tokens with the same description, one is created.
pub async fn one_of_concurrent_personal_tokens_with_the_same_description_is_created(store: &Arc<dyn Store>) {
    let user = setup::user(store.as_ref(), &user_named("ed")).await;
    let calls = (0..20).map(|number| {
        let store = Arc::clone(store);
        let new = personal_token(user, "ci");
        let (secret, event) = (secret_shown_once(number), personal_token_created(&new));
        async move { store.create_personal_token(&new, &secret, AMPLE_LIMIT, &event).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::PersonalTokenDescription), calls).await;
}

/// Of 20 concurrent tokens with the same secret, in different projects, one is created.
pub async fn one_of_concurrent_tokens_with_the_same_secret_is_created(store: &Arc<dyn Store>) {
    let names: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    setup::projects(store.as_ref(), &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let calls = (0..).zip(names).map(|(number, project)| {
        let mut stored = token(number, &[&project]);
        stored.secret = secret_shown_once(500);
        let store = Arc::clone(store);
        async move { store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::Conflict(Entity::Secret), calls).await;
}

/// Tokens that name the same projects in opposite orders, and tokens of other projects, are all created
/// without a deadlock.
pub async fn concurrent_creations_do_not_deadlock(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b", "c", "d"]).await;
    let scopes: [&[&str]; 6] = [&["a", "b"], &["b", "a"], &["c"], &["d"], &["default"], &["b", "c", "a"]];
    let calls = (0..).zip(scopes.into_iter().cycle()).take(30).map(|(number, projects)| {
        let (store, stored) = (Arc::clone(store), token(number, projects));
        async move { store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await }
    });
    let (done, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!((done.len(), refused), (30, vec![]));
}

/// Concurrent records of the use of the same tokens in opposite orders, beside deletions, all succeed; the
/// latest time stays.
pub async fn concurrent_records_of_token_use_do_not_deadlock(store: &Arc<dyn Store>) {
    let tokens: Vec<_> = (0..40).map(|number| token(number, &["default"])).collect();
    setup::tokens(store.as_ref(), &tokens).await;
    let calls = (0..20_i64).map(|index| {
        let store = Arc::clone(store);
        let mut seen: Vec<_> = tokens.iter().map(|stored| (stored.token.id, moment(index))).collect();
        if index % 2 == 0 {
            seen.reverse();
        }
        let removed =
            usize::try_from(index).ok().filter(|index| index % 4 == 0).map(|index| tokens[index].clone());
        async move {
            if let Some(removed) = removed {
                store.delete_token(removed.token.id, &token_deleted(&removed)).await.expect("removed");
            }
            store.record_token_use(&seen).await.expect("recorded");
        }
    });
    run_concurrently(calls).await;
    let remaining = store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens");
    assert_eq!(remaining.len(), 35);
    assert!(remaining.iter().all(|stored| stored.token.last_used_at == Some(moment(19))), "{remaining:?}");
}
