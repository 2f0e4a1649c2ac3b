//! Rotation: a token gets a new secret, and the one that it had is good for a while yet, or not at all.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, Timestamp};
use latchkey_ports::{Entity, KeyId, Rotation, SecretRecord, Store, StoredToken, TokenMatch};

use crate::{
    given,
    observed::{ServiceError, all_tokens, leaves, refusal, token_of_digest},
    samples::{
        ROOM_ENOUGH, admin_token, digest, ending, event, extreme_moments, frontend, last_seen, moment,
        secret, secret_shown_once, token, token_created, token_deleted, token_of_all_projects, with_alias,
    },
};

/// From the secret of the token's number to another.
fn rotation(stored: &StoredToken, to: u64, overlap_until: Option<Timestamp>) -> Rotation {
    Rotation { token: stored.token.id, from: stored.secret.digest, to: secret(to), overlap_until }
}

/// Rotates, and gives the token as it is now.
async fn rotated(store: &dyn Store, stored: &StoredToken, to: u64, until: Option<Timestamp>) -> StoredToken {
    given::rotation(store, &rotation(stored, to, until)).await;
    StoredToken { secret: secret(to), ..stored.clone() }
}

async fn refused(store: &dyn Store, rotation: &Rotation) -> ServiceError {
    refusal(store, store.rotate_token(rotation, &event(EventKind::ApiTokenRotated))).await
}

/// The secret of that number finds the token as it is now, and is good until then.
async fn is_found(store: &dyn Store, number: u64, stored: &StoredToken, secret_until: Option<Timestamp>) {
    let found = store.find_token_by_digest(&[digest(number)]).await.expect("a look-up");
    let expected = TokenMatch { stored: stored.clone(), secret_until, found_by: digest(number) };
    assert_eq!(found, Some(expected));
}

async fn is_lost(store: &dyn Store, number: u64) {
    let found = store.find_token_by_digest(&[digest(number)]).await.expect("a look-up");
    assert_eq!(found, None, "by the secret {number}");
}

/// The new secret is in every list and look-up, and the old one is found with its end, on tokens of every kind; each
/// rotation leaves its event, and changes nothing else.
pub async fn with_an_overlap(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["b", "a"]).await;
    let tokens = [
        with_alias(101, last_seen(Some(moment(4)), token(1, &["b", "default", "a"]))),
        ending(Some(moment(5)), frontend(token(2, &["a"]))),
        token_of_all_projects(3),
        admin_token(4),
    ];
    given::tokens(store, &tokens).await;
    let mut expected = Vec::new();
    for (number, stored) in (1..).zip(tokens) {
        let rotation = rotation(&stored, number + 10, Some(moment(50)));
        let event = event(EventKind::ApiTokenRotated);
        leaves(store, &event, store.rotate_token(&rotation, &event)).await;
        let now = StoredToken { secret: secret(number + 10), ..stored };
        is_found(store, number + 10, &now, None).await;
        is_found(store, number, &now, Some(moment(50))).await;
        assert_eq!(store.find_token(now.token.id).await.expect("a look-up").as_ref(), Some(&now));
        expected.push(now);
    }
    assert_eq!(all_tokens(store).await, expected);
}

/// Without an overlap, the old secret is refused at once, and free for others.
pub async fn without_an_overlap(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let now = rotated(store, &stored, 11, None).await;
    is_found(store, 11, &now, None).await;
    is_lost(store, 1).await;

    let mut heir = token(2, &["default"]);
    heir.secret = secret(1);
    given::token(store, &heir).await;
    is_found(store, 1, &heir, None).await;
}

/// Each retired secret keeps its own end, whatever the later rotations give; one without an overlap ends none of them.
pub async fn several_retired_secrets(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let first = token(1, &["default"]);
    given::token(store, &first).await;
    let second = rotated(store, &first, 2, Some(moment(90))).await;
    let third = rotated(store, &second, 3, Some(moment(50))).await;
    let fourth = rotated(store, &third, 4, None).await;
    let now = rotated(store, &fourth, 5, Some(moment(70))).await;
    is_found(store, 1, &now, Some(moment(90))).await;
    is_found(store, 2, &now, Some(moment(50))).await;
    is_lost(store, 3).await;
    is_found(store, 4, &now, Some(moment(70))).await;
    is_found(store, 5, &now, None).await;
}

