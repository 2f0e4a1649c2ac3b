//! What is left of the limits of tokens, for all processes together.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{IsoDuration, RateLimit, Refill, Timestamp, TokenId, Uses};
use latchkey_ports::{Entity, RateGrant, Store, StoredToken, TakenUses, UsesDemand};

use crate::{
    harness::{ErrorKind, error_kind, run_concurrently},
    samples::{moment, token, token_deleted},
    setup,
};

/// In milliseconds.
const MINUTE: i64 = 60_000;

fn minutes(count: u64) -> IsoDuration {
    IsoDuration::new(Duration::from_secs(60 * count))
}

fn rate(requests: u32, burst: u32) -> RateLimit {
    RateLimit::new(requests, minutes(1), burst).expect("a limit")
}

async fn lease(store: &dyn Store, token: TokenId, limit: &RateLimit, wanted: u32, at: i64) -> RateGrant {
    store.lease_rate(token, limit, wanted, moment(at)).await.expect("leased")
}

fn grant(granted: u64, left: u64, window: i64) -> RateGrant {
    RateGrant { granted, left, window: moment(window) }
}

async fn take(store: &dyn Store, token: TokenId, uses: &Uses, wanted: u64, at: i64) -> TakenUses {
    store.take_uses(token, uses, UsesDemand::all_or_none(wanted), moment(at)).await.expect("taken")
}

fn taken(taken: u64, left: u64) -> TakenUses {
    TakenUses { taken, left }
}

async fn one_token(store: &dyn Store) -> StoredToken {
    let one = token(1, &["default"]);
    setup::token(store, &one).await;
    one
}

/// As many as there are, and again as many in the next window. Tokens do not share.
pub async fn a_window_has_its_requests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store, &[one.clone(), other.clone()]).await;
    let (one, other) = (one.token.id, other.token.id);
    let limit = rate(10, 0);
    assert_eq!(lease(store, one, &limit, 4, 0).await, grant(4, 6, 0));
    assert_eq!(lease(store, one, &limit, 0, 1).await, grant(0, 6, 0));
    assert_eq!(lease(store, one, &limit, 9, MINUTE - 1).await, grant(6, 0, 0));
    assert_eq!(lease(store, one, &limit, 1, MINUTE - 1).await, grant(0, 0, 0));
    assert_eq!(lease(store, other, &limit, 3, 5).await, grant(3, 7, 0));
    assert_eq!(lease(store, one, &limit, 1, MINUTE).await, grant(1, 9, MINUTE));
    assert_eq!(lease(store, one, &limit, 100, 90 * MINUTE).await, grant(10, 0, 90 * MINUTE));
    let largest = RateLimit::new(RateLimit::MAX, minutes(1), RateLimit::MAX).expect("a limit");
    assert_eq!(lease(store, other, &largest, 1, 0).await, grant(1, 999_999_996, 0));
    let far = 4_000_000_000 * MINUTE;
    assert_eq!(lease(store, other, &largest, 1, far).await, grant(1, 1_999_999_999, far));
}

/// What earlier windows left over is added, up to the burst; a window in which nothing was asked for leaves all.
pub async fn unused_requests_carry_over_up_to_the_burst(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await.token.id;
    let limit = rate(10, 15);
    assert_eq!(lease(store, one, &limit, 8, 0).await, grant(8, 2, 0));
    assert_eq!(lease(store, one, &limit, 1, MINUTE).await, grant(1, 11, MINUTE));
    assert_eq!(lease(store, one, &limit, 1, 2 * MINUTE).await, grant(1, 20, 2 * MINUTE));
    assert_eq!(lease(store, one, &limit, 20, 2 * MINUTE).await, grant(20, 0, 2 * MINUTE));
    assert_eq!(lease(store, one, &limit, 1, 4 * MINUTE).await, grant(1, 19, 4 * MINUTE));
    assert_eq!(lease(store, one, &limit, 99, 400 * MINUTE).await, grant(25, 0, 400 * MINUTE));
    assert_eq!(lease(store, one, &limit, 99, 401 * MINUTE).await, grant(10, 0, 401 * MINUTE));
}

