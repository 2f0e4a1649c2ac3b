//! Stored secrets by master key, and their move to another key.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::TokenId;
use latchkey_ports::{
    KeyId, Rekeying, Rotation, SecretCount, SecretDigest, SecretForm, SecretOf, SecretRecord, Store,
    StoredToken, TokenSecrets,
};

use crate::{
    harness::read_contents,
    samples::{
        at, digest, ending, moment, personal_token, secret, secret_shown_once, session, token, user_named,
        with_alias,
    },
    setup,
};

/// The master key of the sample secrets.
pub(crate) const OLD: KeyId = KeyId([0xff, 0, 1, 0x80]);
/// The master key to which secrets are moved.
pub(crate) const NEW: KeyId = KeyId([0, 1, 2, 3]);

/// Moves a secret to the new key, as the sample secret of number `to`.
pub(crate) fn rekeying(of: SecretOf, from: u64, to: u64) -> Rekeying {
    Rekeying { of, from: digest(from), to: SecretRecord { key: NEW, ..secret(to) } }
}

/// Moves a secret that has no sealed copy.
pub(crate) fn rekeying_unsealed(of: SecretOf, from: u64, to: u64) -> Rekeying {
    Rekeying { of, from: digest(from), to: SecretRecord { key: NEW, ..secret_shown_once(to) } }
}

pub(crate) async fn rekey(store: &dyn Store, rekeyings: &[Rekeying]) -> Vec<SecretDigest> {
    let mut done = store.rekey_secrets(rekeyings).await.expect("rekeyed");
    done.sort();
    done
}

/// Expects that the store skips the entry and stays unchanged.
async fn assert_skipped(store: &dyn Store, rekeying: Rekeying) {
    let before = read_contents(store).await;
    assert_eq!(rekey(store, std::slice::from_ref(&rekeying)).await, [], "{rekeying:?}");
    assert_eq!(read_contents(store).await, before, "{rekeying:?}");
}

pub(crate) fn without_sealed_copy(number: u64, mut stored: StoredToken) -> StoredToken {
    stored.secret = secret_shown_once(number);
    stored
}

/// Secrets and aliases are read page by page, by id, without gaps or repetitions.
pub async fn token_secrets_are_read_in_pages_by_id(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let walk =
        async |after: Option<TokenId>, limit| store.token_secrets(after, limit).await.expect("secrets");
    assert_eq!(walk(None, 10).await, []);
    let tokens = [
        token(3, &["default"]),
        with_alias(11, token(1, &["default"])),
        without_sealed_copy(5, token(5, &["default"])),
        token(2, &["default"]),
        token(4, &["default"]),
    ];
    setup::tokens(store, &tokens).await;
    let secrets = |number: usize| {
        let stored = tokens.iter().find(|stored| stored.secret.digest == digest(number as u64));
        let stored = stored.expect("a sample").clone();
        TokenSecrets { token: stored.token.id, secret: stored.secret, alias: stored.alias }
    };
    assert_eq!(walk(None, 10).await, [1, 2, 3, 4, 5].map(secrets));
    assert_eq!(walk(None, 2).await, [1, 2].map(secrets));
    assert_eq!(walk(Some(secrets(2).token), 2).await, [3, 4].map(secrets));
    assert_eq!(walk(Some(secrets(4).token), 2).await, [5].map(secrets));
    assert_eq!(walk(Some(secrets(5).token), 2).await, []);
    assert_eq!(walk(None, 0).await, []);
}

