//! What is kept under which master key, and how it gets under another.

use std::sync::Arc;

use latchkey_domain::TokenId;
use latchkey_ports::{
    KeyId, Rekeying, Rotation, SecretDigest, SecretOf, SecretRecord, Store, StoredToken, TokenSecrets,
};

use crate::{
    given,
    observed::observe,
    samples::{digest, moment, secret, secret_shown_once, session, token, user_named, with_alias},
};

/// The key of the samples.
pub(crate) const OLD: KeyId = KeyId([0xff, 0, 1, 0x80]);
/// The key that secrets get under.
pub(crate) const NEW: KeyId = KeyId([0, 1, 2, 3]);

/// The secret of a token, to get under the new key as the sample of that number.
pub(crate) fn anew(of: SecretOf, from: u64, to: u64) -> Rekeying {
    Rekeying { of, from: digest(from), to: SecretRecord { key: NEW, ..secret(to) } }
}

/// The same of what has no sealed copy.
pub(crate) fn bare(of: SecretOf, from: u64, to: u64) -> Rekeying {
    Rekeying { of, from: digest(from), to: SecretRecord { key: NEW, ..secret_shown_once(to) } }
}

pub(crate) async fn rekeyed(store: &dyn Store, rekeyings: &[Rekeying]) -> Vec<SecretDigest> {
    let mut done = store.rekey_secrets(rekeyings).await.expect("rekeyed");
    done.sort();
    done
}

/// Nothing is done, and all is as it was.
async fn is_passed_over(store: &dyn Store, rekeying: Rekeying) {
    let before = observe(store).await;
    assert_eq!(rekeyed(store, std::slice::from_ref(&rekeying)).await, [], "{rekeying:?}");
    assert_eq!(observe(store).await, before, "{rekeying:?}");
}

pub(crate) fn shown_once(number: u64, mut stored: StoredToken) -> StoredToken {
    stored.secret = secret_shown_once(number);
    stored
}

/// In portions, by id, without gaps and doubles; with what is kept of the alias.
pub async fn the_secrets_of_tokens_are_walked_by_id(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let walk =
        async |after: Option<TokenId>, limit| store.token_secrets(after, limit).await.expect("secrets");
    assert_eq!(walk(None, 10).await, []);
    let tokens = [
        token(3, &["default"]),
        with_alias(11, token(1, &["default"])),
        shown_once(5, token(5, &["default"])),
        token(2, &["default"]),
        token(4, &["default"]),
    ];
    given::tokens(store, &tokens).await;
    let secrets = |number: usize| {
        let stored = tokens.iter().find(|stored| stored.secret.digest == digest(number as u64));
        let StoredToken { token, secret, alias } = stored.expect("a sample").clone();
        TokenSecrets { token: token.id, secret, alias }
    };
    assert_eq!(walk(None, 10).await, [1, 2, 3, 4, 5].map(secrets));
    assert_eq!(walk(None, 2).await, [1, 2].map(secrets));
    assert_eq!(walk(Some(secrets(2).token), 2).await, [3, 4].map(secrets));
    assert_eq!(walk(Some(secrets(4).token), 2).await, [5].map(secrets));
    assert_eq!(walk(Some(secrets(5).token), 2).await, []);
    assert_eq!(walk(None, 0).await, []);
}

/// A token is found by the new digests of secret and alias and not by the old ones, is shown with the new copies, and is
/// otherwise what it was. No event is left.
pub async fn a_sealed_secret_gets_under_another_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (mut stored, other) = (with_alias(11, token(1, &["default"])), token(2, &["default"]));
    given::tokens(store, &[stored.clone(), other.clone()]).await;
    let events = observe(store).await.events;
    let id = stored.token.id;
    assert_eq!(rekeyed(store, &[]).await, []);
    assert_eq!(rekeyed(store, &[anew(SecretOf::Token(id), 1, 101)]).await, [digest(1)]);
    stored.secret = SecretRecord { key: NEW, ..secret(101) };
    assert_eq!(observe(store).await.all_tokens, [stored.clone(), other.clone()]);
    assert_eq!(rekeyed(store, &[anew(SecretOf::Alias(id), 11, 111)]).await, [digest(11)]);
    stored.alias = Some(SecretRecord { key: NEW, ..secret(111) });
    assert_eq!(observe(store).await.all_tokens, [stored.clone(), other]);
    for (number, is_there) in [(1, false), (11, false), (101, true), (111, true)] {
        let found = store.find_token_by_digest(&[digest(number)]).await.expect("a look-up");
        assert_eq!(found.as_ref().map(|found| &found.stored), is_there.then_some(&stored), "by {number}");
    }
    assert_eq!(observe(store).await.events, events);
}