/// A changed limit holds at once, also for the window that has begun.
pub async fn a_changed_limit_holds_at_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await.token.id;
    assert_eq!(lease(store, one, &rate(10, 0), 6, 0).await, grant(6, 4, 0));
    assert_eq!(lease(store, one, &rate(5, 0), 1, 1).await, grant(0, 0, 0));
    assert_eq!(lease(store, one, &rate(20, 0), 1, 2).await, grant(1, 13, 0));
    // Carried over under a larger burst.
    assert_eq!(lease(store, one, &rate(20, 9), 1, MINUTE).await, grant(1, 28, MINUTE));
    assert_eq!(lease(store, one, &rate(20, 3), 1, MINUTE).await, grant(1, 21, MINUTE));
    // Windows of another length.
    let hourly = RateLimit::new(50, minutes(60), 0).expect("a limit");
    let counted = lease(store, one, &hourly, 1, MINUTE).await;
    assert_eq!((counted.granted, counted.left), (1, 47), "what was used of the window counts");
}

/// Windows do not go back, so that none is counted twice by processes whose clocks differ; but one that a wrong clock began ends.
pub async fn clocks_that_differ_share_a_window(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await.token.id;
    let limit = rate(10, 0);
    assert_eq!(lease(store, one, &limit, 4, MINUTE).await, grant(4, 6, MINUTE));
    assert_eq!(lease(store, one, &limit, 4, MINUTE - 5).await, grant(4, 2, MINUTE));
    assert_eq!(lease(store, one, &limit, 4, MINUTE + 5).await, grant(2, 0, MINUTE));
    let wrong = 500_000 * MINUTE;
    assert_eq!(lease(store, one, &limit, 1, wrong).await, grant(1, 9, wrong));
    assert_eq!(lease(store, one, &limit, 3, 2 * MINUTE).await, grant(3, 7, 2 * MINUTE));
    assert_eq!(lease(store, one, &limit, 99, 2 * MINUTE).await, grant(7, 0, 2 * MINUTE));
}

/// What was not used is there again, in its window alone.
pub async fn unused_requests_are_given_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await;
    let (id, limit) = (one.token.id, rate(10, 0));
    let give_back = async |window: Timestamp, unused| {
        store.return_rate(id, window, unused).await.expect("given back");
    };
    give_back(moment(0), 5).await;
    assert_eq!(lease(store, id, &limit, 8, 0).await, grant(8, 2, 0));
    give_back(moment(0), 3).await;
    give_back(moment(-MINUTE), 3).await;
    assert_eq!(lease(store, id, &limit, 1, 1).await, grant(1, 4, 0));
    give_back(moment(0), 100).await;
    assert_eq!(lease(store, id, &limit, 1, 1).await, grant(1, 9, 0), "never more than there were");
    store.delete_token(id, &token_deleted(&one)).await.expect("removed");
    give_back(moment(0), 1).await;
}

/// All or none, or as many as there are.
pub async fn uses_are_taken_all_or_none(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await.token.id;
    let uses = Uses::new(5, None).expect("uses");
    assert_eq!(take(store, one, &uses, 6, 0).await, taken(0, 5));
    assert_eq!(take(store, one, &uses, 3, 0).await, taken(3, 2));
    assert_eq!(take(store, one, &uses, 3, 0).await, taken(0, 2));
    let up_to = async |wanted| {
        store.take_uses(one, &uses, UsesDemand::up_to(wanted), moment(0)).await.expect("taken")
    };
    assert_eq!(up_to(1).await, taken(1, 1));
    assert_eq!(up_to(9).await, taken(1, 0));
    assert_eq!(up_to(9).await, taken(0, 0));
    // Set anew, and known to one process before the other.
    let later = Uses::new(Uses::MAX, None).expect("uses").set_at(moment(100), uses.since(one));
    assert_eq!(take(store, one, &later, 1, 100).await, taken(1, Uses::MAX - 1));
    assert_eq!(take(store, one, &uses, 1, 101).await, taken(1, Uses::MAX - 2));
    let none = Uses::new(0, None).expect("uses").set_at(moment(200), later.since(one));
    assert_eq!(take(store, one, &none, 1, 200).await, taken(0, 0));
}

