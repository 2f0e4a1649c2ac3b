//! How often tokens are used, hour by hour, and from where.

use std::{net::IpAddr, ops::Range, sync::Arc};

use latchkey_domain::{Hour, Reason, TokenId, TokenKind, UseOutcome};
use latchkey_ports::{SeenAddress, Store, TokenUsage, UsageScope, UseCount};

use crate::{
    harness::run_concurrently,
    samples::{admin_token, moment, project_id, token, token_deleted},
    setup,
};

const VERIFIED: UseOutcome = UseOutcome::Verified;
const REFUSED: UseOutcome = UseOutcome::Refused(Reason::WrongProject);
const EVER: Range<Hour> = Hour(0)..Hour(u32::MAX >> 1);

fn count(hour: u32, outcome: UseOutcome, count: u64) -> UseCount {
    UseCount { hour: Hour(hour), outcome, count }
}

fn seen(last: u8, at: i64) -> SeenAddress {
    SeenAddress { address: IpAddr::from([192, 0, 2, last]), seen_at: moment(at) }
}

fn of(token: TokenId, counts: &[UseCount], addresses: &[SeenAddress]) -> TokenUsage {
    TokenUsage { token, counts: counts.to_vec(), addresses: addresses.to_vec() }
}

async fn record(store: &dyn Store, usage: &[TokenUsage]) {
    store.record_usage(usage).await.expect("recorded");
}

async fn usage(store: &dyn Store, scope: &UsageScope, hours: Range<Hour>) -> Vec<UseCount> {
    store.usage(scope, hours).await.expect("usage")
}

fn kinds(kinds: &[TokenKind]) -> UsageScope {
    UsageScope::Kinds(kinds.iter().copied().collect())
}

/// Counts of the same hour and outcome are added, and read by hour and outcome, within the hours that are asked for.
pub async fn counts_are_added_and_read_by_hour(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store, &[one.clone(), other.clone()]).await;
    let (one, other) = (one.token.id, other.token.id);
    let expired = UseOutcome::Refused(Reason::Expired);
    record(store, &[of(one, &[count(7, REFUSED, 2), count(7, VERIFIED, 5)], &[])]).await;
    record(
        store,
        &[
            of(other, &[count(7, VERIFIED, 100)], &[]),
            of(one, &[count(8, expired, 1), count(7, VERIFIED, u64::from(u32::MAX))], &[]),
        ],
    )
    .await;
    let scope = UsageScope::One(one);
    let expected = [count(7, VERIFIED, 5 + u64::from(u32::MAX)), count(7, REFUSED, 2), count(8, expired, 1)];
    assert_eq!(usage(store, &scope, EVER).await, expected);
    assert_eq!(usage(store, &scope, Hour(8)..Hour(9)).await, expected[2..]);
    assert_eq!(usage(store, &scope, Hour(0)..Hour(8)).await, expected[..2]);
    assert_eq!(usage(store, &scope, Hour(9)..Hour(10)).await, []);
    let unknown = UsageScope::One(token(9, &["default"]).token.id);
    assert_eq!(usage(store, &unknown, EVER).await, []);
}

/// The tokens of a project are those that name it; those of kinds are of all projects.
pub async fn usage_is_summed_over_a_project_and_over_kinds(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let tokens = [token(1, &["a"]), token(2, &["a", "b"]), token(3, &["b"]), admin_token(4)];
    setup::tokens(store, &tokens).await;
    let usages: Vec<_> = tokens
        .iter()
        .zip(1..)
        .map(|(stored, number)| {
            of(stored.token.id, &[count(number, VERIFIED, 1), count(9, VERIFIED, 10)], &[])
        })
        .collect();
    record(store, &usages).await;
    let hours = |numbers: &[u32], sum: u64| {
        let each = numbers.iter().map(|number| count(*number, VERIFIED, 1));
        each.chain([count(9, VERIFIED, sum)]).collect::<Vec<_>>()
    };
    let project = |id| UsageScope::Project(project_id(id));
    assert_eq!(usage(store, &project("a"), EVER).await, hours(&[1, 2], 20));
    assert_eq!(usage(store, &project("b"), EVER).await, hours(&[2, 3], 20));
    assert_eq!(usage(store, &project("default"), EVER).await, []);
    assert_eq!(usage(store, &kinds(&TokenKind::ALL), EVER).await, hours(&[1, 2, 3, 4], 40));
    assert_eq!(usage(store, &kinds(&[TokenKind::Admin]), EVER).await, hours(&[4], 10));
    assert_eq!(usage(store, &kinds(&[TokenKind::Frontend]), EVER).await, []);
    assert_eq!(usage(store, &kinds(&[]), EVER).await, []);
}

