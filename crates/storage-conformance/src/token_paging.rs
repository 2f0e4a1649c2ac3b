//! Lists of API tokens, in every order and direction, page by page.

use std::sync::Arc;

use Direction::{Ascending, Descending};
use latchkey_domain::{Timestamp, TokenId, TokenKind};
use latchkey_ports::{Direction, Ends, Page, Store, StoredToken, TokenOrder, TokenQuery};
use uuid::Uuid;

use crate::{
    harness::token_numbers,
    samples::{
        admin_token, at, disabled, ending, extreme_moments, frontend, last_seen, moment, named, owned_by,
        project_id, token, token_of_all_projects, working_in,
    },
    setup,
};

const ORDERS: [TokenOrder; 9] = [
    TokenOrder::CreatedAt,
    TokenOrder::Name,
    TokenOrder::Kind,
    TokenOrder::Environment,
    TokenOrder::Project,
    TokenOrder::Owner,
    TokenOrder::Status,
    TokenOrder::ExpiresAt,
    TokenOrder::SeenAt,
];

fn in_order(order: TokenOrder, direction: Direction) -> TokenQuery {
    TokenQuery { order, direction, ..TokenQuery::of_kinds(TokenKind::ALL) }
}

/// Expects the tokens in this order, and reversed in the other direction, ties included.
async fn assert_order(store: &dyn Store, order: TokenOrder, expected: &[i64]) {
    assert_eq!(token_numbers(store, &in_order(order, Ascending)).await, expected, "by {order:?}");
    let backwards: Vec<_> = expected.iter().rev().copied().collect();
    assert_eq!(
        token_numbers(store, &in_order(order, Descending)).await,
        backwards,
        "by {order:?}, backwards"
    );
}

/// Tokens are sorted by creation, whatever the order of insertion and the kind.
pub async fn tokens_are_sorted_by_creation(store: &Arc<dyn Store>) {
    let tokens = [
        token(5, &["default"]),
        admin_token(2),
        token_of_all_projects(9),
        token(1, &["default"]),
        token(7, &["default"]),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    assert_order(store.as_ref(), TokenOrder::CreatedAt, &[1, 2, 5, 7, 9]).await;
}

/// Tokens created in the same millisecond are sorted by id (unsigned bytes).
pub async fn tokens_of_one_millisecond_are_sorted_by_id(store: &Arc<dyn Store>) {
    let ids = [[0x80; 10], [0; 10], [0xff; 10], [0x7f; 10]].map(|entropy| TokenId::new(moment(1), entropy));
    for (number, id) in (1..).zip(ids) {
        let mut stored = token(number, &["default"]);
        stored.token.created_at = moment(1);
        stored.token.id = id;
        setup::token(store.as_ref(), &stored).await;
    }
    let mut sorted = ids;
    sorted.sort_unstable();
    let query = in_order(TokenOrder::CreatedAt, Ascending);
    let listed: Vec<_> =
        store.tokens(&query).await.expect("tokens").iter().map(|stored| stored.token.id).collect();
    assert_eq!(listed, sorted);
}

/// Names are sorted by code point in every locale: uppercase before lowercase, supplementary characters
/// last. Equal names are sorted by id.
pub async fn tokens_are_sorted_by_name(store: &Arc<dyn Store>) {
    let names =
        ["b", "~", "a", "B", "same", "ä", "\u{ff5e}", "🎉", "a b", "same", "ab", "_", "a-b", "1", "日本"];
    for (number, name) in (1..).zip(names) {
        setup::token(store.as_ref(), &named(name, token(number, &["default"]))).await;
    }
    let mut expected: Vec<(&str, i64)> = names.into_iter().zip(1..).collect();
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|(_, number)| number).collect();
    assert_order(store.as_ref(), TokenOrder::Name, &expected).await;
}

/// Tokens without an expiry come last, after the latest possible time; ties are sorted by id.
pub async fn tokens_are_sorted_by_expiry(store: &Arc<dyn Store>) {
    let [year_0, before_1970, _, _, year_9999] = extreme_moments();
    let ends: [Option<Timestamp>; 8] = [
        None,
        Some(moment(5)),
        Some(year_9999),
        Some(year_0),
        None,
        Some(moment(5)),
        Some(before_1970),
        Some(at(0)),
    ];
    for (number, end) in (1..).zip(ends) {
        setup::token(store.as_ref(), &ending(end, token(number, &["default"]))).await;
    }
    assert_order(store.as_ref(), TokenOrder::ExpiresAt, &[4, 7, 8, 2, 6, 3, 1, 5]).await;
}