/// The new digests of secret and alias find the token, the old ones do not, and the new sealed copies are
/// stored. Nothing else changes and no event is recorded.
pub async fn a_sealed_secret_moves_to_another_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (mut stored, other) = (with_alias(11, token(1, &["default"])), token(2, &["default"]));
    setup::tokens(store, &[stored.clone(), other.clone()]).await;
    let events = read_contents(store).await.events;
    let id = stored.token.id;
    assert_eq!(rekey(store, &[]).await, []);
    assert_eq!(rekey(store, &[rekeying(SecretOf::Token(id), 1, 101)]).await, [digest(1)]);
    stored.secret = SecretRecord { key: NEW, ..secret(101) };
    assert_eq!(read_contents(store).await.all_tokens, [stored.clone(), other.clone()]);
    assert_eq!(rekey(store, &[rekeying(SecretOf::Alias(id), 11, 111)]).await, [digest(11)]);
    stored.alias = Some(SecretRecord { key: NEW, ..secret(111) });
    assert_eq!(read_contents(store).await.all_tokens, [stored.clone(), other]);
    for (number, is_there) in [(1, false), (11, false), (101, true), (111, true)] {
        let found = store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
        assert_eq!(found.as_ref().map(|found| &found.stored), is_there.then_some(&stored), "by {number}");
    }
    assert_eq!(read_contents(store).await.events, events);
}

/// Unsealed secrets and aliases, retired secrets, personal tokens and sessions move in one call; only their
/// digests change.
pub async fn an_unsealed_secret_moves_to_another_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let mut stored = without_sealed_copy(1, token(1, &["default"]));
    stored.alias = Some(secret_shown_once(11));
    setup::token(store, &stored).await;
    let id = stored.token.id;
    let overlap_until = Some(moment(50));
    let rotation =
        Rotation { token: id, from: digest(1), to: secret_shown_once(2), overlap_until, update: None };
    setup::rotation(store, &rotation).await;
    let personal = setup::personal_token(store, user, "ci", 4).await;
    let signed_in = session(5, user);
    setup::session(store, &signed_in, 5).await;
    let before = read_contents(store).await;
    let all = [
        rekeying_unsealed(SecretOf::Retired(id), 1, 101),
        rekeying_unsealed(SecretOf::Token(id), 2, 102),
        rekeying_unsealed(SecretOf::PersonalToken(personal), 4, 104),
        rekeying_unsealed(SecretOf::Session(signed_in.id), 5, 105),
        rekeying_unsealed(SecretOf::Alias(id), 11, 111),
    ];
    assert_eq!(rekey(store, &all).await, [1, 2, 4, 5, 11].map(digest));

    let by_digest = async |number| store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
    for number in [1, 2, 11] {
        assert_eq!(by_digest(number).await, None);
    }
    let retired = by_digest(101).await.expect("the retired secret");
    assert_eq!((retired.secret_until, retired.found_by), (overlap_until, digest(101)));
    for number in [102, 111] {
        assert_eq!(by_digest(number).await.expect("the token").secret_until, None);
    }
    for (number, is_there) in [(4, false), (104, true)] {
        let found = store.find_personal_token_by_digest(&[digest(number)]).await.expect("a lookup");
        assert_eq!(found.map(|found| found.token.id), is_there.then_some(personal));
    }
    for (number, is_there) in [(5, false), (105, true)] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a lookup");
        assert_eq!(found.map(|found| found.session), is_there.then(|| signed_in.clone()));
    }
    let after = read_contents(store).await;
    assert_eq!(after.events, before.events);
    assert_eq!((after.personal_tokens, after.sessions), (before.personal_tokens, before.sessions));
    // A second run moves nothing.
    assert_eq!(rekey(store, &all).await, []);
}

/// A secret that was rotated, deleted or moved since it was read stays, and so does another token's secret
/// with that digest.
pub async fn a_secret_that_changed_is_skipped(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let (one, two) = (token(1, &["default"]), with_alias(12, token(2, &["default"])));
    setup::tokens(store, &[one.clone(), two.clone()]).await;
    let personal = setup::personal_token(store, user, "ci", 4).await;
    setup::personal_token(store, user, "cd", 5).await;
    setup::session(store, &session(6, user), 6).await;
    let never_stored = token(3, &["default"]).token.id;
    for rekeying in [
        rekeying(SecretOf::Token(one.token.id), 9, 101),
        rekeying(SecretOf::Token(one.token.id), 2, 101),
        rekeying(SecretOf::Token(never_stored), 1, 101),
        rekeying(SecretOf::Alias(one.token.id), 1, 101),
        rekeying(SecretOf::Alias(two.token.id), 2, 101),
        rekeying(SecretOf::Token(two.token.id), 12, 101),
        rekeying_unsealed(SecretOf::Retired(one.token.id), 1, 101),
        rekeying_unsealed(SecretOf::PersonalToken(personal), 5, 101),
        rekeying_unsealed(SecretOf::PersonalToken(personal), 1, 101),
        rekeying_unsealed(SecretOf::Session(session(7, user).id), 6, 101),
        rekeying_unsealed(SecretOf::Session(session(6, user).id), 4, 101),
    ] {
        assert_skipped(store, rekeying).await;
    }
}