/// Those that were used most come first, whatever became of the uses; equals by id.
pub async fn the_tokens_that_were_used_most_are_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), token(2, &["default"]), token(3, &["default"]), admin_token(4)];
    setup::tokens(store, &tokens).await;
    let [one, two, three, admin] = tokens.map(|stored| stored.token.id);
    record(
        store,
        &[
            of(one, &[count(5, VERIFIED, 3)], &[]),
            of(two, &[count(5, VERIFIED, 1), count(6, REFUSED, 7)], &[]),
            of(three, &[count(5, VERIFIED, 2), count(5, REFUSED, 1)], &[]),
            of(admin, &[count(4, VERIFIED, 50)], &[]),
        ],
    )
    .await;
    let most_used = async |scope: &UsageScope, hours, limit| {
        let used = store.most_used(scope, hours, limit).await.expect("tokens");
        used.into_iter().map(|used| (used.id, used.verified, used.refused)).collect::<Vec<_>>()
    };
    let all = kinds(&TokenKind::ALL);
    assert_eq!(most_used(&all, EVER, 2).await, [(admin, 50, 0), (two, 1, 7)]);
    assert_eq!(most_used(&all, Hour(5)..Hour(6), 9).await, [(one, 3, 0), (three, 2, 1), (two, 1, 0)]);
    let project = UsageScope::Project(project_id("default"));
    assert_eq!(most_used(&project, EVER, 9).await, [(two, 1, 7), (one, 3, 0), (three, 2, 1)]);
    let named = store.most_used(&UsageScope::One(one), EVER, 1).await.expect("a token");
    assert_eq!(named[0].name, store.find_token(one).await.expect("found").expect("there").token.name);
}

/// The tokens with an outcome in some hours are found, each with the last of those hours, in portions.
pub async fn the_last_hours_of_an_outcome_are_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), token(2, &["default"]), token(3, &["default"]), admin_token(4)];
    setup::tokens(store, &tokens).await;
    let [one, two, three, admin] = tokens.map(|stored| stored.token.id);
    record(
        store,
        &[
            of(one, &[count(5, REFUSED, 3), count(7, REFUSED, 1), count(8, VERIFIED, 1)], &[]),
            of(two, &[count(7, VERIFIED, 7)], &[]),
            of(three, &[count(4, REFUSED, 1), count(6, REFUSED, 1)], &[]),
            of(admin, &[count(9, REFUSED, 50)], &[]),
        ],
    )
    .await;
    let last_hours = async |hours, after, limit| {
        let found = store.last_hours(REFUSED, hours, after, limit).await.expect("tokens");
        found.into_iter().map(|(token, Hour(hour))| (token, hour)).collect::<Vec<_>>()
    };
    assert_eq!(last_hours(EVER, None, 9).await, [(one, 7), (three, 6), (admin, 9)]);
    assert_eq!(last_hours(EVER, None, 1).await, [(one, 7)]);
    assert_eq!(last_hours(EVER, Some(one), 1).await, [(three, 6)]);
    assert_eq!(last_hours(EVER, Some(admin), 1).await, []);
    assert_eq!(last_hours(Hour(5)..Hour(7), None, 9).await, [(one, 5), (three, 6)]);
}