/// Unused tokens come first, before the earliest possible time; ties are sorted by id. Recorded uses count.
pub async fn tokens_are_sorted_by_last_use(store: &Arc<dyn Store>) {
    let [year_0, before_1970, _, _, year_9999] = extreme_moments();
    let uses: [Option<Timestamp>; 7] =
        [Some(moment(5)), None, Some(year_9999), Some(year_0), None, Some(moment(5)), Some(before_1970)];
    for (number, seen) in (1..).zip(uses) {
        setup::token(store.as_ref(), &last_seen(seen, token(number, &["default"]))).await;
    }
    assert_order(store.as_ref(), TokenOrder::SeenAt, &[2, 5, 4, 7, 1, 6, 3]).await;
    let five = token(5, &["default"]).token.id;
    store.record_token_use(&[(five, moment(4))]).await.expect("recorded");
    assert_order(store.as_ref(), TokenOrder::SeenAt, &[2, 4, 7, 5, 1, 6, 3]).await;
}

/// Kinds are sorted by name, and tokens of one kind by id.
pub async fn tokens_are_sorted_by_kind(store: &Arc<dyn Store>) {
    let tokens = [
        token(1, &["default"]),
        frontend(token(2, &["default"])),
        admin_token(3),
        token_of_all_projects(4),
        frontend(token_of_all_projects(5)),
        admin_token(6),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    assert_order(store.as_ref(), TokenOrder::Kind, &[3, 6, 1, 4, 2, 5]).await;
    let clients = TokenQuery { kinds: [TokenKind::Client].into(), ..in_order(TokenOrder::Kind, Descending) };
    assert_eq!(token_numbers(store.as_ref(), &clients).await, [4, 1]);
}

/// Environments are sorted by code point in every locale, after the tokens of all environments.
pub async fn tokens_are_sorted_by_environment(store: &Arc<dyn Store>) {
    setup::environments(store.as_ref(), &["Production", "_", "development-2"]).await;
    let tokens = [
        working_in("production", token(1, &["default"])),
        token(2, &["default"]),
        admin_token(3),
        working_in("Production", frontend(token(4, &["default"]))),
        working_in("_", token_of_all_projects(5)),
        working_in("development-2", token(6, &["default"])),
        token_of_all_projects(7),
        admin_token(8),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    assert_order(store.as_ref(), TokenOrder::Environment, &[3, 8, 4, 5, 2, 7, 6, 1]).await;
    let one = TokenQuery {
        environment: tokens[1].token.access.environment().cloned(),
        ..in_order(TokenOrder::Environment, Descending)
    };
    assert_eq!(token_numbers(store.as_ref(), &one).await, [7, 2]);
}

/// The smallest id counts, wherever it is named, in the order of code points; tokens of all projects come first.
pub async fn tokens_are_sorted_by_project(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "B", "_", "b"]).await;
    let tokens = [
        token(1, &["b"]),
        token(2, &["b", "a"]),
        token_of_all_projects(3),
        token(4, &["_", "b"]),
        frontend(token(5, &["a"])),
        admin_token(6),
        token(7, &["b", "_", "B"]),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    assert_order(store.as_ref(), TokenOrder::Project, &[3, 6, 7, 4, 2, 5, 1]).await;
    // Also among the tokens of one of their projects.
    let of_b = TokenQuery { project: Some(project_id("b")), ..in_order(TokenOrder::Project, Ascending) };
    assert_eq!(token_numbers(store.as_ref(), &of_b).await, [7, 4, 2, 1]);
}

/// Owners are sorted by code point in every locale, after the tokens without one.
pub async fn tokens_are_sorted_by_owner(store: &Arc<dyn Store>) {
    let owners = ["b", "~", "a", "B", "same", "ä", "\u{ff5e}", "🎉", "a b", "same", "ab", "_", "日本"];
    for (number, owner) in (1..).zip(owners) {
        setup::token(store.as_ref(), &owned_by(owner, token(number, &["default"]))).await;
    }
    setup::token(store.as_ref(), &admin_token(20)).await;
    setup::token(store.as_ref(), &token(21, &["default"])).await;
    let mut sorted: Vec<(&str, i64)> = owners.into_iter().zip(1..).collect();
    sorted.sort_unstable();
    let expected: Vec<_> = [20, 21].into_iter().chain(sorted.into_iter().map(|(_, number)| number)).collect();
    assert_order(store.as_ref(), TokenOrder::Owner, &expected).await;
}

/// Disabled tokens come first; both these and the others are sorted as by expiry.
pub async fn tokens_are_sorted_by_status(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        token(1, &["default"]),
        ending(Some(moment(50)), token(2, &["default"])),
        disabled(token(3, &["default"])),
        disabled(ending(Some(moment(50)), token(4, &["default"]))),
        ending(Some(moment(40)), admin_token(5)),
        ending(Some(moment(50)), token_of_all_projects(6)),
        disabled(ending(Some(moment(60)), admin_token(7))),
        token(8, &["default"]),
    ];
    setup::tokens(store, &tokens).await;
    assert_order(store, TokenOrder::Status, &[4, 7, 3, 5, 2, 6, 1, 8]).await;
    for (enabled, ends, expected) in [
        (Some(true), Ends::default(), vec![8, 1, 6, 2, 5]),
        (Some(true), Ends::by(moment(50)), vec![6, 2, 5]),
        (Some(true), Ends::after(moment(40)), vec![8, 1, 6, 2]),
        (Some(false), Ends::by(moment(55)), vec![4]),
        (None, Ends::by(moment(55)), vec![6, 2, 5, 4]),
    ] {
        let query = TokenQuery { enabled, ends, ..in_order(TokenOrder::Status, Descending) };
        assert_eq!(token_numbers(store, &query).await, expected, "{enabled:?} {ends:?}");
    }
}

