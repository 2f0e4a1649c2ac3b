//! API tokens: kept, found, listed and removed.

use std::sync::Arc;

use latchkey_domain::{Scope, TokenAccess, TokenId, TokenName};
use latchkey_ports::{Entity, KeyId, Quota, SecretDigest, SecretRecord, Store, StoredToken};
use uuid::Uuid;

use crate::{
    given,
    observed::{ServiceError, refusal, token_of_digest},
    samples::{
        admin_token, digest, environment, extreme_moments, moment, only, project_id, secret,
        secret_shown_once, token, token_created, token_deleted, token_of_all_projects,
    },
};

async fn list(store: &dyn Store, project: &str) -> Vec<StoredToken> {
    store.tokens_of_project(&project_id(project)).await.expect("tokens")
}

/// Keeps it and expects it back, by every way there is.
async fn is_read_back(store: &dyn Store, stored: &StoredToken) {
    given::token(store, stored).await;
    let back = store.find_token(stored.token.id).await.expect("a look-up");
    assert_eq!(back.as_ref(), Some(stored));
    for record in [Some(&stored.secret), stored.alias.as_ref()].into_iter().flatten() {
        assert_eq!(token_of_digest(store, &[record.digest]).await.as_ref(), Some(stored));
    }
    for project in stored.token.access.projects().named() {
        assert!(list(store, project.as_str()).await.contains(stored), "not listed under {project}");
    }
}

/// Tokens of every kind, with and without alias, expiry and a secret to show, are read back equal.
pub async fn every_kind_is_read_back(store: &Arc<dyn Store>) {
    let client = token(1, &["default"]);
    let mut frontend = token(2, &["default"]);
    frontend.token.access =
        TokenAccess::Frontend(Scope { projects: only(&["default"]), environment: environment("production") });
    frontend.token.expires_at = Some(moment(50));
    frontend.token.last_used_at = Some(moment(40));
    frontend.alias = Some(secret(102));
    let mut shown_once = token_of_all_projects(3);
    shown_once.secret = secret_shown_once(3);
    shown_once.alias = Some(secret_shown_once(103));
    let mut alias_shown_once = token(4, &["default"]);
    alias_shown_once.alias = Some(SecretRecord { key: KeyId([9, 8, 7, 6]), ..secret_shown_once(104) });
    for stored in [client, frontend, shown_once, alias_shown_once, admin_token(5)] {
        is_read_back(store.as_ref(), &stored).await;
    }
}

/// The longest name, in a script of four bytes a character, the longest project id, and sealed secrets of the longest
/// secret, with all bytes there are, are kept whole.
pub async fn the_longest_values_are_read_back(store: &Arc<dyn Store>) {
    let project = "p".repeat(100);
    given::projects(store.as_ref(), &[&project]).await;
    let mut stored = token(1, &[&project]);
    stored.token.name = TokenName::new(&"🎉".repeat(255)).expect("a name");
    stored.secret.sealed = Some((0..=255).cycle().take(1100).collect());
    stored.secret.digest = SecretDigest([0xff; 32]);
    let mut alias = secret(2);
    alias.sealed = Some([].into());
    alias.digest = SecretDigest([0; 32]);
    stored.alias = Some(alias);
    is_read_back(store.as_ref(), &stored).await;
}

/// Names in any script, with quotes, wildcards and combining characters, are kept as they are, and need not differ.
pub async fn names_are_kept_as_they_are(store: &Arc<dyn Store>) {
    let names =
        ["日本語 שלום", "a'b\"c\\d%_;--", "e\u{301} é ﬁ", "a\u{200b}\u{feff}b", "same", "same", "{},"];
    for (number, name) in (1..).zip(names) {
        let mut stored = token(number, &["default"]);
        stored.token.name = TokenName::new(name).expect("a name");
        is_read_back(store.as_ref(), &stored).await;
    }
}

/// Moments from the year 0000 to the year 9999 are kept to the millisecond, whether before or after now.
pub async fn moments_of_all_years_are_read_back(store: &Arc<dyn Store>) {
    for (number, at) in (1..).zip(extreme_moments()) {
        let mut stored = token(number, &["default"]);
        stored.token.created_at = at;
        stored.token.expires_at = Some(at);
        stored.token.last_used_at = Some(at);
        is_read_back(store.as_ref(), &stored).await;
    }
}

/// The projects of a token come back in the order in which they were named.
pub async fn projects_keep_their_order(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["b", "a", "C", "d"]).await;
    let orders: [&[&str]; 4] =
        [&["d", "a", "default", "C", "b"], &["b", "a"], &["a", "b"], &["C", "d", "a", "b"]];
    for (number, order) in (1..).zip(orders) {
        is_read_back(store.as_ref(), &token(number, order)).await;
    }
    let orders_listed: Vec<_> =
        list(store.as_ref(), "a").await.into_iter().map(|stored| stored.token.access).collect();
    let expected: Vec<_> =
        (1..).zip(orders).map(|(number, order)| token(number, order).token.access).collect();
    assert_eq!(orders_listed, expected);
}

