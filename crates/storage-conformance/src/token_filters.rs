//! Lists of API tokens, by every filter.

use std::sync::Arc;

use TokenKind::{Admin, Client, Frontend};
use latchkey_domain::{TokenKind, TokenName};
use latchkey_ports::{AttributeFilter, Ends, Store, StoredToken, TokenOrder, TokenQuery};
use serde_json::{Value, json};

use crate::{
    harness::{all_tokens, token_numbers},
    samples::{
        admin_token, disabled, ending, environment, extreme_moments, frontend, last_seen, moment, named,
        project_id, token, token_of_all_projects, with_alias, with_attribute, working_in,
    },
    setup,
};

fn of_any_kind() -> TokenQuery {
    TokenQuery::of_kinds([Client, Frontend, Admin])
}

/// Tokens of every kind are returned complete: alias, expiry, last use, and projects in order.
pub async fn listed_tokens_are_complete(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["b", "a"]).await;
    let mut shown_once = token_of_all_projects(3);
    shown_once.secret.sealed = None;
    let tokens = [
        with_alias(101, ending(Some(moment(50)), token(1, &["b", "default", "a"]))),
        last_seen(Some(moment(40)), frontend(working_in("production", token(2, &["a", "b"])))),
        shown_once,
        with_attribute("limits", json!({ "perSecond": [1, 2.5, null] }), with_alias(104, admin_token(4))),
    ];
    setup::tokens(store.as_ref(), &tokens).await;
    assert_eq!(all_tokens(store.as_ref()).await, tokens);
    assert_eq!(store.tokens(&of_any_kind()).await.expect("tokens"), tokens);
}

/// Only tokens of the requested kinds are listed; with no kinds the list is empty.
pub async fn tokens_are_filtered_by_kind(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        token(1, &["default"]),
        frontend(token(2, &["default"])),
        admin_token(3),
        token_of_all_projects(4),
        frontend(token_of_all_projects(5)),
    ];
    setup::tokens(store, &tokens).await;
    let kinds: [(&[TokenKind], &[i64]); 7] = [
        (&[], &[]),
        (&[Client], &[1, 4]),
        (&[Frontend], &[2, 5]),
        (&[Admin], &[3]),
        (&[Client, Admin], &[1, 3, 4]),
        (&[Frontend, Client], &[1, 2, 4, 5]),
        (&[Frontend, Client, Admin], &[1, 2, 3, 4, 5]),
    ];
    for (kinds, expected) in kinds {
        let query = TokenQuery::of_kinds(kinds.iter().copied());
        let of_all_projects: Vec<_> = expected.iter().copied().filter(|number| *number >= 3).collect();
        let query_of_all = TokenQuery { of_all_projects: true, ..query.clone() };
        assert_eq!(token_numbers(store, &query_of_all).await, of_all_projects, "{kinds:?} of all projects");
        assert_eq!(token_numbers(store, &query).await, expected, "{kinds:?}");
    }
}

/// Tokens match if they name the project, alone or with others. Ids are case-sensitive, and an unknown
/// project has no tokens.
pub async fn tokens_are_filtered_by_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "A", "aa", "b"]).await;
    let tokens = [
        token(1, &["a"]),
        token(2, &["b", "a"]),
        token(3, &["A"]),
        token_of_all_projects(4),
        admin_token(5),
        frontend(token(6, &["A", "a", "b"])),
        token(7, &["aa"]),
    ];
    setup::tokens(store, &tokens).await;
    let expected: [(&str, &[i64]); 6] =
        [("a", &[1, 2, 6]), ("A", &[3, 6]), ("b", &[2, 6]), ("default", &[]), ("nope", &[]), ("_", &[])];
    for (project, expected) in expected {
        let query = TokenQuery { project: Some(project_id(project)), ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{project}");
    }
}

