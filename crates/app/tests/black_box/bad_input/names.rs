//! Names at and above the maximum length, and in every script.

use serde_json::json;

use super::body_with;
use crate::refusals::Guarded;

#[test]
fn names_of_256_characters_are_refused_and_of_255_kept() {
    let guarded = Guarded::new();
    for character in ["n", "é", "🎉", "א"] {
        guarded.refuses_body(&body_with("tokenName", json!(character.repeat(256))), &["tokenName", "255"]);
    }
    for character in ["n", "é", "🎉", "א"] {
        assert_keeps_name(&guarded, &character.repeat(255));
    }
}

#[test]
fn names_in_any_script_are_kept_as_they_are() {
    let guarded = Guarded::new();
    for name in [
        "日本語🎉",
        "👩‍👩‍👧‍👦",
        "שלום עולם",
        "\u{202e}txet",
        "a/b?c=d&e#f",
        "<script>alert(1)</script>",
        "'; DROP TABLE tokens; --",
        "e\u{301}",
        "\\u0000",
    ] {
        assert_keeps_name(&guarded, name);
    }
}

/// Creates, lists and deletes a token of that name.
#[track_caller]
fn assert_keeps_name(guarded: &Guarded, name: &str) {
    let secret = guarded.server().create_token(name);
    let listed = guarded.server().tokens();
    assert!(listed.iter().any(|token| token["secret"] == *secret && token["tokenName"] == name), "{name}");
    assert_eq!(guarded.server().delete_token(&secret).status, 200);
    guarded.assert_unchanged();
}