/// Stores tokens with unordered names, owners, statuses, expiries and last uses, with ties in each.
async fn store_unordered_tokens(store: &dyn Store) {
    for number in 1..=12_u64 {
        let scattered = i64::try_from(number * 5 % 4).expect("small");
        let end = (scattered != 0).then(|| moment(100 + scattered));
        let seen = (number % 3 != 0).then(|| moment(scattered));
        let mut stored = last_seen(seen, ending(end, token(number, &["default"])));
        if number % 4 != 0 {
            stored = owned_by(&format!("owner {scattered}"), stored);
        }
        if number % 5 == 0 {
            stored = disabled(stored);
        }
        setup::token(store, &named(&format!("name {}", number * 7 % 5), stored)).await;
    }
}

/// No token is missing or repeated across pages, in every order and direction; without a limit a page has
/// the rest.
pub async fn tokens_are_paged_by_offset(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_unordered_tokens(store).await;
    for query in ORDERS.iter().flat_map(|order| [Ascending, Descending].map(|way| in_order(*order, way))) {
        let all = token_numbers(store, &query).await;
        assert_eq!(all.len(), 12);
        for size in [1, 5, 12, 13, u32::MAX] {
            let mut read = Vec::new();
            while read.len() < 12 {
                let offset = u64::try_from(read.len()).expect("small");
                let page = Page { limit: Some(size), offset };
                let entries = token_numbers(store, &TokenQuery { page, ..query.clone() }).await;
                assert!(!entries.is_empty() && entries.len() <= usize::try_from(size).expect("64 bits"));
                read.extend(entries);
            }
            assert_eq!(read, all, "in pages of {size}: {query:?}");
        }
        let rest = Page { limit: None, offset: 4 };
        assert_eq!(token_numbers(store, &TokenQuery { page: rest, ..query.clone() }).await, all[4..]);
    }
}

/// A page with limit zero, and pages beyond the end, are empty.
pub async fn token_pages_beyond_the_end_are_empty(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_unordered_tokens(store).await;
    let nothing =
        [(Some(0), 0), (Some(0), 5), (Some(5), 12), (None, 12), (Some(5), u64::MAX), (None, u64::MAX)];
    for (limit, offset) in nothing {
        let query = TokenQuery { page: Page { limit, offset }, ..in_order(TokenOrder::Name, Ascending) };
        assert_eq!(token_numbers(store, &query).await, [0_i64; 0], "{limit:?} from {offset}");
    }
}

