//! Rotations that change the token besides, and old secrets that end earlier than was said.

use std::sync::Arc;

use latchkey_domain::{ApiToken, EventKind, NewEvent, PendingRotation, Timestamp};
use latchkey_ports::{Entity, Rotation, Store, StoredToken, TokenUpdate};

use crate::{
    harness::{ErrorKind, all_tokens, exactly_one_succeeds, expect_error, expect_event},
    samples::{digest, event, moment, secret, token, token_deleted},
    setup,
};

fn ended() -> NewEvent {
    event(EventKind::ApiTokenRotationEnded)
}

/// The token with a rotation that is pending until that moment.
fn pending(token: &ApiToken, until: Option<Timestamp>) -> ApiToken {
    let mut pending = token.clone();
    pending.attributes.rotation = until.map(PendingRotation::new);
    pending
}

fn update(before: &ApiToken, after: &ApiToken) -> TokenUpdate {
    TokenUpdate { before: before.clone(), after: after.clone() }
}

/// Rotates the secret to this sample, and makes the token wait for the end of the overlap.
async fn rotate(store: &dyn Store, stored: &StoredToken, to: u64, until: i64) -> StoredToken {
    let after = pending(&stored.token, Some(moment(until)));
    let rotation = Rotation {
        token: stored.token.id,
        from: stored.secret.digest,
        to: secret(to),
        overlap_until: Some(moment(until)),
        update: Some(Box::new(update(&stored.token, &after))),
    };
    let event = event(EventKind::ApiTokenRotated);
    expect_event(store, &event, store.rotate_token(&rotation, &event)).await;
    StoredToken { token: after, secret: secret(to), alias: stored.alias.clone() }
}

async fn end_of(store: &dyn Store, number: u64) -> Option<Timestamp> {
    let found = store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
    found.expect("a token").secret_until
}

/// A rotation replaces attributes and expiry together with the secret.
pub async fn a_rotation_updates_its_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let rotated = rotate(store, &stored, 2, 50).await;
    assert_eq!(all_tokens(store).await, [rotated]);
}

/// If expiry or attributes are no longer those that the caller saw, nothing is rotated.
pub async fn a_rotation_of_a_token_that_was_changed_is_refused(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let mut ending = stored.token.clone();
    ending.expires_at = Some(moment(70));
    for seen in [pending(&stored.token, Some(moment(9))), ending] {
        let after = pending(&seen, Some(moment(50)));
        let rotation = Rotation {
            token: stored.token.id,
            from: stored.secret.digest,
            to: secret(2),
            overlap_until: Some(moment(50)),
            update: Some(Box::new(update(&seen, &after))),
        };
        let event = event(EventKind::ApiTokenRotated);
        let refused = expect_error(store, store.rotate_token(&rotation, &event)).await;
        assert_eq!(refused, ErrorKind::Stale(Entity::Token(stored.token.id)));
    }
}

/// The secret that the rotation replaced ends earlier; those of other rotations keep their ends, and the token its secret.
pub async fn the_end_of_a_rotation_moves_the_end_of_its_old_secret(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (first, other) = (token(1, &["default"]), token(9, &["default"]));
    setup::token(store, &first).await;
    setup::token(store, &other).await;
    rotate(store, &other, 19, 50).await;
    let second = rotate(store, &first, 2, 90).await;
    let third = rotate(store, &second, 3, 50).await;
    let after = pending(&third.token, None);
    let end = update(&third.token, &after);
    expect_event(store, &ended(), store.end_rotation(&end, (moment(50), moment(20)), &ended())).await;
    assert_eq!(end_of(store, 1).await, Some(moment(90)));
    assert_eq!(end_of(store, 2).await, Some(moment(20)));
    assert_eq!(end_of(store, 3).await, None);
    assert_eq!(end_of(store, 9).await, Some(moment(50)), "that of another token");
    let kept = store.find_token(first.token.id).await.expect("a lookup").expect("a token");
    assert_eq!((kept.token, kept.secret), (after, secret(3)));
}

/// A rotation whose old secret was swept away meanwhile can be ended.
pub async fn a_rotation_without_an_old_secret_can_be_ended(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let rotated = rotate(store, &stored, 2, 50).await;
    assert_eq!(store.sweep(moment(60)).await.expect("swept"), 1);
    let after = pending(&rotated.token, None);
    let end = update(&rotated.token, &after);
    expect_event(store, &ended(), store.end_rotation(&end, (moment(50), moment(20)), &ended())).await;
    assert_eq!(all_tokens(store).await, [StoredToken { token: after, ..rotated }]);
}

/// Ending fails for a token that was changed, and for one that is gone.
pub async fn the_end_of_a_rotation_is_refused_for_a_token_that_was_changed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let rotated = rotate(store, &stored, 2, 50).await;
    let other = pending(&rotated.token, Some(moment(51)));
    let end = update(&other, &stored.token);
    let id = stored.token.id;
    let refused = expect_error(store, store.end_rotation(&end, (moment(50), moment(20)), &ended())).await;
    assert_eq!(refused, ErrorKind::Stale(Entity::Token(id)));
    assert_eq!(end_of(store, 1).await, Some(moment(50)));
    store.delete_token(id, &token_deleted(&stored)).await.expect("removed");
    let end = update(&rotated.token, &stored.token);
    let refused = expect_error(store, store.end_rotation(&end, (moment(50), moment(20)), &ended())).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::Token(id)));
}

/// Of many that end one rotation at once, one does.
pub async fn a_rotation_is_ended_once(store: &Arc<dyn Store>) {
    let stored = token(1, &["default"]);
    setup::token(store.as_ref(), &stored).await;
    let rotated = rotate(store.as_ref(), &stored, 2, 50).await;
    let calls = (0..16).map(|call| {
        let store = Arc::clone(store);
        let end = update(&rotated.token, &stored.token);
        async move { store.end_rotation(&end, (moment(50), moment(20 + call)), &ended()).await }
    });
    let refused = ErrorKind::Stale(Entity::Token(stored.token.id));
    exactly_one_succeeds(store.as_ref(), refused, calls).await;
}
