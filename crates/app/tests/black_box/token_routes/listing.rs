//! Listing tokens.

use latchkey_testkit::{env::Store, raw_http::Request, server::TOKENS, wait::until_true};
use serde_json::{Value, json};

use super::fixtures::{FIRST, Fixture, assert_members_in_order};

pub(super) fn a_list_holds_the_tokens_that_name_the_project(store: Store) {
    let fixture = Fixture::on(store);
    let secrets = ["a", "b", "c"].map(|name| fixture.server.create_token(name));
    let answer = fixture.server.as_admin(Request::get(TOKENS));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let listed: Vec<Value> = answer.json()["tokens"].as_array().expect("a list").clone();
    let text = |token: &Value, field: &str| token[field].as_str().map(str::to_owned);
    let mut shown: Vec<_> =
        listed.iter().map(|token| (text(token, "createdAt"), text(token, "tokenName"))).collect();
    assert!(shown.is_sorted_by_key(|(created_at, _)| created_at.clone()), "by creation: {shown:?}");
    // Tokens of the same millisecond are listed in the order of their random ids.
    shown.sort();
    let names: Vec<&str> = shown.iter().filter_map(|(_, name)| name.as_deref()).collect();
    let expected: &[&str] = match fixture.others {
        Some(_) => &["admin", "two", "a", "b", "c"],
        None => &["admin", "a", "b", "c"],
    };
    assert_eq!(names, expected, "without the wide and the admin token");
    assert_eq!(listed[0]["secret"], FIRST);
    assert!(secrets.iter().all(|secret| listed.iter().any(|token| token["secret"] == **secret)));
    let body = answer.text();
    let list = body.strip_prefix("{\"tokens\":[").and_then(|text| text.strip_suffix("]}"));
    list.expect("nothing but tokens").split_inclusive('}').for_each(|token| {
        assert_members_in_order(token.trim_start_matches(','));
    });
    if fixture.others.is_some() {
        assert_eq!(listed[1]["projects"], json!(["default", "p2"]));
        assert_eq!(listed[1]["project"], "default,p2");
        assert!(listed[1]["secret"].as_str().is_some_and(|secret| secret.starts_with("[]:development.")));
    }
    let slashed = fixture.server.as_admin(Request::get(&format!("{TOKENS}/")));
    assert_eq!((slashed.status, slashed.text()), (200, body), "one trailing slash is tolerated");
}

pub(super) fn using_a_token_updates_when_it_was_seen(store: Store) {
    let fixture = Fixture::on(store);
    let secret = fixture.server.create_token("used");
    let unused = fixture.server.create_token("unused");
    assert_eq!(fixture.server.send(&Request::get(TOKENS).by(&format!("bEaReR {secret}"))).status, 403);
    let seen = |secret: &str| {
        let tokens = fixture.server.tokens();
        let token = tokens.iter().find(|token| token["secret"] == *secret).expect("it is listed");
        token["seenAt"].as_str().map(str::to_owned)
    };
    until_true("it is written that the token was seen", || seen(&secret).is_some());
    assert_eq!(seen(&unused), None);
}
