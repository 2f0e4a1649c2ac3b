//! The tokens that a store starts with: all of them, once.

use std::sync::Arc;

use latchkey_domain::{Event, ProjectScope, Scope, TokenAccess};
use latchkey_ports::{Entity, FirstToken, Store, StoredToken};

use crate::{
    given,
    observed::{ServiceError, all_events, refusal, token_of_digest},
    samples::{
        admin_token, digest, environment, first_token, project_id, secret, token, token_deleted,
        token_of_all_projects,
    },
};

fn firsts(tokens: impl IntoIterator<Item = StoredToken>) -> Vec<FirstToken> {
    tokens.into_iter().map(first_token).collect()
}

/// In an empty store all are kept, each with its event in the order given, with no limit.
pub async fn all_are_kept_with_their_events(store: &Arc<dyn Store>) {
    let mut with_alias = token(3, &["default"]);
    with_alias.alias = Some(secret(103));
    let tokens = firsts([token_of_all_projects(2), with_alias.clone(), admin_token(1)]);
    assert!(store.create_first_tokens(&tokens).await.expect("kept"));

    for first in &tokens {
        let found = store.find_token(first.token.token.id).await.expect("a look-up");
        assert_eq!(found.as_ref(), Some(&first.token));
    }
    let found = token_of_digest(store.as_ref(), &[digest(103)]).await;
    assert_eq!(found.as_ref(), Some(&with_alias));
    let listed = store.tokens_of_project(&project_id("default")).await.expect("tokens");
    assert_eq!(listed, [with_alias]);
    let events: Vec<_> =
        all_events(store.as_ref()).await.into_iter().map(|Event { record, .. }| record).collect();
    let expected: Vec<_> = tokens.into_iter().map(|first| first.event).collect();
    assert_eq!(events, expected);
}

/// They are kept once; a second call says that it did nothing, and does nothing.
pub async fn they_are_kept_once(store: &Arc<dyn Store>) {
    assert!(store.create_first_tokens(&firsts([admin_token(1)])).await.expect("kept"));
    let events = all_events(store.as_ref()).await;
    assert!(!store.create_first_tokens(&firsts([admin_token(1)])).await.expect("an answer"));
    assert!(!store.create_first_tokens(&firsts([admin_token(2)])).await.expect("an answer"));
    assert_eq!(store.find_token(admin_token(2).token.id).await.expect("a look-up"), None);
    assert_eq!(all_events(store.as_ref()).await, events);
}

/// A token that came by another way, of whatever scope, is reason enough not to.
pub async fn not_where_there_is_a_token(store: &Arc<dyn Store>) {
    given::token(store.as_ref(), &token(1, &["default"])).await;
    assert!(!store.create_first_tokens(&firsts([admin_token(2)])).await.expect("an answer"));
    assert_eq!(store.find_token(admin_token(2).token.id).await.expect("a look-up"), None);
}

/// What counts is that there is no token now: once all are removed, there can be first ones again.
pub async fn again_once_there_is_none(store: &Arc<dyn Store>) {
    let gone = token(1, &["default"]);
    given::token(store.as_ref(), &gone).await;
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    assert!(store.create_first_tokens(&firsts([admin_token(2)])).await.expect("kept"));
}

/// None at all leave the store as it was.
pub async fn none_at_all(store: &Arc<dyn Store>) {
    store.create_first_tokens(&[]).await.expect("an answer");
    assert_eq!(all_events(store.as_ref()).await, []);
    assert!(store.create_first_tokens(&firsts([admin_token(1)])).await.expect("kept"));
}

/// The store says whether it holds any token, of whatever kind.
pub async fn whether_there_are_any(store: &Arc<dyn Store>) {
    for token in [admin_token(1), token(2, &["default"])] {
        assert!(!store.has_tokens().await.expect("an answer"));
        given::token(store.as_ref(), &token).await;
        assert!(store.has_tokens().await.expect("an answer"));
        store.delete_token(token.token.id, &token_deleted(&token)).await.expect("removed");
    }
}

/// If one of them cannot be, none is kept, nor any event; and good ones still can be.
pub async fn all_or_none(store: &Arc<dyn Store>) {
    let mut elsewhere = token(2, &["default"]);
    elsewhere.token.access =
        TokenAccess::Client(Scope { projects: ProjectScope::All, environment: environment("nowhere") });
    let mut same_secret = token(2, &["default"]);
    same_secret.secret = secret(1);
    let mut same_alias = token(2, &["default"]);
    same_alias.alias = Some(secret(1));
    let mut same_id = token(2, &["default"]);
    same_id.token.id = token(1, &["default"]).token.id;
    let faults = [
        (token(2, &["default", "nope"]), ServiceError::NotFound(Entity::Project(project_id("nope")))),
        (elsewhere, ServiceError::NotFound(Entity::Environment(environment("nowhere")))),
        (same_secret, ServiceError::Conflict(Entity::Secret)),
        (same_alias, ServiceError::Conflict(Entity::Secret)),
        (same_id.clone(), ServiceError::Conflict(Entity::Token(same_id.token.id))),
    ];
    for (faulty, expected) in faults {
        let tokens = firsts([token(1, &["default"]), faulty, admin_token(3)]);
        let refused = refusal(store.as_ref(), store.create_first_tokens(&tokens)).await;
        assert_eq!(refused, expected);
        let digests = [digest(1), digest(2), digest(3)];
        assert_eq!(token_of_digest(store.as_ref(), &digests).await, None);
    }
    assert!(store.create_first_tokens(&firsts([admin_token(1)])).await.expect("kept"));
}
