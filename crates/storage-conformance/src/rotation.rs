//! Rotation: a token gets a new secret, and the old one stays valid until the overlap ends.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, Timestamp};
use latchkey_ports::{Entity, KeyId, Rotation, SecretRecord, Store, StoredToken, TokenMatch};

use crate::{
    harness::{ErrorKind, all_tokens, expect_error, expect_event, token_of_digest},
    samples::{
        AMPLE_QUOTA, admin_token, digest, ending, event, extreme_moments, frontend, last_seen, moment,
        secret, secret_shown_once, token, token_created, token_deleted, token_of_all_projects, with_alias,
    },
    setup,
};

/// Builds a rotation from the current secret to the sample secret of this number.
fn rotation(stored: &StoredToken, to: u64, overlap_until: Option<Timestamp>) -> Rotation {
    Rotation {
        token: stored.token.id,
        from: stored.secret.digest,
        to: secret(to),
        overlap_until,
        update: None,
    }
}

/// Rotates the secret and returns the token in its new state.
async fn rotate(store: &dyn Store, stored: &StoredToken, to: u64, until: Option<Timestamp>) -> StoredToken {
    setup::rotation(store, &rotation(stored, to, until)).await;
    StoredToken { secret: secret(to), ..stored.clone() }
}

async fn error_of_rotation(store: &dyn Store, rotation: &Rotation) -> ErrorKind {
    expect_error(store, store.rotate_token(rotation, &event(EventKind::ApiTokenRotated))).await
}

/// Expects that the sample secret of this number finds the token and is valid until then.
async fn assert_found(store: &dyn Store, number: u64, stored: &StoredToken, secret_until: Option<Timestamp>) {
    let found = store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
    let expected = TokenMatch { stored: stored.clone(), secret_until, found_by: digest(number) };
    assert_eq!(found, Some(expected));
}

async fn assert_not_found(store: &dyn Store, number: u64) {
    let found = store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
    assert_eq!(found, None, "by the secret {number}");
}

/// The new secret appears in every list and lookup, and the old one is found with its end, for tokens of
/// every kind. Each rotation records its event and changes nothing else.
pub async fn rotating_keeps_the_old_secret_until_the_overlap_ends(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["b", "a"]).await;
    let tokens = [
        with_alias(101, last_seen(Some(moment(4)), token(1, &["b", "default", "a"]))),
        ending(Some(moment(5)), frontend(token(2, &["a"]))),
        token_of_all_projects(3),
        admin_token(4),
    ];
    setup::tokens(store, &tokens).await;
    let mut expected = Vec::new();
    for (number, stored) in (1..).zip(tokens) {
        let rotation = rotation(&stored, number + 10, Some(moment(50)));
        let event = event(EventKind::ApiTokenRotated);
        expect_event(store, &event, store.rotate_token(&rotation, &event)).await;
        let now = StoredToken { secret: secret(number + 10), ..stored };
        assert_found(store, number + 10, &now, None).await;
        assert_found(store, number, &now, Some(moment(50))).await;
        assert_eq!(store.find_token(now.token.id).await.expect("a lookup").as_ref(), Some(&now));
        expected.push(now);
    }
    assert_eq!(all_tokens(store).await, expected);
}

/// Without an overlap, the old secret is invalid immediately and can be used again.
pub async fn rotating_without_an_overlap_drops_the_old_secret(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let now = rotate(store, &stored, 11, None).await;
    assert_found(store, 11, &now, None).await;
    assert_not_found(store, 1).await;

    let mut successor = token(2, &["default"]);
    successor.secret = secret(1);
    setup::token(store, &successor).await;
    assert_found(store, 1, &successor, None).await;
}

/// Later rotations, with or without an overlap, do not change the end of earlier retired secrets.
pub async fn each_retired_secret_keeps_its_own_end(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let first = token(1, &["default"]);
    setup::token(store, &first).await;
    let second = rotate(store, &first, 2, Some(moment(90))).await;
    let third = rotate(store, &second, 3, Some(moment(50))).await;
    let fourth = rotate(store, &third, 4, None).await;
    let now = rotate(store, &fourth, 5, Some(moment(70))).await;
    assert_found(store, 1, &now, Some(moment(90))).await;
    assert_found(store, 2, &now, Some(moment(50))).await;
    assert_not_found(store, 3).await;
    assert_found(store, 4, &now, Some(moment(70))).await;
    assert_found(store, 5, &now, None).await;
    let ends = store.retired_secret_ends(now.token.id).await.expect("ends");
    assert_eq!(ends, [moment(50), moment(70), moment(90)]);
    let gone = token(9, &["default"]).token.id;
    assert_eq!(store.retired_secret_ends(gone).await.expect("none"), []);
}