/// A sealed secret stays sealed, and an unsealed one gets no sealed copy.
pub async fn moving_a_secret_never_adds_or_removes_its_sealed_copy(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let (sealed, mut once) =
        (with_alias(11, token(1, &["default"])), without_sealed_copy(2, token(2, &["default"])));
    once.alias = Some(secret_shown_once(12));
    setup::tokens(store, &[sealed.clone(), once.clone()]).await;
    let personal = setup::personal_token(store, user, "ci", 4).await;
    setup::session(store, &session(5, user), 5).await;
    let overlap_until = Some(moment(50));
    let (from, to) = (once.secret.digest, secret_shown_once(3));
    setup::rotation(store, &Rotation { token: once.token.id, from, to, overlap_until, update: None }).await;
    for rekeying in [
        rekeying_unsealed(SecretOf::Token(sealed.token.id), 1, 101),
        rekeying_unsealed(SecretOf::Alias(sealed.token.id), 11, 101),
        rekeying(SecretOf::Token(once.token.id), 3, 101),
        rekeying(SecretOf::Alias(once.token.id), 12, 101),
        rekeying(SecretOf::Retired(once.token.id), 2, 101),
        rekeying(SecretOf::PersonalToken(personal), 4, 101),
        rekeying(SecretOf::Session(session(5, user).id), 5, 101),
    ] {
        assert_skipped(store, rekeying).await;
    }
}

/// A digest that a secret, alias or retired secret has already is not used again.
pub async fn a_secret_is_not_moved_to_an_existing_digest(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let (one, two) = (with_alias(11, token(1, &["default"])), token(2, &["default"]));
    setup::tokens(store, &[one.clone(), two.clone(), token(3, &["default"])]).await;
    let overlap_until = Some(moment(50));
    let (from, to) = (two.secret.digest, secret(20));
    setup::rotation(store, &Rotation { token: two.token.id, from, to, overlap_until, update: None }).await;
    let personal = setup::personal_token(store, user, "ci", 4).await;
    setup::personal_token(store, user, "cd", 5).await;
    for number in [6, 7] {
        setup::session(store, &session(number, user), number).await;
    }
    for conflicting in [2, 3, 11, 20] {
        assert_skipped(store, rekeying(SecretOf::Token(one.token.id), 1, conflicting)).await;
    }
    for conflicting in [1, 2, 3, 20] {
        assert_skipped(store, rekeying(SecretOf::Alias(one.token.id), 11, conflicting)).await;
    }
    for conflicting in [1, 3, 11, 20] {
        assert_skipped(store, rekeying_unsealed(SecretOf::Retired(two.token.id), 2, conflicting)).await;
    }
    assert_skipped(store, rekeying_unsealed(SecretOf::PersonalToken(personal), 4, 5)).await;
    assert_skipped(store, rekeying_unsealed(SecretOf::Session(session(6, user).id), 6, 7)).await;
}

/// The second is skipped, and the rest of the call succeeds.
pub async fn of_two_secrets_moved_to_one_digest_the_first_succeeds(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [1, 2, 3].map(|number| token(number, &["default"]));
    setup::tokens(store, &tokens).await;
    let [one, two, three] = tokens.map(|stored| SecretOf::Token(stored.token.id));
    let all = [rekeying(one, 1, 101), rekeying(two, 2, 101), rekeying(three, 3, 103)];
    assert_eq!(rekey(store, &all).await, [digest(1), digest(3)]);
    let found = store.find_token_by_digest(&[digest(101)]).await.expect("a lookup").expect("the first");
    assert_eq!(SecretOf::Token(found.stored.token.id), one);
}