/// Client and frontend tokens of the environment match, including those of all projects; admin tokens never
/// match.
pub async fn tokens_are_filtered_by_environment(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["Production"]).await;
    let tokens = [
        token(1, &["default"]),
        working_in("production", token(2, &["default"])),
        working_in("production", token_of_all_projects(3)),
        admin_token(4),
        working_in("Production", frontend(token(5, &["default"]))),
    ];
    setup::tokens(store, &tokens).await;
    let expected: [(&str, &[i64]); 5] = [
        ("development", &[1]),
        ("production", &[2, 3]),
        ("Production", &[5]),
        ("productio_", &[]),
        ("nope", &[]),
    ];
    for (name, expected) in expected {
        let query = TokenQuery { environment: Some(environment(name)), ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{name}");
    }
}

const NAMES: [&str; 9] =
    ["ci", "CI", "ci 2", "a%b", "a_b", "a\\b", "Ødegård 🦀 日本語", "o'b\"c", "e\u{301}"];

async fn store_tokens_of_all_names(store: &dyn Store) {
    for (number, name) in (1..).zip(NAMES) {
        setup::token(store, &named(name, token(number, &["default"]))).await;
    }
    setup::token(store, &named("ci", admin_token(10))).await;
}

/// The name is compared exactly: no case folding, no wildcards, no normalization.
pub async fn tokens_are_filtered_by_exact_name(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_tokens_of_all_names(store).await;
    let longest = "🎉".repeat(TokenName::MAX_CHARACTERS);
    setup::token(store, &named(&longest, token(11, &["default"]))).await;
    let expected: [(&str, &[i64]); 10] = [
        ("ci", &[1, 10]),
        ("CI", &[2]),
        ("Ci", &[]),
        ("c%", &[]),
        ("a%b", &[4]),
        ("a_b", &[5]),
        ("Ødegård 🦀 日本語", &[7]),
        ("é", &[]),
        ("e\u{301}", &[9]),
        (&longest, &[11]),
    ];
    for (name, expected) in expected {
        let name = TokenName::new(name).expect("a name");
        let query = TokenQuery { name: Some(name.clone()), ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{name}");
    }
}

/// The substring is case-sensitive and every character is literal; the empty substring matches every name.
pub async fn tokens_are_filtered_by_part_of_the_name(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_tokens_of_all_names(store).await;
    let expected: [(&str, &[i64]); 15] = [
        ("ci", &[1, 3, 10]),
        ("i 2", &[3]),
        ("C", &[2]),
        ("%", &[4]),
        ("_", &[5]),
        ("\\", &[6]),
        ("a_b", &[5]),
        ("'", &[8]),
        ("\"c", &[8]),
        ("🦀", &[7]),
        ("本", &[7]),
        ("ødegård", &[]),
        ("e", &[7, 9]),
        ("\0", &[]),
        ("", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ];
    for (text, expected) in expected {
        let query = TokenQuery { name_contains: Some(text.to_owned()), ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{text:?}");
    }
}

/// A text attribute is found by any part of it, case-sensitively, and a token without the attribute never is.
pub async fn tokens_are_filtered_by_part_of_an_attribute(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        with_attribute("purpose", "Payments 100%", token(1, &["default"])),
        with_attribute("purpose", "payments 🦀", admin_token(2)),
        with_attribute("note", "Payments", token(3, &["default"])),
        named("Payments", token(4, &["default"])),
        with_attribute("purpose", "it's \"x\"", token(5, &["default"])),
    ];
    setup::tokens(store, &tokens).await;
    let expected: [(_, &str, &[i64]); 8] = [
        ("purpose", "Payments", &[1]),
        ("purpose", "ments", &[1, 2]),
        ("purpose", "%", &[1]),
        ("purpose", "🦀", &[2]),
        ("purpose", "s \"", &[5]),
        ("purpose", "\0", &[]),
        ("purpose", "", &[1, 2, 5]),
        ("absent", "", &[]),
    ];
    for (name, text, expected) in expected {
        let attributes = vec![AttributeFilter::Contains { name, text: text.to_owned() }];
        let query = TokenQuery { attributes, ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{name} {text:?}");
    }
}

/// Those that have an attribute, which is text, are listed, whatever it is.
pub async fn tokens_are_filtered_by_attributes_that_are_set(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        with_attribute("purpose", "Payments", token(1, &["default"])),
        with_attribute("purpose", "", admin_token(2)),
        with_attribute("other", "purpose", token(3, &["default"])),
        token(4, &["default"]),
    ];
    setup::tokens(store, &tokens).await;
    for (name, expected) in [("purpose", &[1, 2][..]), ("other", &[3]), ("absent", &[])] {
        let attributes = vec![AttributeFilter::IsSet { name }];
        let query = TokenQuery { attributes, ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{name}");
    }
}

/// A value at a path is compared as JSON: text is no number, and a part is not the whole. All conditions hold at once.
pub async fn tokens_are_filtered_by_values_of_attributes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        with_attribute("purpose", "Payments", token(1, &["default"])),
        with_attribute("note", json!({ "team": "a", "0": 1, "a.b-c": true }), token(2, &["default"])),
        with_attribute("note", json!({ "team": "a\"é🦀", "0": "1", "a.b-c": "true" }), admin_token(3)),
        with_attribute("note", json!({ "team": ["a"], "0": 1.5, "a.b-c": null }), token(4, &["default"])),
        token(5, &["default"]),
    ];
    setup::tokens(store, &tokens).await;
    let is = |path: &[&str], values: &[Value]| AttributeFilter::Is {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        values: values.to_vec(),
    };
    let expected: [(Vec<AttributeFilter>, &[i64]); 13] = [
        (vec![is(&["purpose"], &[json!("Payments")])], &[1]),
        (vec![is(&["purpose"], &[json!("payments")])], &[]),
        (vec![is(&["purpose"], &[json!("Pay")])], &[]),
        (vec![is(&["note", "team"], &[json!("a")])], &[2]),
        (vec![is(&["note", "team"], &[json!("a\"é🦀")])], &[3]),
        (vec![is(&["note", "team"], &[json!("\0")])], &[]),
        (vec![is(&["note", "0"], &[json!(1)])], &[2]),
        (vec![is(&["note", "0"], &[json!(1), json!("1")])], &[2, 3]),
        (vec![is(&["note", "0"], &[json!(1.5)])], &[4]),
        (vec![is(&["note", "a.b-c"], &[json!(true), json!("true")])], &[2, 3]),
        (vec![is(&["note", "a.b-c"], &[json!(null)])], &[4]),
        (vec![is(&["note", "0"], &[json!(1), json!("1")]), is(&["note", "team"], &[json!("a")])], &[2]),
        (vec![is(&["note", "absent"], &[json!(null)])], &[]),
    ];
    for (attributes, expected) in expected {
        let query = TokenQuery { attributes, ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, expected, "{:?}", query.attributes);
    }
}

/// A token is expired from its expiry time on, and never without one.
pub async fn tokens_are_filtered_by_expiry(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let [first, .., last] = extreme_moments();
    let tokens = [
        ending(None, token(1, &["default"])),
        ending(Some(moment(9)), token(2, &["default"])),
        ending(Some(moment(10)), token(3, &["default"])),
        ending(Some(moment(11)), admin_token(4)),
        ending(Some(first), token(5, &["default"])),
        ending(Some(last), token(6, &["default"])),
    ];
    setup::tokens(store, &tokens).await;
    let expected: [(_, &[i64]); 7] = [
        (Ends::by(moment(10)), &[2, 3, 5]),
        (Ends::after(moment(10)), &[1, 4, 6]),
        (Ends::by(last), &[2, 3, 4, 5, 6]),
        (Ends::after(last), &[1]),
        (Ends::by(first), &[5]),
        (Ends { after: Some(moment(9)), by: Some(moment(11)) }, &[3, 4]),
        (Ends { after: Some(moment(11)), by: Some(moment(9)) }, &[]),
    ];
    for (ends, numbers_expected) in expected {
        for order in [TokenOrder::CreatedAt, TokenOrder::ExpiresAt] {
            let query = TokenQuery { ends, order, ..of_any_kind() };
            let mut numbers = token_numbers(store, &query).await;
            numbers.sort_unstable();
            assert_eq!(numbers, numbers_expected, "{ends:?} by {order:?}");
        }
    }
}

/// A token that does not say that it is disabled is enabled.
pub async fn tokens_are_filtered_by_whether_they_are_enabled(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        token(1, &["default"]),
        disabled(token(2, &["default"])),
        admin_token(3),
        disabled(ending(Some(moment(5)), admin_token(4))),
        ending(Some(moment(5)), with_attribute("purpose", "enabled", token(5, &["default"]))),
    ];
    setup::tokens(store, &tokens).await;
    let expected: [(_, _, &[i64]); 5] = [
        (None, Ends::default(), &[1, 2, 3, 4, 5]),
        (Some(true), Ends::default(), &[1, 3, 5]),
        (Some(false), Ends::default(), &[2, 4]),
        (Some(true), Ends::by(moment(9)), &[5]),
        (Some(false), Ends::after(moment(9)), &[2]),
    ];
    for (enabled, ends, numbers) in expected {
        let query = TokenQuery { enabled, ends, ..of_any_kind() };
        assert_eq!(token_numbers(store, &query).await, numbers, "{enabled:?} {ends:?}");
    }
}