/// The end of an overlap may lie in any year, and a retired secret is found with it even if it is past.
pub async fn an_overlap_of_any_year(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    given::token(store, &stored).await;
    for (number, until) in (1..).zip(extreme_moments()) {
        stored = rotated(store, &stored, number + 1, Some(until)).await;
        is_found(store, number, &stored, Some(until)).await;
    }
}

/// The alias stays, and is as good as before.
pub async fn an_alias_stays(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = with_alias(101, token(1, &["default"]));
    given::token(store, &stored).await;
    let now = rotated(store, &stored, 2, Some(moment(5))).await;
    is_found(store, 101, &now, None).await;
    let now = rotated(store, &now, 3, None).await;
    is_found(store, 101, &now, None).await;
}

/// A secret that can be shown may follow one that cannot, and the other way round, under another key and of any length.
pub async fn what_is_kept_of_a_secret_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let longest = SecretRecord { sealed: Some((0..=255).cycle().take(1100).collect()), ..secret(3) };
    let other_key = SecretRecord { key: KeyId([9, 8, 7, 6]), ..secret(4) };
    for to in [secret_shown_once(2), longest, other_key] {
        let rotation = Rotation { to: to.clone(), ..rotation(&stored, 0, Some(moment(5))) };
        given::rotation(store, &rotation).await;
        stored.secret = to;
        assert_eq!(token_of_digest(store, &[stored.secret.digest]).await.as_ref(), Some(&stored));
    }
}

/// A retired secret is found wherever its digest stands among several.
pub async fn by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let stored = rotated(store, &stored, 2, Some(moment(5))).await;
    for digests in [[digest(8), digest(1), digest(9)], [digest(1), digest(8), digest(9)]] {
        let found = store.find_token_by_digest(&digests).await.expect("a look-up");
        let (stored, secret_until) = (stored.clone(), Some(moment(5)));
        assert_eq!(found, Some(TokenMatch { stored, secret_until, found_by: digest(1) }));
    }
}

/// Only whoever names the present secret rotates it: not one that was retired, dropped or never there, and no alias.
pub async fn a_secret_that_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = with_alias(101, token(1, &["default"]));
    given::tokens(store, &[stored.clone(), token(7, &["default"])]).await;
    let retired = rotated(store, &stored, 2, Some(moment(5))).await;
    rotated(store, &retired, 3, None).await;
    for from in [1, 2, 101, 7, 9] {
        let stale = Rotation { from: digest(from), ..rotation(&stored, 4, None) };
        assert_eq!(
            refused(store, &stale).await,
            ServiceError::Stale(Entity::Token(stored.token.id)),
            "from {from}"
        );
    }
    is_lost(store, 4).await;
}

/// A new secret is new: no token has it, as its secret, its alias or a retired one; nor has the token itself.
pub async fn a_new_secret_is_new(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (with_alias(101, token(1, &["default"])), with_alias(102, token(2, &["default"])));
    given::tokens(store, &[one.clone(), other.clone()]).await;
    let one = rotated(store, &one, 11, Some(moment(5))).await;
    rotated(store, &other, 12, Some(moment(5))).await;
    for to in [1, 2, 11, 12, 101, 102] {
        for overlap_until in [None, Some(moment(9))] {
            let refused = refused(store, &rotation(&one, to, overlap_until)).await;
            assert_eq!(refused, ServiceError::Conflict(Entity::Secret), "to {to}");
        }
    }
    is_found(store, 1, &one, Some(moment(5))).await;
}

