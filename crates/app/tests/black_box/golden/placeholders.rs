//! The placeholders of recorded responses for values that differ each time.

use serde_json::Value;

/// Whether the value is one that the text stands for: the text itself, with each placeholder in it replaced. A text
/// that is nothing but a placeholder can stand for what is no text too.
pub(crate) fn stands_for(pattern: &str, value: &Value) -> bool {
    if let Some(kind) = whole(pattern)
        && let Some(fits) = fits_whole(kind, value)
    {
        return fits;
    }
    value.as_str().is_some_and(|text| text_fits(pattern, text))
}

/// The kind of placeholder that is all of the text.
fn whole(pattern: &str) -> Option<&str> {
    let kind = pattern.strip_prefix('<')?.strip_suffix('>')?;
    (!kind.contains(['<', '>'])).then_some(kind)
}

/// For placeholders that never stand within a text; `None` for others.
fn fits_whole(kind: &str, value: &Value) -> Option<bool> {
    let text = value.as_str();
    Some(match kind {
        "any" => true,
        "int" => value.is_i64() || value.is_u64(),
        "text" => text.is_some_and(|text| !text.trim().is_empty()),
        "rfc3339|null" => value.is_null() || text.is_some_and(is_moment),
        "html" => text.is_some_and(is_page),
        _ => match kind.split_once(':')? {
            ("secret", prefix) => text.is_some_and(|text| is_secret(prefix, text)),
            ("problems", paths) => are_problems(paths, value),
            _ => return None,
        },
    })
}

/// Whether the text is the pattern, with something fitting in the place of each placeholder.
pub(crate) fn text_fits(pattern: &str, text: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == text };
    let Some((kind, after)) = rest.split_once('>') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    // The longest first: what follows begins with something that the placeholder cannot hold.
    let ends = (0..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    ends.into_iter().any(|end| part_fits(kind, &text[..end]) && text_fits(after, &text[end..]))
}

fn part_fits(kind: &str, part: &str) -> bool {
    let all = |is_fine: fn(u8) -> bool| !part.is_empty() && part.bytes().all(is_fine);
    match kind {
        "uuid" => is_uuid(part),
        "rfc3339" => is_moment(part),
        "int" => all(|byte| byte.is_ascii_digit()),
        // A digest, in hex.
        "hash" => part.len() >= 8 && all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        // The value of a cookie (RFC 6265, section 4.1.1).
        "cookie" => all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
        "http-date" => is_http_date(part),
        "bcrypt" => part.starts_with("$2") && part.len() == 60,
        "pat-secret" => part.strip_prefix("user:").is_some_and(is_random_part),
        "methods" => all(|byte| byte.is_ascii_uppercase() || byte == b','),
        "token-id" => has_pattern(part, "hhhhhhhh-hhhh-7hhh-hhhh-hhhhhhhhhhhh"),
        other => panic!("no such placeholder: <{other}>"),
    }
}

/// `00000000-0000-4000-8000-000000000000`
fn is_uuid(text: &str) -> bool {
    has_pattern(text, "hhhhhhhh-hhhh-4hhh-hhhh-hhhhhhhhhhhh")
}

/// `2030-01-01T00:00:00.000Z`
fn is_moment(text: &str) -> bool {
    has_pattern(text, "dddd-dd-ddTdd:dd:dd.dddZ")
}

/// `Tue, 24 Nov 2026 22:00:00 GMT` (RFC 9110, section 5.6.7)
fn is_http_date(text: &str) -> bool {
    has_pattern(text, "aaa, dd aaa dddd dd:dd:dd GMT")
}

/// `d` is a digit, `h` one of hexadecimal, `a` a letter; anything else is itself.
fn has_pattern(text: &str, pattern: &str) -> bool {
    let is_like = |(character, class): (char, char)| match class {
        'd' => character.is_ascii_digit(),
        'h' => character.is_ascii_hexdigit() && !character.is_ascii_uppercase(),
        'a' => character.is_ascii_alphabetic(),
        fixed => character == fixed,
    };
    text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(is_like)
}

fn is_page(text: &str) -> bool {
    let start = text.trim_start().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn is_secret(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).is_some_and(is_random_part)
}

/// 33 characters of chance, which hold at least 192 bits, and 6 of checksum.
fn is_random_part(text: &str) -> bool {
    text.len() == 39 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// At least one, each with a message, and with a path that is one of these.
fn are_problems(paths: &str, value: &Value) -> bool {
    let is_problem = |problem: &Value| {
        let path = problem.get("path").and_then(Value::as_str);
        let message = problem["message"].as_str().unwrap_or_default();
        !message.is_empty()
            && path.is_none_or(|path| paths.is_empty() || paths.split(',').any(|known| known == path))
    };
    value.as_array().is_some_and(|problems| !problems.is_empty() && problems.iter().all(is_problem))
}

#[test]
fn a_placeholder_stands_for_what_it_says_and_nothing_else() {
    use serde_json::json;
    let date = "Tue, 24 Nov 2026 22:00:00 GMT";
    let random = "x".repeat(39);
    for (pattern, value) in [
        ("<int>", json!(5)),
        ("<any>", json!(null)),
        ("<rfc3339>", json!("2030-01-01T00:00:00.000Z")),
        ("<rfc3339|null>", json!(null)),
        ("<secret:a:b>", json!(format!("a:b.{random}"))),
        ("<pat-secret>", json!(format!("user:{random}"))),
        ("\"<hash>:<int>\"", json!("\"0123abcd:7\"")),
        ("s=<cookie>; Expires=<http-date>; HttpOnly", json!(format!("s=a:b%3D; Expires={date}; HttpOnly"))),
        ("<html>", json!("<!DOCTYPE html><html></html>")),
        ("<problems:/body/a>", json!([{"message": "m", "path": "/body/a"}])),
        ("<uuid>", json!("00000000-0000-4000-8000-000000000000")),
        ("a < b", json!("a < b")),
    ] {
        assert!(stands_for(pattern, &value), "{pattern} stands for {value}");
    }
    for (pattern, value) in [
        ("<int>", json!("5")),
        ("<int>", json!(1.5)),
        ("<text>", json!(" ")),
        ("<rfc3339>", json!("2030-01-01T00:00:00Z")),
        ("<rfc3339>", json!(null)),
        ("<secret:a:b>", json!(format!("a:c.{random}"))),
        ("<secret:a:b>", json!(format!("a:b.{random}x"))),
        ("<pat-secret>", json!(random)),
        ("\"<hash>:<int>\"", json!("\"0123ABCD:7\"")),
        ("s=<cookie>; HttpOnly", json!("s=; HttpOnly")),
        ("s=<cookie>; HttpOnly", json!("s=a; Secure; HttpOnly")),
        ("<html>", json!("{}")),
        ("<problems:/body/a>", json!([{"message": "m", "path": "/body/b"}])),
        ("<problems:>", json!([])),
        ("<uuid>", json!("00000000-0000-7000-8000-000000000000")),
    ] {
        assert!(!stands_for(pattern, &value), "{pattern} does not stand for {value}");
    }
    assert!(text_fits("<int>", "5") && !text_fits("<int>", "-5"), "in a header, a number is its digits");
}
