//! Counts of API tokens, for metrics.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::{Timestamp, TokenKind};
use latchkey_ports::{CountingMoments, Store, StoredToken, TokenCounts};

use crate::{
    samples::{admin_token, at, ending, frontend, last_seen, token, token_of_all_projects},
    setup,
};

const DAY: i64 = 24 * 60 * 60 * 1_000;
const NOW: i64 = 20_000 * DAY;

async fn counted(store: &dyn Store) -> BTreeMap<TokenKind, TokenCounts> {
    let counts = store.count_tokens(&CountingMoments::around(at(NOW))).await.expect("counted");
    counts.expect("no other process counts")
}

fn created(created_at: Timestamp, mut stored: StoredToken) -> StoredToken {
    stored.token.created_at = created_at;
    stored
}

/// A token that was created a year ago, used a day ago, and ends this long after now.
fn used_and_ending(number: u64, after: i64) -> StoredToken {
    let stored = last_seen(Some(at(NOW - DAY)), token(number, &["default"]));
    created(at(NOW - 365 * DAY), ending(Some(at(NOW + after)), stored))
}

/// Tokens are counted by kind; a store without tokens has no counts.
pub async fn tokens_are_counted_by_kind(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_eq!(counted(store).await, BTreeMap::new());
    let tokens = [
        token(1, &["default"]),
        token_of_all_projects(2),
        frontend(token(3, &["default"])),
        admin_token(4),
        used_and_ending(5, -DAY),
    ];
    setup::tokens(store, &tokens.map(|stored| created(at(NOW), stored))).await;
    let all = |all| TokenCounts { all, ..TokenCounts::default() };
    let expected = [(TokenKind::Client, all(3)), (TokenKind::Frontend, all(1)), (TokenKind::Admin, all(1))];
    assert_eq!(counted(store).await, expected.into());
}

/// A token that ends in exactly 7 or 30 days counts; one that has ended, or never will, does not.
pub async fn tokens_that_will_expire_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ends = [-DAY, 0, 1, 7 * DAY, 7 * DAY + 1, 30 * DAY, 30 * DAY + 1];
    let mut tokens: Vec<_> = (1..).zip(ends).map(|(number, after)| used_and_ending(number, after)).collect();
    tokens.push(last_seen(Some(at(NOW)), token(100, &["default"])));
    setup::tokens(store, &tokens).await;
    let expected =
        TokenCounts { all: 8, expiring_in_7_days: 2, expiring_in_30_days: 4, unused_for_90_days: 0 };
    assert_eq!(counted(store).await, [(TokenKind::Client, expected)].into());
}

/// A token is unused if it was created and last used more than 90 days ago, and has not expired.
pub async fn tokens_without_use_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let before = at(NOW - 90 * DAY - 1);
    let since = at(NOW - 90 * DAY);
    let unused = |number: u64| created(before, token(number, &["default"]));
    let tokens = [
        unused(1),
        last_seen(Some(before), unused(2)),
        ending(Some(at(NOW + 60 * DAY)), unused(3)),
        // These do not count.
        last_seen(Some(since), unused(4)),
        created(since, token(5, &["default"])),
        ending(Some(at(NOW)), unused(6)),
    ];
    setup::tokens(store, &tokens).await;
    let expected = TokenCounts { all: 6, unused_for_90_days: 3, ..TokenCounts::default() };
    assert_eq!(counted(store).await, [(TokenKind::Client, expected)].into());
}
