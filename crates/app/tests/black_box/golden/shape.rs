//! Whether a value has the recorded shape.

use serde_json::Value;

use crate::golden::placeholders::stands_for;

/// Where a value departs from a pattern; `Ok` where it does not. `unordered` names the lists whose order does not
/// matter, by their last member's name; `$` is the value itself.
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
            if patterns.len() != values.len() {
                return Err(format!("{at}: {} entries, not {}", values.len(), patterns.len()));
            }
            let is_this = |name: &String| match name.as_str() {
                "$" => at.is_empty(),
                name => at.replace('/', ".").trim_start_matches('.') == name,
            };
            if unordered.iter().any(is_this) {
                fit_in_any_order(patterns, values, at)
            } else {
                fit_in_order(patterns, values, at)
            }
        }
        (Value::String(pattern), value) => {
            stands_for(pattern, value).then_some(()).ok_or_else(|| format!("{at}: {value} is no {pattern}"))
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

#[test]
fn a_value_fits_its_own_shape_and_no_other() {
    use serde_json::json;
    let fit = |pattern: Value, value: Value| {
        fits(&pattern, &value, &["list".to_owned(), "in.list".to_owned()], "").is_ok()
    };
    assert!(fit(json!({"list": [1, 2]}), json!({"list": [2, 1]})));
    assert!(fit(json!({"in": {"list": [1, 2]}}), json!({"in": {"list": [2, 1]}})));
    assert!(!fit(json!({"list": [1, 2]}), json!({"list": [2, 2]})));
    assert!(!fit(json!({"other": [1, 2]}), json!({"other": [2, 1]})));
    assert!(!fit(json!({"a": 1}), json!({"a": 1, "b": 1})));
    assert!(!fit(json!({"a": 1, "b": null}), json!({"a": 1})));
    assert!(fit(json!({"a": "<int>"}), json!({"a": 5})));
    assert!(!fit(json!({"a": "<rfc3339>"}), json!({"a": null})));
    assert!(fits(&json!([1, 2]), &json!([2, 1]), &["$".to_owned()], "").is_ok());
}
