//! When API tokens were last seen.

use std::sync::Arc;

use latchkey_domain::{Timestamp, TokenId};
use latchkey_ports::Store;

use crate::{
    given,
    observed::{all_events, token_of_digest},
    samples::{admin_token, extreme_moments, moment, project_id, token, token_deleted},
};

async fn see(store: &dyn Store, seen: &[(TokenId, Timestamp)]) {
    store.record_token_use(seen).await.expect("noted");
}

async fn last_used_at(store: &dyn Store, id: TokenId) -> Option<Timestamp> {
    store.find_token(id).await.expect("a look-up").expect("the token").token.last_used_at
}

/// A moment is noted, shows in look-ups and lists, and changes nothing else; other tokens stay as they are.
pub async fn a_moment_is_noted(store: &Arc<dyn Store>) {
    let (mut seen, unseen) = (token(1, &["default"]), token(2, &["default"]));
    given::tokens(store.as_ref(), &[seen.clone(), unseen.clone()]).await;
    see(store.as_ref(), &[(seen.token.id, moment(5))]).await;
    seen.token.last_used_at = Some(moment(5));
    let found = token_of_digest(store.as_ref(), &[seen.secret.digest]).await;
    assert_eq!(found, Some(seen.clone()));
    let listed = store.tokens_of_project(&project_id("default")).await.expect("tokens");
    assert_eq!(listed, [seen, unseen]);
}

/// The moment kept never goes backwards, neither from call to call nor within one.
pub async fn a_moment_never_goes_backwards(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::tokens(store, &[token(1, &["default"]), admin_token(2)]).await;
    let (one, two) = (token(1, &["default"]).token.id, admin_token(2).token.id);
    see(store, &[(one, moment(5))]).await;
    see(store, &[(one, moment(4)), (two, moment(9))]).await;
    assert_eq!(last_used_at(store, one).await, Some(moment(5)));
    see(store, &[(two, moment(3)), (one, moment(7)), (one, moment(8)), (one, moment(6))]).await;
    assert_eq!(last_used_at(store, one).await, Some(moment(8)));
    assert_eq!(last_used_at(store, two).await, Some(moment(9)));
}

/// Moments of all years compare as moments do.
pub async fn moments_of_all_years_are_noted(store: &Arc<dyn Store>) {
    let id = token(1, &["default"]).token.id;
    given::token(store.as_ref(), &token(1, &["default"])).await;
    for at in extreme_moments() {
        see(store.as_ref(), &[(id, at)]).await;
        assert_eq!(last_used_at(store.as_ref(), id).await, Some(at));
    }
    see(store.as_ref(), &extreme_moments().map(|at| (id, at))).await;
    assert_eq!(last_used_at(store.as_ref(), id).await, extreme_moments().last().copied());
}

/// Tokens that are not there, or not any more, are passed over and not brought back.
pub async fn tokens_that_are_gone_are_passed_over(store: &Arc<dyn Store>) {
    let (gone, stays) = (token(1, &["default"]), token(2, &["default"]));
    given::tokens(store.as_ref(), &[gone.clone(), stays.clone()]).await;
    store.delete_token(gone.token.id, &token_deleted(&gone)).await.expect("removed");
    let never_kept = token(3, &["default"]).token.id;
    see(store.as_ref(), &[gone.token.id, stays.token.id, never_kept].map(|id| (id, moment(5)))).await;
    assert_eq!(last_used_at(store.as_ref(), stays.token.id).await, Some(moment(5)));
    for id in [gone.token.id, never_kept] {
        assert_eq!(store.find_token(id).await.expect("a look-up"), None);
    }
}

/// Nobody seen is no error, and no note leaves an event.
pub async fn no_event_is_left(store: &Arc<dyn Store>) {
    given::token(store.as_ref(), &token(1, &["default"])).await;
    let events = all_events(store.as_ref()).await;
    see(store.as_ref(), &[]).await;
    see(store.as_ref(), &[(token(1, &["default"]).token.id, moment(5))]).await;
    assert_eq!(all_events(store.as_ref()).await, events);
}

/// 5000 notes fit into one call, whether of tokens or of none, and repeated.
pub async fn a_big_batch_is_noted(store: &Arc<dyn Store>) {
    const TOKENS: u64 = 50;
    const NOTES: u64 = 5_000;
    for number in 0..TOKENS {
        given::token(store.as_ref(), &token(number, &["default"])).await;
    }
    // Every other note is of a token that is not there.
    let notes: Vec<_> = (0..NOTES)
        .map(|note| {
            let number = if note % 2 == 0 { (note / 2) % TOKENS } else { TOKENS + note };
            (token(number, &["default"]).token.id, moment(i64::try_from(note).expect("small")))
        })
        .collect();
    see(store.as_ref(), &notes).await;
    for number in 0..TOKENS {
        let id = token(number, &["default"]).token.id;
        let latest = notes.iter().filter(|(noted, _)| *noted == id).map(|(_, at)| *at).max();
        assert_eq!(last_used_at(store.as_ref(), id).await, latest);
    }
}
