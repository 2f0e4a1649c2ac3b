//! Selectors: the public part of some secrets, by which a token is found. And secrets that two tokens have.

use std::sync::Arc;

use latchkey_ports::{Entity, Import, Rotation, Store, StoredToken};

use crate::{
    harness::{ErrorKind, all_tokens, expect_error, token_of_digest},
    samples::{
        AMPLE_QUOTA, digest, moment, secret_shown_once, token, token_created, token_deleted,
        token_of_all_projects,
    },
    setup,
};

fn selected(selector: &str, mut stored: StoredToken) -> StoredToken {
    stored.token.selector = Some(selector.parse().expect("a selector"));
    stored
}

async fn by_selector(store: &dyn Store, selector: &str) -> Option<StoredToken> {
    let selector = selector.parse().expect("a selector");
    store.find_token_by_selector(&selector).await.expect("a lookup")
}

const ONE: &str = "AAAAAAAAAAAAAAAAAAAAA_";
const OTHER: &str = "aaaaaaaaaaaaaaaaaaaaa_";

/// A token is found by its selector, whose case matters, and is the same in lists and lookups. A token without one is not
/// found by any.
pub async fn a_token_is_found_by_its_selector(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        selected(ONE, token(1, &["default"])),
        selected(OTHER, token_of_all_projects(2)),
        token(3, &["default"]),
    ];
    setup::tokens(store, &tokens).await;
    assert_eq!(by_selector(store, ONE).await.as_ref(), Some(&tokens[0]));
    assert_eq!(by_selector(store, OTHER).await.as_ref(), Some(&tokens[1]));
    assert_eq!(by_selector(store, "AAAAAAAAAAAAAAAAAAAAA-").await, None);
    assert_eq!(all_tokens(store).await, tokens);
    for stored in &tokens {
        assert_eq!(token_of_digest(store, &[stored.secret.digest]).await.as_ref(), Some(stored));
    }
}

/// A rotation keeps the selector, and a deletion frees it.
pub async fn a_selector_stays_until_its_token_is_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = selected(ONE, token(1, &["default"]));
    setup::token(store, &stored).await;
    let (from, to) = (stored.secret.digest, secret_shown_once(2));
    let overlap_until = Some(moment(50));
    setup::rotation(store, &Rotation { token: stored.token.id, from, to, overlap_until, update: None }).await;
    let rotated = StoredToken { secret: secret_shown_once(2), ..stored.clone() };
    assert_eq!(by_selector(store, ONE).await, Some(rotated));
    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    assert_eq!(by_selector(store, ONE).await, None);
    setup::token(store, &selected(ONE, token(4, &["default"]))).await;
    assert!(by_selector(store, ONE).await.is_some());
}

/// A selector that exists is a conflict, also within one call, and nothing is created.
pub async fn a_selector_in_use_is_a_conflict(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::token(store, &selected(ONE, token(1, &["default"]))).await;
    let taken = selected(ONE, token(2, &["default"]));
    let event = token_created(&taken);
    let refused = store.create_token(&taken, AMPLE_QUOTA, &event);
    assert_eq!(expect_error(store, refused).await, ErrorKind::Conflict(Entity::Secret));
    let twice = [3, 4].map(|number| crate::samples::new_token(selected(OTHER, token(number, &["default"]))));
    let refused = expect_error(store, store.create_tokens(&twice)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::Secret));
    assert_eq!(all_tokens(store).await.len(), 1);
}

/// An import brings tokens with their selectors, and nothing if one of them is in use.
pub async fn an_import_brings_selectors(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let shown_once =
        |number| StoredToken { secret: secret_shown_once(number), ..token(number, &["default"]) };
    let import = |tokens: &[StoredToken]| Import { tokens: tokens.to_vec(), ..Import::default() };
    let tokens = [selected(ONE, shown_once(1)), selected(OTHER, shown_once(2)), shown_once(3)];
    store.import(import(&tokens)).await.expect("imported");
    assert_eq!(by_selector(store, ONE).await.as_ref(), Some(&tokens[0]));
    assert_eq!(by_selector(store, OTHER).await.as_ref(), Some(&tokens[1]));
    let again = [shown_once(4), selected(ONE, shown_once(5))];
    assert_eq!(expect_error(store, store.import(import(&again))).await, ErrorKind::Conflict(Entity::Secret));
    assert_eq!(all_tokens(store).await, tokens);
}

/// Of two tokens, the one of the first digest is found; a retired secret comes after all others.
pub async fn the_order_of_digests_decides_between_two_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [1, 2, 3].map(|number| token(number, &["default"]));
    setup::tokens(store, &tokens).await;
    let (from, to) = (tokens[2].secret.digest, secret_shown_once(13));
    let overlap_until = Some(moment(50));
    setup::rotation(store, &Rotation { token: tokens[2].token.id, from, to, overlap_until, update: None })
        .await;
    for (digests, expected) in [([1, 2, 9], 1), ([2, 1, 9], 2), ([3, 9, 2], 2), ([9, 1, 3], 1)] {
        let found =
            store.find_token_by_digest(&digests.map(digest)).await.expect("a lookup").expect("a token");
        assert_eq!(
            (found.found_by, found.stored.token.id),
            (digest(expected), token(expected, &["default"]).token.id)
        );
    }
    let found =
        store.find_token_by_digest(&[digest(9), digest(3)]).await.expect("a lookup").expect("a token");
    assert_eq!((found.found_by, found.secret_until), (digest(3), overlap_until));
}