/// A retired secret is taken for new tokens too, as secret and as alias, until its overlap was swept away.
pub async fn a_retired_secret_is_taken(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::token(store, &stored).await;
    rotated(store, &stored, 2, Some(moment(50))).await;
    let mut as_secret = token(3, &["default"]);
    as_secret.secret = secret(1);
    let as_alias = with_alias(1, token(4, &["default"]));
    for clashing in [&as_secret, &as_alias] {
        let event = token_created(clashing);
        let created = store.create_token(clashing, ROOM_ENOUGH, &event);
        assert_eq!(refusal(store, created).await, ServiceError::Conflict(Entity::Secret));
    }
    store.sweep(moment(60)).await.expect("swept");
    given::token(store, &as_secret).await;
    is_found(store, 1, &as_secret, None).await;
}

/// A token that is not there, or not any more, has no secret to rotate, whatever the new one is.
pub async fn nothing_to_rotate(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (gone, never_kept, other) = (token(1, &["default"]), token(2, &["default"]), token(3, &["default"]));
    given::tokens(store, &[gone.clone(), other]).await;
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    for stored in [gone, never_kept] {
        for to in [4, 3] {
            let refused = refused(store, &rotation(&stored, to, None)).await;
            assert_eq!(refused, ServiceError::NotFound(Entity::Token(stored.token.id)));
        }
    }
}

/// A secret that changed meanwhile is named before a new one that is there already.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::tokens(store, &[stored.clone(), token(2, &["default"])]).await;
    let both = Rotation { from: digest(9), ..rotation(&stored, 2, None) };
    assert_eq!(refused(store, &both).await, ServiceError::Stale(Entity::Token(stored.token.id)));
}

/// A removed token takes all its secrets with it, and they are free again; another's retired secret stays.
pub async fn a_removal_takes_all_secrets(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (stored, other) = (token(1, &["default"]), token(10, &["default"]));
    given::tokens(store, &[stored.clone(), other.clone()]).await;
    let stays = rotated(store, &other, 11, Some(moment(50))).await;
    let second = rotated(store, &stored, 2, Some(moment(50))).await;
    let third = rotated(store, &second, 3, Some(moment(60))).await;
    store.delete_token(third.token.id, &token_deleted(&third)).await.expect("removed");
    for number in 1..=3 {
        is_lost(store, number).await;
        given::token(store, &token(number, &["default"])).await;
    }
    is_found(store, 10, &stays, Some(moment(50))).await;
}

/// A change of its end and a note of its use show by a retired secret too.
pub async fn a_retired_secret_finds_the_token_of_the_moment(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let stored = rotated(store, &stored, 2, Some(moment(50))).await;
    let changed = event(EventKind::ApiTokenUpdated);
    store.change_token_expiry(stored.token.id, None, Some(moment(9)), &changed).await.expect("changed");
    store.record_token_use(&[(stored.token.id, moment(8))]).await.expect("noted");
    let now = last_seen(Some(moment(8)), ending(Some(moment(9)), stored));
    is_found(store, 1, &now, Some(moment(50))).await;
    is_found(store, 2, &now, None).await;
}

/// So many retired secrets are good at once; one that has ended makes room, and without an overlap none is needed.
pub async fn retired_secrets_are_few(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    given::token(store, &stored).await;
    let at = |millis| NewEvent { at: moment(millis), ..event(EventKind::ApiTokenRotated) };
    let full = ServiceError::LimitReached(Rotation::MAX_RETIRED);
    for number in 1..=Rotation::MAX_RETIRED {
        let until = if number == 1 { moment(50) } else { moment(90) };
        stored = rotated(store, &stored, number + 1, Some(until)).await;
    }
    let next = rotation(&stored, 100, Some(moment(60)));
    assert_eq!(refusal(store, store.rotate_token(&next, &at(49))).await, full);
    store.rotate_token(&next, &at(50)).await.expect("the first has ended");
    stored.secret = secret(100);
    let more = rotation(&stored, 101, Some(moment(60)));
    assert_eq!(refusal(store, store.rotate_token(&more, &at(50))).await, full);
    store.rotate_token(&rotation(&stored, 101, None), &at(50)).await.expect("without an overlap");
    let other = token(200, &["default"]);
    given::token(store, &other).await;
    rotated(store, &other, 201, Some(moment(90))).await;
}