/// A token is unused since a time if it was created before and not used at or after that time.
pub async fn tokens_are_filtered_by_last_use(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [
        token(1, &["default"]),
        last_seen(Some(moment(19)), token(2, &["default"])),
        last_seen(Some(moment(20)), token(3, &["default"])),
        last_seen(Some(moment(21)), admin_token(4)),
        token(20, &["default"]),
        last_seen(Some(moment(5)), token(21, &["default"])),
        last_seen(Some(moment(5)), token(19, &["default"])),
    ];
    setup::tokens(store, &tokens).await;
    let unused = |at| TokenQuery { unused_since: Some(moment(at)), ..of_any_kind() };
    assert_eq!(token_numbers(store, &unused(20)).await, [1, 2, 19]);
    assert_eq!(token_numbers(store, &unused(22)).await, [1, 2, 3, 4, 19, 20, 21]);
    assert_eq!(token_numbers(store, &unused(1)).await, [0_i64; 0]);
    store.record_token_use(&[(tokens[0].token.id, moment(30))]).await.expect("recorded");
    assert_eq!(token_numbers(store, &unused(20)).await, [2, 19]);
}

/// Returns one token that matches all filters, and others that each miss one.
fn candidates() -> [StoredToken; 9] {
    let matching = |number| {
        let placed = working_in("production", frontend(token(number, &["a", "b"])));
        named("ci west", last_seen(Some(moment(20)), ending(Some(moment(30)), placed)))
    };
    let elsewhere = working_in("production", frontend(token(3, &["a"])));
    let of_another_kind = working_in("production", token(5, &["b"]));
    let dressed = |stored| named("ci west", last_seen(Some(moment(20)), ending(Some(moment(30)), stored)));
    [
        matching(1),
        working_in("development", matching(2)),
        dressed(elsewhere),
        named("ci east", matching(4)),
        dressed(of_another_kind),
        ending(Some(moment(41)), matching(6)),
        last_seen(Some(moment(25)), matching(7)),
        matching(26),
        ending(None, matching(9)),
    ]
}

