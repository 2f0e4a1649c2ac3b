//! How many secrets are under which master key.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_ports::{Rotation, SecretCount, SecretForm, SecretOf, Store};

use crate::{
    given,
    master_keys::{NEW, OLD, anew, bare, rekeyed, shown_once},
    samples::{
        at, ending, moment, personal_token, secret, secret_shown_once, session, token, user_named, with_alias,
    },
};

/// Every form under every key, and nothing that is not there.
pub async fn secrets_are_counted_by_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let count = async || store.secrets_by_key(moment(0)).await.expect("counted");
    assert_eq!(count().await, BTreeMap::new());
    let user = given::user(store, &user_named("ed")).await;
    let mut once = shown_once(2, token(2, &["default"]));
    once.alias = Some(secret_shown_once(12));
    let sealed = with_alias(11, token(1, &["default"]));
    given::tokens(store, &[sealed.clone(), once, token(3, &["default"])]).await;
    let overlap_until = Some(moment(50));
    let (token, from) = (sealed.token.id, sealed.secret.digest);
    given::rotation(store, &Rotation { token, from, to: secret(20), overlap_until }).await;
    let personal = given::personal_token(store, user, "ci", 4).await;
    given::session(store, &session(6, user), 6).await;
    let good = |good| SecretCount { good, ended: 0 };
    let mut expected = BTreeMap::from([
        ((OLD, SecretForm::Sealed), good(3)),
        ((OLD, SecretForm::ShownOnce), good(2)),
        ((OLD, SecretForm::PersonalToken), good(1)),
        ((OLD, SecretForm::Session), good(1)),
        ((OLD, SecretForm::Retired), good(1)),
    ]);
    assert_eq!(count().await, expected);
    rekeyed(store, &[anew(SecretOf::Alias(token), 11, 111), bare(SecretOf::PersonalToken(personal), 4, 104)])
        .await;
    expected.insert((OLD, SecretForm::Sealed), good(2));
    expected.insert((NEW, SecretForm::Sealed), good(1));
    expected.remove(&(OLD, SecretForm::PersonalToken));
    expected.insert((NEW, SecretForm::PersonalToken), good(1));
    assert_eq!(count().await, expected);
}

/// What has ended, at the very moment, is counted apart; but for what can be shown.
pub async fn what_has_ended_is_counted_apart(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let end = personal_token(user, "ci").expires_at;
    let mut signed_in = session(6, user);
    signed_in.expires_at = end;
    let once = ending(Some(end), shown_once(2, token(2, &["default"])));
    let tokens = [ending(Some(end), token(1, &["default"])), once, shown_once(3, token(3, &["default"]))];
    given::tokens(store, &tokens).await;
    let (token, from) = (tokens[2].token.id, tokens[2].secret.digest);
    let rotation = Rotation { token, from, to: secret_shown_once(20), overlap_until: Some(end) };
    given::rotation(store, &rotation).await;
    given::personal_token(store, user, "ci", 4).await;
    given::session(store, &signed_in, 6).await;
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
