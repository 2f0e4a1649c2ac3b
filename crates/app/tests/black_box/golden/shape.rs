//! Whether a value has the recorded shape.

use serde_json::Value;

/// Where a value departs from a pattern; `Ok` where it does not.
///
/// Placeholders: `<text>`, `<uuid>`, `<int>`, `<rfc3339>`, `<rfc3339|null>`, `<secret:PROJECT:ENVIRONMENT>`, and
/// `<problems:PATH,PATH…>` for a list of what is wrong with a body, none of it elsewhere than at those paths.
/// `unordered` names the lists whose order does not matter.
pub(crate) fn fits(pattern: &Value, value: &Value, unordered: &[String], at: &str) -> Result<(), String> {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(fields)) => {
            if let Some(extra) = fields.keys().find(|name| !pattern.contains_key(*name)) {
                return Err(format!("{at}: {extra} is not expected"));
            }
            pattern.iter().try_for_each(|(name, pattern)| {
                let at = format!("{at}/{name}");
                let value = fields.get(name).ok_or_else(|| format!("{at} is missing"))?;
                fits(pattern, value, unordered, &at)
            })
        }
        (Value::Array(patterns), Value::Array(values)) => {
            let free = unordered.iter().any(|name| at.ends_with(&format!("/{name}")));
            if patterns.len() != values.len() {
                return Err(format!("{at}: {} entries, not {}", values.len(), patterns.len()));
            }
            if free { fit_in_any_order(patterns, values, at) } else { fit_in_order(patterns, values, at) }
        }
        (Value::String(pattern), value) if pattern.starts_with('<') && pattern.ends_with('>') => {
            let holds = fits_placeholder(pattern.trim_matches(['<', '>']), value);
            holds.then_some(()).ok_or_else(|| format!("{at}: {value} is no {pattern}"))
        }
        (pattern, value) if pattern == value => Ok(()),
        (pattern, value) => Err(format!("{at}: {value}, not {pattern}")),
    }
}

fn fit_in_order(patterns: &[Value], values: &[Value], at: &str) -> Result<(), String> {
    let mut pairs = patterns.iter().zip(values).enumerate();
    pairs.try_for_each(|(index, (pattern, value))| fits(pattern, value, &[], &format!("{at}/{index}")))
}

fn fit_in_any_order(patterns: &[Value], values: &[Value], at: &str) -> Result<(), String> {
    let mut left: Vec<&Value> = values.iter().collect();
    for pattern in patterns {
        let found = left.iter().position(|value| fits(pattern, value, &[], at).is_ok());
        left.remove(found.ok_or_else(|| format!("{at}: nothing like {pattern}"))?);
    }
    Ok(())
}

fn fits_placeholder(kind: &str, value: &Value) -> bool {
    let text = value.as_str();
    match kind.split_once(':') {
        None if kind == "int" => value.is_i64() || value.is_u64(),
        None if kind == "text" => text.is_some_and(|text| !text.trim().is_empty()),
        None if kind == "uuid" => text.is_some_and(is_uuid),
        None if kind == "rfc3339" => text.is_some_and(is_moment),
        None if kind == "rfc3339|null" => value.is_null() || text.is_some_and(is_moment),
        Some(("secret", prefix)) => text.is_some_and(|text| is_secret(prefix, text)),
        Some(("problems", paths)) => are_problems(paths, value),
        _ => panic!("no such placeholder: <{kind}>"),
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

fn has_pattern(text: &str, pattern: &str) -> bool {
    let is_like = |(character, class): (char, char)| match class {
        'd' => character.is_ascii_digit(),
        'h' => character.is_ascii_hexdigit() && !character.is_ascii_uppercase(),
        fixed => character == fixed,
    };
    text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(is_like)
}

/// The prefix, then at least 192 bits of chance.
fn is_secret(prefix: &str, text: &str) -> bool {
    let random = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
    random.is_some_and(|random| random.len() >= 33 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
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
fn a_value_fits_its_own_shape_and_no_other() {
    use serde_json::json;
    let fit = |pattern: Value, value: Value| fits(&pattern, &value, &["list".to_owned()], "").is_ok();
    assert!(fit(json!({"list": [1, 2]}), json!({"list": [2, 1]})));
    assert!(!fit(json!({"list": [1, 2]}), json!({"list": [2, 2]})));
    assert!(!fit(json!({"other": [1, 2]}), json!({"other": [2, 1]})));
    assert!(!fit(json!({"a": 1}), json!({"a": 1, "b": 1})));
    assert!(!fit(json!({"a": 1, "b": null}), json!({"a": 1})));
    assert!(fit(json!("<rfc3339>"), json!("2030-01-01T00:00:00.000Z")));
    assert!(!fit(json!("<rfc3339>"), json!("2030-01-01T00:00:00Z")));
    assert!(!fit(json!("<rfc3339>"), Value::Null));
    assert!(fit(json!("<secret:a:b>"), json!(format!("a:b.{}", "x".repeat(39)))));
    assert!(!fit(json!("<secret:a:b>"), json!(format!("a:c.{}", "x".repeat(39)))));
    assert!(fit(json!("<problems:/body/a>"), json!([{"message": "m", "path": "/body/a"}])));
    assert!(!fit(json!("<problems:/body/a>"), json!([{"message": "m", "path": "/body/b"}])));
    assert!(!fit(json!("<problems:>"), json!([])));
    assert!(!fit(json!("<uuid>"), json!("00000000-0000-7000-8000-000000000000")));
}