/// An overlap may end in any year, and a retired secret is found even after its end.
pub async fn overlaps_of_all_years_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    for (number, until) in (1..).zip(extreme_moments()) {
        stored = rotate(store, &stored, number + 1, Some(until)).await;
        assert_found(store, number, &stored, Some(until)).await;
    }
}

/// The alias stays and still finds the token.
pub async fn rotating_keeps_the_alias(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = with_alias(101, token(1, &["default"]));
    setup::token(store, &stored).await;
    let now = rotate(store, &stored, 2, Some(moment(5))).await;
    assert_found(store, 101, &now, None).await;
    let now = rotate(store, &now, 3, None).await;
    assert_found(store, 101, &now, None).await;
}

/// A sealed secret may follow an unsealed one and vice versa, under another key and of any length.
pub async fn rotating_replaces_the_whole_secret_record(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let longest = SecretRecord { sealed: Some((0..=255).cycle().take(1100).collect()), ..secret(3) };
    let other_key = SecretRecord { key: KeyId([9, 8, 7, 6]), ..secret(4) };
    for to in [secret_shown_once(2), longest, other_key] {
        let rotation = Rotation { to: to.clone(), ..rotation(&stored, 0, Some(moment(5))) };
        setup::rotation(store, &rotation).await;
        stored.secret = to;
        assert_eq!(token_of_digest(store, &[stored.secret.digest]).await.as_ref(), Some(&stored));
    }
}

/// A retired secret is found at any position of the list of digests.
pub async fn a_retired_secret_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let stored = rotate(store, &stored, 2, Some(moment(5))).await;
    for digests in [[digest(8), digest(1), digest(9)], [digest(1), digest(8), digest(9)]] {
        let found = store.find_token_by_digest(&digests).await.expect("a lookup");
        let (stored, secret_until) = (stored.clone(), Some(moment(5)));
        assert_eq!(found, Some(TokenMatch { stored, secret_until, found_by: digest(1) }));
    }
}

/// Only the current secret can be rotated: not a retired, dropped or unknown one, and not an alias.
pub async fn a_stale_rotation_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = with_alias(101, token(1, &["default"]));
    setup::tokens(store, &[stored.clone(), token(7, &["default"])]).await;
    let retired = rotate(store, &stored, 2, Some(moment(5))).await;
    rotate(store, &retired, 3, None).await;
    for from in [1, 2, 101, 7, 9] {
        let stale = Rotation { from: digest(from), ..rotation(&stored, 4, None) };
        assert_eq!(
            error_of_rotation(store, &stale).await,
            ErrorKind::Stale(Entity::Token(stored.token.id)),
            "from {from}"
        );
    }
    assert_not_found(store, 4).await;
}

/// No token, including the rotated one, may have the new secret as its secret, alias or retired secret.
pub async fn rotating_to_an_existing_secret_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (with_alias(101, token(1, &["default"])), with_alias(102, token(2, &["default"])));
    setup::tokens(store, &[one.clone(), other.clone()]).await;
    let one = rotate(store, &one, 11, Some(moment(5))).await;
    rotate(store, &other, 12, Some(moment(5))).await;
    for to in [1, 2, 11, 12, 101, 102] {
        for overlap_until in [None, Some(moment(9))] {
            let refused = error_of_rotation(store, &rotation(&one, to, overlap_until)).await;
            assert_eq!(refused, ErrorKind::Conflict(Entity::Secret), "to {to}");
        }
    }
    assert_found(store, 1, &one, Some(moment(5))).await;
}

/// A retired secret is rejected for new tokens, as secret and as alias, until it is swept.
pub async fn a_retired_secret_cannot_be_reused_until_it_is_swept(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    rotate(store, &stored, 2, Some(moment(50))).await;
    let mut as_secret = token(3, &["default"]);
    as_secret.secret = secret(1);
    let as_alias = with_alias(1, token(4, &["default"]));
    for clashing in [&as_secret, &as_alias] {
        let event = token_created(clashing);
        let created = store.create_token(clashing, AMPLE_QUOTA, &event);
        assert_eq!(expect_error(store, created).await, ErrorKind::Conflict(Entity::Secret));
    }
    store.sweep(moment(60)).await.expect("swept");
    setup::token(store, &as_secret).await;
    assert_found(store, 1, &as_secret, None).await;
}

/// A token that does not exist, or no longer exists, cannot be rotated, whatever the new secret.
pub async fn rotating_an_unknown_token_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (deleted, never_stored, other) =
        (token(1, &["default"]), token(2, &["default"]), token(3, &["default"]));
    setup::tokens(store, &[deleted.clone(), other]).await;
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    for stored in [deleted, never_stored] {
        for to in [4, 3] {
            let refused = error_of_rotation(store, &rotation(&stored, to, None)).await;
            assert_eq!(refused, ErrorKind::NotFound(Entity::Token(stored.token.id)));
        }
    }
}

