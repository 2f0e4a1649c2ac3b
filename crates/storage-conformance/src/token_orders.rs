//! Lists of API tokens: in every order, both ways, page by page.

use std::sync::Arc;

use latchkey_domain::{Timestamp, TokenId, TokenKind};
use latchkey_ports::{Direction, Page, Store, TokenOrder, TokenQuery};
use uuid::Uuid;

use crate::{
    given,
    observed::numbers,
    samples::{
        admin_token, at, ending, extreme_moments, last_seen, moment, named, token, token_of_all_projects,
    },
};

use Direction::{Ascending, Descending};

const ORDERS: [TokenOrder; 4] =
    [TokenOrder::CreatedAt, TokenOrder::Name, TokenOrder::ExpiresAt, TokenOrder::SeenAt];

fn in_order(order: TokenOrder, direction: Direction) -> TokenQuery {
    let kinds = [TokenKind::Client, TokenKind::Admin];
    TokenQuery { order, direction, ..TokenQuery::of_kinds(kinds) }
}

/// The tokens come in this order, and the other way round in the other direction, ties too.
async fn comes_as(store: &dyn Store, order: TokenOrder, expected: &[i64]) {
    assert_eq!(numbers(store, &in_order(order, Ascending)).await, expected, "by {order:?}");
    let backwards: Vec<_> = expected.iter().rev().copied().collect();
    assert_eq!(numbers(store, &in_order(order, Descending)).await, backwards, "by {order:?}, backwards");
}

/// By creation, whatever the order of creating them, of whichever kind.
pub async fn by_creation(store: &Arc<dyn Store>) {
    let tokens = [
        token(5, &["default"]),
        admin_token(2),
        token_of_all_projects(9),
        token(1, &["default"]),
        token(7, &["default"]),
    ];
    given::tokens(store.as_ref(), &tokens).await;
    comes_as(store.as_ref(), TokenOrder::CreatedAt, &[1, 2, 5, 7, 9]).await;
}

/// Tokens of one millisecond go by id, bytes without sign.
pub async fn by_id_within_a_millisecond(store: &Arc<dyn Store>) {
    let ids = [[0x80; 10], [0; 10], [0xff; 10], [0x7f; 10]].map(|entropy| TokenId::new(moment(1), entropy));
    for (number, id) in (1..).zip(ids) {
        let mut stored = token(number, &["default"]);
        stored.token.created_at = moment(1);
        stored.token.id = id;
        given::token(store.as_ref(), &stored).await;
    }
    let mut sorted = ids;
    sorted.sort_unstable();
    let query = in_order(TokenOrder::CreatedAt, Ascending);
    let listed: Vec<_> =
        store.tokens(&query).await.expect("tokens").iter().map(|stored| stored.token.id).collect();
    assert_eq!(listed, sorted);
}

/// By name, code point by code point in every locale: capitals before small letters, and what UTF-16 puts the other way
/// round; equal names by id.
pub async fn by_name(store: &Arc<dyn Store>) {
    let names =
        ["b", "~", "a", "B", "same", "ä", "\u{ff5e}", "🎉", "a b", "same", "ab", "_", "a-b", "1", "日本"];
    for (number, name) in (1..).zip(names) {
        given::token(store.as_ref(), &named(name, token(number, &["default"]))).await;
    }
    let mut expected: Vec<(&str, i64)> = names.into_iter().zip(1..).collect();
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|(_, number)| number).collect();
    comes_as(store.as_ref(), TokenOrder::Name, &expected).await;
}

/// By end: one without an end is the last, behind the last moment there is; ties by id.
pub async fn by_end(store: &Arc<dyn Store>) {
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
        given::token(store.as_ref(), &ending(end, token(number, &["default"]))).await;
    }
    comes_as(store.as_ref(), TokenOrder::ExpiresAt, &[4, 7, 8, 2, 6, 3, 1, 5]).await;
}

/// By last use: one that was never used is the first, before the first moment there is; ties by id. What is noted counts.
pub async fn by_last_use(store: &Arc<dyn Store>) {
    let [year_0, before_1970, _, _, year_9999] = extreme_moments();
    let uses: [Option<Timestamp>; 7] =
        [Some(moment(5)), None, Some(year_9999), Some(year_0), None, Some(moment(5)), Some(before_1970)];
    for (number, seen) in (1..).zip(uses) {
        given::token(store.as_ref(), &last_seen(seen, token(number, &["default"]))).await;
    }
    comes_as(store.as_ref(), TokenOrder::SeenAt, &[2, 5, 4, 7, 1, 6, 3]).await;
    let five = token(5, &["default"]).token.id;
    store.record_token_use(&[(five, moment(4))]).await.expect("noted");
    comes_as(store.as_ref(), TokenOrder::SeenAt, &[2, 4, 7, 5, 1, 6, 3]).await;
}