/// One call accepts 1,000 entries, of existing and unknown tokens.
pub async fn a_large_batch_of_secrets_moves(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in 0..20 {
        setup::token(store, &token(number, &["default"])).await;
    }
    let all: Vec<_> = (0..1_000)
        .rev()
        .map(|number| {
            rekeying(SecretOf::Token(token(number, &["default"]).token.id), number, 10_000 + number)
        })
        .collect();
    let expected: Vec<_> = (0..20).map(digest).collect();
    assert_eq!(rekey(store, &all).await, expected);
}

/// Each form is counted under each key, without empty entries.
pub async fn secrets_are_counted_by_key_and_form(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let count = async || store.secrets_by_key(moment(0)).await.expect("counted");
    assert_eq!(count().await, BTreeMap::new());
    let user = setup::user(store, &user_named("ed")).await;
    let mut once = without_sealed_copy(2, token(2, &["default"]));
    once.alias = Some(secret_shown_once(12));
    let sealed = with_alias(11, token(1, &["default"]));
    setup::tokens(store, &[sealed.clone(), once, token(3, &["default"])]).await;
    let overlap_until = Some(moment(50));
    let (token, from) = (sealed.token.id, sealed.secret.digest);
    setup::rotation(store, &Rotation { token, from, to: secret(20), overlap_until, update: None }).await;
    let personal = setup::personal_token(store, user, "ci", 4).await;
    setup::session(store, &session(6, user), 6).await;
    let good = |good| SecretCount { good, ended: 0 };
    let mut expected = BTreeMap::from([
        ((OLD, SecretForm::Sealed), good(3)),
        ((OLD, SecretForm::ShownOnce), good(2)),
        ((OLD, SecretForm::PersonalToken), good(1)),
        ((OLD, SecretForm::Session), good(1)),
        ((OLD, SecretForm::Retired), good(1)),
    ]);
    assert_eq!(count().await, expected);
    rekey(
        store,
        &[
            rekeying(SecretOf::Alias(token), 11, 111),
            rekeying_unsealed(SecretOf::PersonalToken(personal), 4, 104),
        ],
    )
    .await;
    expected.insert((OLD, SecretForm::Sealed), good(2));
    expected.insert((NEW, SecretForm::Sealed), good(1));
    expected.remove(&(OLD, SecretForm::PersonalToken));
    expected.insert((NEW, SecretForm::PersonalToken), good(1));
    assert_eq!(count().await, expected);
}

/// Secrets that have ended, including at this very time, are counted separately, except sealed ones.
pub async fn ended_secrets_are_counted_separately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let end = personal_token(user, "ci").expires_at;
    let mut signed_in = session(6, user);
    signed_in.expires_at = end;
    let once = ending(Some(end), without_sealed_copy(2, token(2, &["default"])));
    let tokens =
        [ending(Some(end), token(1, &["default"])), once, without_sealed_copy(3, token(3, &["default"]))];
    setup::tokens(store, &tokens).await;
    let (token, from) = (tokens[2].token.id, tokens[2].secret.digest);
    let rotation =
        Rotation { token, from, to: secret_shown_once(20), overlap_until: Some(end), update: None };
    setup::rotation(store, &rotation).await;
    setup::personal_token(store, user, "ci", 4).await;
    setup::session(store, &signed_in, 6).await;
    let earlier = at(end.millis() - 1);
    for (now, ended) in [(earlier, 0), (end, 1)] {
        let counted = store.secrets_by_key(now).await.expect("counted");
        let count = |good| SecretCount { good: good - ended, ended };
        let expected = BTreeMap::from([
            ((OLD, SecretForm::Sealed), SecretCount { good: 1, ended: 0 }),
            ((OLD, SecretForm::ShownOnce), count(2)),
            ((OLD, SecretForm::PersonalToken), count(1)),
            ((OLD, SecretForm::Session), count(1)),
            ((OLD, SecretForm::Retired), count(1)),
        ]);
        assert_eq!(counted, expected, "at {now}");
    }
}