/// A stale secret is reported before a new secret that exists already.
pub async fn a_stale_rotation_is_reported_before_a_conflict(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::tokens(store, &[stored.clone(), token(2, &["default"])]).await;
    let both = Rotation { from: digest(9), ..rotation(&stored, 2, None) };
    assert_eq!(error_of_rotation(store, &both).await, ErrorKind::Stale(Entity::Token(stored.token.id)));
}

/// All secrets of a deleted token can be used again; retired secrets of other tokens stay.
pub async fn deleting_a_token_deletes_its_retired_secrets(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (stored, other) = (token(1, &["default"]), token(10, &["default"]));
    setup::tokens(store, &[stored.clone(), other.clone()]).await;
    let unaffected = rotate(store, &other, 11, Some(moment(50))).await;
    let second = rotate(store, &stored, 2, Some(moment(50))).await;
    let third = rotate(store, &second, 3, Some(moment(60))).await;
    store.delete_token(third.token.id, &token_deleted(&third)).await.expect("removed");
    for number in 1..=3 {
        assert_not_found(store, number).await;
        setup::token(store, &token(number, &["default"])).await;
    }
    assert_found(store, 10, &unaffected, Some(moment(50))).await;
}

/// Secrets, aliases and retired secrets of many tokens are found in one call, each with its own match; unknown and repeated
/// digests are ignored.
pub async fn many_digests_are_looked_up_at_once(store: &Arc<dyn Store>) {
    const TOKENS: u64 = 300;
    let store = store.as_ref();
    let mut expected = Vec::new();
    for number in 0..TOKENS {
        let stored = with_alias(10_000 + number, token(number, &["default"]));
        setup::token(store, &stored).await;
        let stored = rotate(store, &stored, 20_000 + number, Some(moment(50))).await;
        for (secret, secret_until) in
            [(number, Some(moment(50))), (10_000 + number, None), (20_000 + number, None)]
        {
            expected.push(TokenMatch { stored: stored.clone(), secret_until, found_by: digest(secret) });
        }
    }
    assert_eq!(store.find_tokens_by_digests(&[]).await.expect("a lookup"), []);
    assert_eq!(store.find_tokens_by_digests(&[digest(30_000)]).await.expect("a lookup"), []);
    let only_retired = store.find_tokens_by_digests(&[digest(7)]).await.expect("a lookup");
    assert_eq!(only_retired, expected[21..22]);
    let unknown = (30_000..30_200).map(digest);
    let asked: Vec<_> =
        expected.iter().map(|one| one.found_by).chain(unknown).chain([digest(1), digest(10_001)]).collect();
    let mut found = store.find_tokens_by_digests(&asked).await.expect("a lookup");
    found.sort_by_key(|one| one.found_by);
    expected.sort_by_key(|one| one.found_by);
    assert_eq!(found, expected);
}

/// Changes of expiry and last use are visible through a retired secret.
pub async fn a_retired_secret_finds_the_current_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let stored = rotate(store, &stored, 2, Some(moment(50))).await;
    let changed = event(EventKind::ApiTokenUpdated);
    let now = ending(Some(moment(9)), stored.clone());
    store.update_token(&stored.token, &now.token, &changed).await.expect("changed");
    store.record_token_use(&[(stored.token.id, moment(8))]).await.expect("recorded");
    let now = last_seen(Some(moment(8)), now);
    assert_found(store, 1, &now, Some(moment(50))).await;
    assert_found(store, 2, &now, None).await;
}

/// Only a limited number of retired secrets is valid at once. An ended one frees a slot, and a rotation
/// without an overlap needs none.
pub async fn the_number_of_valid_retired_secrets_is_limited(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let at = |millis| NewEvent { at: moment(millis), ..event(EventKind::ApiTokenRotated) };
    let full = ErrorKind::LimitReached(Rotation::MAX_RETIRED);
    for number in 1..=Rotation::MAX_RETIRED {
        let until = if number == 1 { moment(50) } else { moment(90) };
        stored = rotate(store, &stored, number + 1, Some(until)).await;
    }
    let next = rotation(&stored, 100, Some(moment(60)));
    assert_eq!(expect_error(store, store.rotate_token(&next, &at(49))).await, full);
    store.rotate_token(&next, &at(50)).await.expect("the first has ended");
    stored.secret = secret(100);
    let more = rotation(&stored, 101, Some(moment(60)));
    assert_eq!(expect_error(store, store.rotate_token(&more, &at(50))).await, full);
    store.rotate_token(&rotation(&stored, 101, None), &at(50)).await.expect("without an overlap");
    let other = token(200, &["default"]);
    setup::token(store, &other).await;
    rotate(store, &other, 201, Some(moment(90))).await;
}