/// Secrets and aliases shown once, retired secrets, personal tokens and sessions, all in one call: found by the new digests
/// alone, and otherwise what they were.
pub async fn what_has_a_digest_alone_gets_under_another_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let mut stored = shown_once(1, token(1, &["default"]));
    stored.alias = Some(secret_shown_once(11));
    given::token(store, &stored).await;
    let id = stored.token.id;
    let overlap_until = Some(moment(50));
    let rotation = Rotation { token: id, from: digest(1), to: secret_shown_once(2), overlap_until };
    given::rotation(store, &rotation).await;
    let personal = given::personal_token(store, user, "ci", 4).await;
    let signed_in = session(5, user);
    given::session(store, &signed_in, 5).await;
    let before = observe(store).await;
    let all = [
        bare(SecretOf::Retired(id), 1, 101),
        bare(SecretOf::Token(id), 2, 102),
        bare(SecretOf::PersonalToken(personal), 4, 104),
        bare(SecretOf::Session(signed_in.id), 5, 105),
        bare(SecretOf::Alias(id), 11, 111),
    ];
    assert_eq!(rekeyed(store, &all).await, [1, 2, 4, 5, 11].map(digest));

    let by_digest = async |number| store.find_token_by_digest(&[digest(number)]).await.expect("a look-up");
    for number in [1, 2, 11] {
        assert_eq!(by_digest(number).await, None);
    }
    let retired = by_digest(101).await.expect("the retired secret");
    assert_eq!((retired.secret_until, retired.found_by), (overlap_until, digest(101)));
    for number in [102, 111] {
        assert_eq!(by_digest(number).await.expect("the token").secret_until, None);
    }
    for (number, is_there) in [(4, false), (104, true)] {
        let found = store.find_personal_token_by_digest(&[digest(number)]).await.expect("a look-up");
        assert_eq!(found.map(|found| found.token.id), is_there.then_some(personal));
    }
    for (number, is_there) in [(5, false), (105, true)] {
        let found = store.find_session_by_digest(&[digest(number)]).await.expect("a look-up");
        assert_eq!(found.map(|found| found.session), is_there.then(|| signed_in.clone()));
    }
    let after = observe(store).await;
    assert_eq!(after.events, before.events);
    assert_eq!((after.personal_tokens, after.sessions), (before.personal_tokens, before.sessions));
    // Nobody did the same once more.
    assert_eq!(rekeyed(store, &all).await, []);
}

/// What was rotated, removed or rekeyed since it was read stays what it is; so does another one's with that digest.
pub async fn what_changed_meanwhile_is_passed_over(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let (one, two) = (token(1, &["default"]), with_alias(12, token(2, &["default"])));
    given::tokens(store, &[one.clone(), two.clone()]).await;
    let personal = given::personal_token(store, user, "ci", 4).await;
    given::personal_token(store, user, "cd", 5).await;
    given::session(store, &session(6, user), 6).await;
    let never_kept = token(3, &["default"]).token.id;
    for rekeying in [
        anew(SecretOf::Token(one.token.id), 9, 101),
        anew(SecretOf::Token(one.token.id), 2, 101),
        anew(SecretOf::Token(never_kept), 1, 101),
        anew(SecretOf::Alias(one.token.id), 1, 101),
        anew(SecretOf::Alias(two.token.id), 2, 101),
        anew(SecretOf::Token(two.token.id), 12, 101),
        bare(SecretOf::Retired(one.token.id), 1, 101),
        bare(SecretOf::PersonalToken(personal), 5, 101),
        bare(SecretOf::PersonalToken(personal), 1, 101),
        bare(SecretOf::Session(session(7, user).id), 6, 101),
        bare(SecretOf::Session(session(6, user).id), 4, 101),
    ] {
        is_passed_over(store, rekeying).await;
    }
}