/// The last five addresses are kept, each with the latest time at which it was seen.
pub async fn the_last_addresses_are_kept(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store, &[one.clone(), other.clone()]).await;
    let (one, other) = (one.token.id, other.token.id);
    let addresses = async |token| store.addresses_of(token).await.expect("addresses");
    assert_eq!(addresses(one).await, []);
    record(store, &[of(one, &[], &[seen(1, 10), seen(2, 20)]), of(other, &[], &[seen(9, 5)])]).await;
    record(store, &[of(one, &[], &[seen(1, 30), seen(2, 15)])]).await;
    assert_eq!(addresses(one).await, [seen(1, 30), seen(2, 20)]);
    let six = SeenAddress { address: "2001:db8::1".parse().expect("an address"), seen_at: moment(60) };
    record(store, &[of(one, &[], &[seen(3, 40), seen(4, 5), seen(5, 50), six, seen(7, 7)])]).await;
    assert_eq!(addresses(one).await, [six, seen(5, 50), seen(3, 40), seen(1, 30), seen(2, 20)]);
    assert_eq!(addresses(other).await, [seen(9, 5)]);
}

/// A token that was removed is skipped, and takes its usage with it.
pub async fn usage_ends_with_the_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (removed, kept) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store, &[removed.clone(), kept.clone()]).await;
    let both = [
        of(removed.token.id, &[count(1, VERIFIED, 1)], &[seen(1, 1)]),
        of(kept.token.id, &[count(1, VERIFIED, 1)], &[seen(1, 1)]),
    ];
    record(store, &both).await;
    store.delete_token(removed.token.id, &token_deleted(&removed)).await.expect("removed");
    record(store, &both).await;
    assert_eq!(usage(store, &UsageScope::One(removed.token.id), EVER).await, []);
    assert_eq!(store.addresses_of(removed.token.id).await.expect("addresses"), []);
    assert_eq!(usage(store, &kinds(&TokenKind::ALL), EVER).await, [count(1, VERIFIED, 2)]);
}

/// What is older than an hour is deleted, and nothing else.
pub async fn old_usage_is_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let one = token(1, &["default"]);
    setup::token(store, &one).await;
    let one = one.token.id;
    let start = Hour(8).start();
    let before = latchkey_domain::Timestamp::saturating_from_millis(start.millis() - 1);
    let address = |last, seen_at| SeenAddress { seen_at, ..seen(last, 0) };
    let counts = [count(6, VERIFIED, 1), count(7, REFUSED, 1), count(8, VERIFIED, 1)];
    record(store, &[of(one, &counts, &[address(1, before), address(2, start)])]).await;
    assert_eq!(store.forget_usage(Hour(8)).await.expect("forgotten"), 3);
    assert_eq!(usage(store, &UsageScope::One(one), EVER).await, [counts[2]]);
    assert_eq!(store.addresses_of(one).await.expect("addresses"), [address(2, start)]);
    assert_eq!(store.forget_usage(Hour(8)).await.expect("forgotten"), 0);
}

/// Processes that record the same tokens in any order, while some are removed, lose no count and do not wait for each other.
pub async fn usage_recorded_at_once_is_complete(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 12;
    let tokens: Vec<_> = (0..20).map(|number| token(number, &["default"])).collect();
    setup::tokens(store.as_ref(), &tokens).await;
    let calls = (0..WRITERS).map(|writer| {
        let store = Arc::clone(store);
        let mut all: Vec<_> = tokens
            .iter()
            .map(|stored| of(stored.token.id, &[count(1, VERIFIED, 1)], &[seen(1, 1)]))
            .collect();
        if writer % 2 == 0 {
            all.reverse();
        }
        let removed = usize::try_from(writer)
            .ok()
            .filter(|writer| writer % 4 == 0)
            .map(|writer| tokens[writer].clone());
        async move {
            if let Some(removed) = removed {
                store.delete_token(removed.token.id, &token_deleted(&removed)).await.expect("removed");
            }
            record(store.as_ref(), &all).await;
        }
    });
    run_concurrently(calls).await;
    let kept = 17 * WRITERS;
    assert_eq!(usage(store.as_ref(), &kinds(&TokenKind::ALL), EVER).await, [count(1, VERIFIED, kept)]);
}
