//! API tokens that a store must refuse: places that are not there, limits, and what has to be unique.

use std::sync::Arc;

use latchkey_domain::{ProjectScope, Scope, TokenAccess};
use latchkey_ports::{Entity, Quota, Store, StoredToken};

use crate::{
    given,
    observed::{ServiceError, refusal, token_of_digest},
    samples::{
        ROOM_ENOUGH, admin_token, digest, environment, only, project_id, secret, token, token_created,
        token_deleted, token_of_all_projects,
    },
};

async fn refused(store: &dyn Store, stored: &StoredToken, quota: Quota) -> ServiceError {
    let event = token_created(stored);
    let refusal = refusal(store, store.create_token(stored, quota, &event)).await;
    if refusal != ServiceError::Conflict(Entity::Secret) {
        let found = token_of_digest(store, &[stored.secret.digest]).await;
        assert_eq!(found, None, "a refused token authenticates");
    }
    refusal
}

async fn kept(store: &dyn Store, stored: &StoredToken, quota: Quota) {
    let event = token_created(stored);
    store.create_token(stored, quota, &event).await.expect("there is room");
}

fn in_environment(mut stored: StoredToken, projects: ProjectScope, name: &str) -> StoredToken {
    stored.token.access = TokenAccess::Client(Scope { projects, environment: environment(name) });
    stored
}

/// Of all that can be wrong, the environment is named first, then the first unknown project, then the limit, then
/// what has to be unique.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::token(store, &token(1, &["default"])).await;
    let clashing = |projects: &[&str], name| {
        let mut stored = in_environment(token(1, projects), only(projects), name);
        stored.alias = Some(secret(1));
        stored
    };
    let full = Quota(1);
    let event = |stored: &StoredToken| token_created(stored);

    let all_wrong = clashing(&["default", "z", "y"], "nowhere");
    let environment_first = refusal(store, store.create_token(&all_wrong, full, &event(&all_wrong))).await;
    assert_eq!(environment_first, ServiceError::NotFound(Entity::Environment(environment("nowhere"))));

    let places_known = clashing(&["default", "z", "y"], "production");
    let then_project = refusal(store, store.create_token(&places_known, full, &event(&places_known))).await;
    assert_eq!(then_project, ServiceError::NotFound(Entity::Project(project_id("z"))));

    let full_up = clashing(&["default"], "production");
    let then_limit = refusal(store, store.create_token(&full_up, full, &event(&full_up))).await;
    assert_eq!(then_limit, ServiceError::LimitReached(1));

    let then_conflict = refusal(store, store.create_token(&full_up, ROOM_ENOUGH, &event(&full_up))).await;
    assert!(matches!(then_conflict, ServiceError::Conflict(_)), "{then_conflict:?}");
}

/// Places are compared letter by letter: no case is folded, no wildcard is read.
pub async fn places_that_are_not_there(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for name in ["Development", "developmen_", "test"] {
        for projects in [ProjectScope::All, only(&["default"])] {
            let stored = in_environment(token(1, &["default"]), projects, name);
            let expected = ServiceError::NotFound(Entity::Environment(environment(name)));
            assert_eq!(refused(store, &stored, ROOM_ENOUGH).await, expected);
        }
    }
    for id in ["DEFAULT", "defaul_", "nope"] {
        let expected = ServiceError::NotFound(Entity::Project(project_id(id)));
        assert_eq!(refused(store, &token(1, &["default", id]), ROOM_ENOUGH).await, expected);
    }
}

/// A project takes as many tokens as the quota says, counting those that name others too; its neighbours' and those of
/// all projects are not counted; a removal makes room.
pub async fn the_quota_of_a_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    given::tokens(store, &[token_of_all_projects(1), admin_token(2), token(3, &["b"]), token(4, &["b"])])
        .await;
    kept(store, &token(5, &["a"]), Quota(2)).await;
    kept(store, &token(6, &["default", "a"]), Quota(2)).await;

    assert_eq!(refused(store, &token(7, &["a"]), Quota(2)).await, ServiceError::LimitReached(2));
    assert_eq!(refused(store, &token(7, &["default", "a"]), Quota(2)).await, ServiceError::LimitReached(2));
    assert_eq!(refused(store, &token(7, &["a", "default"]), Quota(2)).await, ServiceError::LimitReached(2));
    assert_eq!(refused(store, &token(7, &["default"]), Quota(0)).await, ServiceError::LimitReached(0));

    kept(store, &token(8, &["default"]), Quota(2)).await;
    let gone = token(5, &["a"]);
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    kept(store, &token(9, &["a"]), Quota(2)).await;
    assert_eq!(refused(store, &token(10, &["a"]), Quota(2)).await, ServiceError::LimitReached(2));
}

/// Tokens of all projects, admin tokens among them, have a quota of their own.
pub async fn the_quota_of_all_projects(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::tokens(store, &[token(1, &["default"]), token(2, &["default"]), token(3, &["default"])]).await;
    kept(store, &token_of_all_projects(4), Quota(2)).await;
    kept(store, &admin_token(5), Quota(2)).await;
    assert_eq!(refused(store, &token_of_all_projects(6), Quota(2)).await, ServiceError::LimitReached(2));
    assert_eq!(refused(store, &admin_token(6), Quota(2)).await, ServiceError::LimitReached(2));
    let gone = admin_token(5);
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    kept(store, &token_of_all_projects(7), Quota(2)).await;
}

/// A quota as large as there is one is no limit.
pub async fn the_largest_quota(store: &Arc<dyn Store>) {
    kept(store.as_ref(), &token(1, &["default"]), Quota(u64::MAX)).await;
    kept(store.as_ref(), &admin_token(2), Quota(u64::MAX)).await;
}

/// No two tokens have a digest in common, neither as secrets nor as aliases nor crosswise.
pub async fn a_digest_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut kept = token(1, &["default"]);
    kept.alias = Some(secret(101));
    given::token(store, &kept).await;

    let of = |secret_number, alias_number: Option<u64>| {
        let mut stored = token(2, &["default"]);
        stored.secret = secret(secret_number);
        stored.alias = alias_number.map(secret);
        stored
    };
    for clashing in [of(1, None), of(101, None), of(2, Some(101)), of(2, Some(1)), of(1, Some(101))] {
        let refusal = refused(store, &clashing, ROOM_ENOUGH).await;
        assert_eq!(refusal, ServiceError::Conflict(Entity::Secret));
        assert_eq!(store.find_token(clashing.token.id).await.expect("a look-up"), None);
    }
    let found = token_of_digest(store, &[digest(2)]).await;
    assert_eq!(found, None, "a refused token authenticates");
}

/// An id is given once.
pub async fn an_id_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let kept = token(1, &["default"]);
    given::token(store, &kept).await;
    let mut clashing = admin_token(2);
    clashing.token.id = kept.token.id;
    let refusal = refused(store, &clashing, ROOM_ENOUGH).await;
    assert_eq!(refusal, ServiceError::Conflict(Entity::Token(kept.token.id)));
    assert_eq!(store.find_token(kept.token.id).await.expect("a look-up"), Some(kept));
}