/// A token must match every filter.
pub async fn token_filters_are_combined(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    setup::tokens(store, &candidates()).await;
    let query = TokenQuery {
        project: Some(project_id("b")),
        environment: Some(environment("production")),
        name: Some(TokenName::new("ci west").expect("a name")),
        name_contains: Some("i w".to_owned()),
        ends: Ends::by(moment(40)),
        unused_since: Some(moment(25)),
        ..TokenQuery::of_kinds([Frontend])
    };
    assert_eq!(token_numbers(store, &query).await, [1]);
    let without = [
        (TokenQuery { environment: None, ..query.clone() }, vec![1, 2]),
        (TokenQuery { project: None, ..query.clone() }, vec![1, 3]),
        (TokenQuery { name: None, name_contains: Some("ci".to_owned()), ..query.clone() }, vec![1, 4]),
        (TokenQuery { kinds: [Frontend, Client].into(), ..query.clone() }, vec![1, 5]),
        (TokenQuery { ends: Ends::default(), ..query.clone() }, vec![1, 6, 9]),
        (TokenQuery { unused_since: None, ..query.clone() }, vec![1, 7, 26]),
        (TokenQuery { name_contains: Some("I w".to_owned()), ..query }, vec![]),
    ];
    for (query, expected) in without {
        assert_eq!(token_numbers(store, &query).await, expected, "{query:?}");
    }
}