/// Each page starts after the last token of the previous one, in both directions, whatever is created or
/// deleted in between.
pub async fn tokens_are_paged_after_the_last_id(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_unordered_tokens(store).await;
    for direction in [Ascending, Descending] {
        let mut expected: Vec<i64> = (1..=12).collect();
        if direction == Descending {
            expected.reverse();
        }
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page =
                TokenQuery { after, page: Page::first(5), ..in_order(TokenOrder::CreatedAt, direction) };
            let tokens = store.tokens(&page).await.expect("tokens");
            let Some(last) = tokens.last() else { break };
            after = Some(last.token.id);
            read.extend(token_numbers(store, &page).await);
        }
        assert_eq!(read, expected);
    }
}

/// The id to start after need not exist, and combines with filters and an offset.
pub async fn paging_after_an_unknown_id_works(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in [2, 4, 6, 8] {
        setup::token(store, &token(number, &["default"])).await;
    }
    let after = |number, direction| {
        let after = Some(token(number, &["default"]).token.id);
        TokenQuery { after, ..in_order(TokenOrder::CreatedAt, direction) }
    };
    assert_eq!(token_numbers(store, &after(4, Ascending)).await, [6, 8]);
    assert_eq!(token_numbers(store, &after(5, Ascending)).await, [6, 8]);
    assert_eq!(token_numbers(store, &after(6, Descending)).await, [4, 2]);
    assert_eq!(token_numbers(store, &after(5, Descending)).await, [4, 2]);
    assert_eq!(token_numbers(store, &after(9, Ascending)).await, [0_i64; 0]);
    let page = Page { limit: Some(1), offset: 1 };
    assert_eq!(token_numbers(store, &TokenQuery { page, ..after(2, Ascending) }).await, [6]);
    let named = TokenQuery { name_contains: Some("8".to_owned()), ..after(2, Ascending) };
    assert_eq!(token_numbers(store, &named).await, [8]);
    let [least, greatest] = [Uuid::nil(), Uuid::max()].map(|id| Some(TokenId::from_uuid(id)));
    let from = |after, way| TokenQuery { after, ..in_order(TokenOrder::CreatedAt, way) };
    assert_eq!(token_numbers(store, &from(least, Ascending)).await, [2, 4, 6, 8]);
    assert_eq!(token_numbers(store, &from(greatest, Descending)).await, [8, 6, 4, 2]);
}

/// In any order but that of creation, the id to start after is ignored.
pub async fn the_id_to_start_after_is_ignored_in_other_orders(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_unordered_tokens(store).await;
    for order in ORDERS.into_iter().filter(|order| *order != TokenOrder::CreatedAt) {
        for direction in [Ascending, Descending] {
            let all = in_order(order, direction);
            let after = TokenQuery { after: Some(token(6, &["default"]).token.id), ..all.clone() };
            assert_eq!(token_numbers(store, &after).await, token_numbers(store, &all).await, "by {order:?}");
        }
    }
}

/// The tokens of a project are read page by page, shared ones with all of their projects.
pub async fn the_tokens_of_a_project_are_read_in_pages(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b"]).await;
    let tokens = [
        token(1, &["a"]),
        token(2, &["b", "a"]),
        frontend(token(3, &["a", "b"])),
        token(4, &["b"]),
        token(5, &["a"]),
        token_of_all_projects(6),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    let [one, two, three, _, five, _] = &tokens;
    let id = |stored: &StoredToken| Some(stored.token.id);
    for (after, limit, expected) in [
        (None, Some(2), vec![one, two]),
        (id(two), Some(2), vec![three, five]),
        (id(three), Some(2), vec![five]),
        (id(five), Some(2), vec![]),
        (id(two), None, vec![three, five]),
        (None, None, vec![one, two, three, five]),
    ] {
        let whole = TokenQuery::of_project(project_id("a"));
        let query = TokenQuery { after, page: Page { limit, offset: 0 }, ..whole };
        assert!(query.whole_project().is_some(), "stores have a statement of its own for this list");
        let page = store.tokens(&query).await.expect("tokens");
        assert_eq!(page.iter().collect::<Vec<_>>(), expected, "{limit:?} after {after:?}");
        // The general statement gives the same page.
        let named = TokenQuery { name_contains: Some(String::new()), ..query };
        assert!(named.whole_project().is_none());
        assert_eq!(store.tokens(&named).await.expect("tokens"), page, "{limit:?} after {after:?}");
    }
}