/// At each time of a refill, there are as many as it says, unless there are more.
pub async fn uses_are_refilled(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await.token.id;
    let refill = Refill::new(4, minutes(1)).expect("a refill");
    let uses = Uses::new(6, Some(refill)).expect("uses").set_at(moment(0), moment(-1));
    assert_eq!(take(store, one, &uses, 1, MINUTE - 1).await, taken(1, 5));
    assert_eq!(take(store, one, &uses, 1, MINUTE).await, taken(1, 4), "there were more");
    assert_eq!(take(store, one, &uses, 4, MINUTE).await, taken(4, 0));
    assert_eq!(take(store, one, &uses, 1, 2 * MINUTE - 1).await, taken(0, 0));
    assert_eq!(take(store, one, &uses, 1, 2 * MINUTE).await, taken(1, 3));
    assert_eq!(take(store, one, &uses, 1, MINUTE).await, taken(1, 2), "no refill twice");
    assert_eq!(take(store, one, &uses, 1, 50 * MINUTE).await, taken(1, 3));
    // The first use comes late.
    let later = Uses::new(1, Some(refill)).expect("uses").set_at(moment(50 * MINUTE), uses.since(one));
    assert_eq!(take(store, one, &later, 1, 55 * MINUTE).await, taken(1, 3));
    assert_eq!(take(store, one, &later, 3, 55 * MINUTE).await, taken(3, 0));
}

/// Reading takes nothing, and knows of refills that are due.
pub async fn what_is_left_can_be_read(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens: Vec<_> = (1..=3).map(|number| token(number, &["default"])).collect();
    setup::tokens(store, &tokens).await;
    let refill = Refill::new(9, minutes(1)).ok();
    let plain = Uses::new(5, None).expect("uses");
    let refilled = Uses::new(1, refill).expect("uses").set_at(moment(0), moment(-1));
    let [one, two, three] = [0, 1, 2].map(|number: usize| tokens[number].token.id);
    take(store, one, &plain, 2, 0).await;
    take(store, two, &refilled, 1, 0).await;
    let asked = [(two, refilled), (one, plain), (three, plain), (token(9, &["default"]).token.id, plain)];
    for (at, expected) in [(1, [0, 3, 5, 5]), (MINUTE, [9, 3, 5, 5])] {
        assert_eq!(store.uses_left(&asked, moment(at)).await.expect("read"), expected);
    }
    assert_eq!(store.uses_left(&[], moment(0)).await.expect("read"), [] as [u64; 0]);
}

/// The limits of a token end with it.
pub async fn budgets_end_with_the_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = one_token(store).await;
    let (id, limit, uses) = (one.token.id, rate(10, 0), Uses::new(5, None).expect("uses"));
    lease(store, id, &limit, 1, 0).await;
    take(store, id, &uses, 1, 0).await;
    store.delete_token(id, &token_deleted(&one)).await.expect("removed");
    let unknown = token(9, &["default"]).token.id;
    for id in [id, unknown] {
        let missing = ErrorKind::NotFound(Entity::Token(id));
        assert_eq!(error_kind(store.lease_rate(id, &limit, 1, moment(0)).await), missing);
        let demand = UsesDemand::all_or_none(1);
        assert_eq!(error_kind(store.take_uses(id, &uses, demand, moment(0)).await), missing);
    }
}

/// Processes that take at once get as many as there are, and not one more.
pub async fn what_is_taken_at_once_is_exact(store: &Arc<dyn Store>) {
    const TAKERS: u64 = 24;
    let one = one_token(store.as_ref()).await.token.id;
    let (limit, uses) = (rate(50, 0), Uses::new(100, None).expect("uses"));
    let calls = (0..TAKERS).map(|taker| {
        let store = Arc::clone(store);
        async move {
            let (mut leased, mut spent) = (0, 0);
            for _ in 0..10 {
                leased += lease(store.as_ref(), one, &limit, 1 + u32::try_from(taker % 3).expect("small"), 0)
                    .await
                    .granted;
                spent += take(store.as_ref(), one, &uses, 1 + taker % 2, 0).await.taken;
            }
            (leased, spent)
        }
    });
    let sums = run_concurrently(calls).await;
    let (leased, spent) =
        sums.into_iter().fold((0, 0), |(one, other), (leased, spent)| (one + leased, other + spent));
    assert_eq!((leased, spent), (50, 100));
}