/// A secret that can be shown stays one that can, and one that cannot gets no copy.
pub async fn a_form_is_never_changed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let (sealed, mut once) = (with_alias(11, token(1, &["default"])), shown_once(2, token(2, &["default"])));
    once.alias = Some(secret_shown_once(12));
    given::tokens(store, &[sealed.clone(), once.clone()]).await;
    let personal = given::personal_token(store, user, "ci", 4).await;
    given::session(store, &session(5, user), 5).await;
    let overlap_until = Some(moment(50));
    let (from, to) = (once.secret.digest, secret_shown_once(3));
    given::rotation(store, &Rotation { token: once.token.id, from, to, overlap_until }).await;
    for rekeying in [
        bare(SecretOf::Token(sealed.token.id), 1, 101),
        bare(SecretOf::Alias(sealed.token.id), 11, 101),
        anew(SecretOf::Token(once.token.id), 3, 101),
        anew(SecretOf::Alias(once.token.id), 12, 101),
        anew(SecretOf::Retired(once.token.id), 2, 101),
        anew(SecretOf::PersonalToken(personal), 4, 101),
        anew(SecretOf::Session(session(5, user).id), 5, 101),
    ] {
        is_passed_over(store, rekeying).await;
    }
}

/// A digest that any secret, alias or retired secret has already is not given to another one.
pub async fn a_digest_that_is_taken_is_passed_over(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let (one, two) = (with_alias(11, token(1, &["default"])), token(2, &["default"]));
    given::tokens(store, &[one.clone(), two.clone(), token(3, &["default"])]).await;
    let overlap_until = Some(moment(50));
    let (from, to) = (two.secret.digest, secret(20));
    given::rotation(store, &Rotation { token: two.token.id, from, to, overlap_until }).await;
    let personal = given::personal_token(store, user, "ci", 4).await;
    given::personal_token(store, user, "cd", 5).await;
    for number in [6, 7] {
        given::session(store, &session(number, user), number).await;
    }
    for taken in [2, 3, 11, 20] {
        is_passed_over(store, anew(SecretOf::Token(one.token.id), 1, taken)).await;
    }
    for taken in [1, 2, 3, 20] {
        is_passed_over(store, anew(SecretOf::Alias(one.token.id), 11, taken)).await;
    }
    for taken in [1, 3, 11, 20] {
        is_passed_over(store, bare(SecretOf::Retired(two.token.id), 2, taken)).await;
    }
    is_passed_over(store, bare(SecretOf::PersonalToken(personal), 4, 5)).await;
    is_passed_over(store, bare(SecretOf::Session(session(6, user).id), 6, 7)).await;
}

/// Where one call has one digest for two, the first gets it, and the rest of the call is done.
pub async fn of_two_with_one_digest_the_first(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [1, 2, 3].map(|number| token(number, &["default"]));
    given::tokens(store, &tokens).await;
    let [one, two, three] = tokens.map(|stored| SecretOf::Token(stored.token.id));
    let all = [anew(one, 1, 101), anew(two, 2, 101), anew(three, 3, 103)];
    assert_eq!(rekeyed(store, &all).await, [digest(1), digest(3)]);
    let found = store.find_token_by_digest(&[digest(101)]).await.expect("a look-up").expect("the first");
    assert_eq!(SecretOf::Token(found.stored.token.id), one);
}

/// 1000 fit into one call, of tokens that are there and of others.
pub async fn a_big_batch(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in 0..20 {
        given::token(store, &token(number, &["default"])).await;
    }
    let all: Vec<_> = (0..1_000)
        .rev()
        .map(|number| anew(SecretOf::Token(token(number, &["default"]).token.id), number, 10_000 + number))
        .collect();
    let expected: Vec<_> = (0..20).map(digest).collect();
    assert_eq!(rekeyed(store, &all).await, expected);
}