/// A list is in the order of ids, bytes without sign, whatever the order of creation.
pub async fn tokens_are_listed_by_id(store: &Arc<dyn Store>) {
    let mut ids: Vec<_> = [[0; 16], [0xff; 16], [0x80; 16], [0x7f; 16]].map(Uuid::from_bytes).into();
    ids.extend([5, 2, 9, 1, 7, 3].map(|number| token(number, &["default"]).token.id.as_uuid()));
    for (number, id) in (20..).zip(&ids) {
        let mut stored = token(number, &["default"]);
        stored.token.id = TokenId::from_uuid(*id);
        given::token(store.as_ref(), &stored).await;
    }
    ids.sort_unstable();
    let listed: Vec<_> =
        list(store.as_ref(), "default").await.iter().map(|stored| stored.token.id.as_uuid()).collect();
    assert_eq!(listed, ids);
}

/// A token that names several projects is listed under each, and under no other.
pub async fn a_token_is_listed_under_each_of_its_projects(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b", "A"]).await;
    let (both, one) = (token(1, &["b", "a"]), token(2, &["a"]));
    given::tokens(store.as_ref(), &[one.clone(), both.clone()]).await;
    assert_eq!(list(store.as_ref(), "a").await, [both.clone(), one]);
    assert_eq!(list(store.as_ref(), "b").await, [both]);
    assert_eq!(list(store.as_ref(), "A").await, []);
    assert_eq!(list(store.as_ref(), "default").await, []);
}

/// Tokens of all projects are listed under none, admin tokens among them.
pub async fn tokens_of_all_projects_are_not_listed(store: &Arc<dyn Store>) {
    let named = token(3, &["default"]);
    given::tokens(store.as_ref(), &[token_of_all_projects(1), admin_token(2), named.clone()]).await;
    assert_eq!(list(store.as_ref(), "default").await, [named]);
}

/// A list of a project that is not there is refused, not empty; case matters.
pub async fn a_list_of_an_unknown_project_is_refused(store: &Arc<dyn Store>) {
    given::token(store.as_ref(), &token(1, &["default"])).await;
    for unknown in ["nope", "Default", "defaul_"] {
        let id = project_id(unknown);
        let refused = refusal(store.as_ref(), store.tokens_of_project(&id)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Project(id)));
    }
}

/// A token is found by the digest of its secret or its alias, wherever that stands among several.
pub async fn a_token_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let mut with_alias = token(1, &["default"]);
    with_alias.alias = Some(secret(101));
    given::tokens(store.as_ref(), &[with_alias.clone(), token(2, &["default"])]).await;
    let store = store.as_ref();
    assert_eq!(token_of_digest(store, &[digest(7), digest(8), digest(1)]).await, Some(with_alias.clone()));
    assert_eq!(token_of_digest(store, &[digest(101), digest(7)]).await, Some(with_alias.clone()));
    assert_eq!(token_of_digest(store, &[digest(1), digest(101)]).await, Some(with_alias));
    assert_eq!(token_of_digest(store, &[digest(7), digest(8)]).await, None);
    assert_eq!(token_of_digest(store, &[]).await, None);
}

/// Removal takes the token out of every list and every look-up; others stay.
pub async fn a_removed_token_is_gone(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a"]).await;
    let mut gone = token(1, &["default", "a"]);
    gone.alias = Some(secret(101));
    let stays = token(2, &["default", "a"]);
    given::tokens(store.as_ref(), &[gone.clone(), stays.clone()]).await;

    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");

    assert_eq!(store.find_token(gone.token.id).await.expect("a look-up"), None);
    assert_eq!(token_of_digest(store.as_ref(), &[digest(1), digest(101)]).await, None);
    for project in ["default", "a"] {
        assert_eq!(list(store.as_ref(), project).await, std::slice::from_ref(&stays));
    }
}

/// A token that is not there, or not any more, cannot be removed.
pub async fn removing_nothing_is_refused(store: &Arc<dyn Store>) {
    let (kept, never_kept) = (token(1, &["default"]), token(2, &["default"]));
    given::token(store.as_ref(), &kept).await;
    store.delete_token(kept.token.id, &token_deleted(&kept)).await.expect("removed");
    for stored in [kept, never_kept] {
        let (id, event) = (stored.token.id, token_deleted(&stored));
        let refused = refusal(store.as_ref(), store.delete_token(id, &event)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Token(id)));
    }
}

/// What a removed token held (id, secret, alias) is free again.
pub async fn a_removed_token_can_be_created_again(store: &Arc<dyn Store>) {
    let mut stored = token(1, &["default"]);
    stored.alias = Some(secret(101));
    for _ in 0..2 {
        is_read_back(store.as_ref(), &stored).await;
        store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    }
    let again = store.create_token(&stored, Quota(1), &token_created(&stored)).await;
    again.expect("the quota has room again");
}