/// Names, ends and last uses that come in no order, with ties in each.
async fn a_mixture(store: &dyn Store) {
    for number in 1..=12_u64 {
        let scattered = i64::try_from(number * 5 % 4).expect("small");
        let end = (scattered != 0).then(|| moment(100 + scattered));
        let seen = (number % 3 != 0).then(|| moment(scattered));
        let stored = last_seen(seen, ending(end, token(number, &["default"])));
        given::token(store, &named(&format!("name {}", number * 7 % 5), stored)).await;
    }
}

/// Page by page, nothing is missed and nothing comes twice, in every order and direction; no limit takes the rest.
pub async fn pages_by_offset(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    a_mixture(store).await;
    for query in ORDERS.iter().flat_map(|order| [Ascending, Descending].map(|way| in_order(*order, way))) {
        let whole = numbers(store, &query).await;
        assert_eq!(whole.len(), 12);
        for size in [1, 5, 12, 13, u32::MAX] {
            let mut read = Vec::new();
            while read.len() < 12 {
                let offset = u64::try_from(read.len()).expect("small");
                let page = Page { limit: Some(size), offset };
                let entries = numbers(store, &TokenQuery { page, ..query.clone() }).await;
                assert!(!entries.is_empty() && entries.len() <= usize::try_from(size).expect("64 bits"));
                read.extend(entries);
            }
            assert_eq!(read, whole, "in pages of {size}: {query:?}");
        }
        let rest = Page { limit: None, offset: 4 };
        assert_eq!(numbers(store, &TokenQuery { page: rest, ..query.clone() }).await, whole[4..]);
    }
}

/// A page of nothing, and pages behind the end however far, are empty.
pub async fn the_ends_of_a_list(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    a_mixture(store).await;
    let nothing =
        [(Some(0), 0), (Some(0), 5), (Some(5), 12), (None, 12), (Some(5), u64::MAX), (None, u64::MAX)];
    for (limit, offset) in nothing {
        let query = TokenQuery { page: Page { limit, offset }, ..in_order(TokenOrder::Name, Ascending) };
        assert_eq!(numbers(store, &query).await, [0_i64; 0], "{limit:?} from {offset}");
    }
}

/// From each page's last token to the next page, both ways, whatever has come and gone meanwhile.
pub async fn pages_by_the_last_id(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    a_mixture(store).await;
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
            read.extend(numbers(store, &page).await);
        }
        assert_eq!(read, expected);
    }
}

/// The id to come after need not be there; it goes together with filters and an offset.
pub async fn after_any_id(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in [2, 4, 6, 8] {
        given::token(store, &token(number, &["default"])).await;
    }
    let after = |number, direction| {
        let after = Some(token(number, &["default"]).token.id);
        TokenQuery { after, ..in_order(TokenOrder::CreatedAt, direction) }
    };
    assert_eq!(numbers(store, &after(4, Ascending)).await, [6, 8]);
    assert_eq!(numbers(store, &after(5, Ascending)).await, [6, 8]);
    assert_eq!(numbers(store, &after(6, Descending)).await, [4, 2]);
    assert_eq!(numbers(store, &after(5, Descending)).await, [4, 2]);
    assert_eq!(numbers(store, &after(9, Ascending)).await, [0_i64; 0]);
    let page = Page { limit: Some(1), offset: 1 };
    assert_eq!(numbers(store, &TokenQuery { page, ..after(2, Ascending) }).await, [6]);
    let named = TokenQuery { name_contains: Some("8".to_owned()), ..after(2, Ascending) };
    assert_eq!(numbers(store, &named).await, [8]);
    let [least, greatest] = [Uuid::nil(), Uuid::max()].map(|id| Some(TokenId::from_uuid(id)));
    let from = |after, way| TokenQuery { after, ..in_order(TokenOrder::CreatedAt, way) };
    assert_eq!(numbers(store, &from(least, Ascending)).await, [2, 4, 6, 8]);
    assert_eq!(numbers(store, &from(greatest, Descending)).await, [8, 6, 4, 2]);
}

/// With any other order, the id to come after is passed over.
pub async fn after_an_id_in_another_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    a_mixture(store).await;
    for order in [TokenOrder::Name, TokenOrder::ExpiresAt, TokenOrder::SeenAt] {
        for direction in [Ascending, Descending] {
            let whole = in_order(order, direction);
            let after = TokenQuery { after: Some(token(6, &["default"]).token.id), ..whole.clone() };
            assert_eq!(numbers(store, &after).await, numbers(store, &whole).await, "by {order:?}");
        }
    }
}
