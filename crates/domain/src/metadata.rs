//! Metadata of API tokens: what their owners note about them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::is_word;

/// A JSON object of at most [`Metadata::MAX_BYTES`], with at most [`Metadata::MAX_KEYS`] members, whose names are 1 to 64 of
/// `A-Z a-z 0-9 _ . -`, and at most [`Metadata::MAX_DEPTH`] levels of lists and objects. Whole numbers are kept as such (`1.0` as
/// `1`), so that every store compares them alike.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

/// Why an object cannot be the metadata of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("metadata may have at most {max} bytes as JSON, not {0}", max = Metadata::MAX_BYTES)]
    TooLarge(usize),
    #[error("metadata may have at most {max} members, not {0}", max = Metadata::MAX_KEYS)]
    TooManyKeys(usize),
    #[error(
        "the name of a member of metadata must be 1 to 64 of the characters A-Z, a-z, 0-9, _, . and -, not \"{0}\""
    )]
    BadKey(String),
    #[error("metadata may have at most {} levels of lists and objects", Metadata::MAX_DEPTH)]
    TooDeep,
    #[error("metadata must not contain NUL")]
    Nul,
}

impl Metadata {
    /// The maximum size as JSON, in bytes.
    pub const MAX_BYTES: usize = 8 * 1024;
    /// The maximum number of members.
    pub const MAX_KEYS: usize = 64;
    /// The maximum depth, of the object itself too.
    pub const MAX_DEPTH: usize = 8;

    /// Returns the metadata of this object.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn new(members: Map<String, Value>) -> Result<Self, MetadataError> {
        if members.len() > Self::MAX_KEYS {
            return Err(MetadataError::TooManyKeys(members.len()));
        }
        if let Some(key) = members.keys().find(|key| !Self::is_key(key)) {
            return Err(MetadataError::BadKey(key.chars().take(64).collect()));
        }
        let mut object = Value::Object(members);
        normalize(&mut object, Self::MAX_DEPTH)?;
        let size = object.to_string().len();
        match object {
            Value::Object(members) if size <= Self::MAX_BYTES => Ok(Self(members)),
            _ => Err(MetadataError::TooLarge(size)),
        }
    }

    /// Whether a member can have this name.
    pub fn is_key(text: &str) -> bool {
        text.len() <= 64 && is_word(text)
    }

    /// Returns the members.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns the members; `None` where there are none.
    pub fn noted(&self) -> Option<&Map<String, Value>> {
        (!self.is_empty()).then(|| self.members())
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the metadata after a merge patch (RFC 7396): null removes a member, an object is merged into the one that is
    /// there, and any other value replaces.
    ///
    /// # Errors
    /// [`MetadataError`] for what would come out.
    pub fn patched(&self, patch: &Map<String, Value>) -> Result<Self, MetadataError> {
        let mut members = self.0.clone();
        merge(&mut members, patch);
        Self::new(members)
    }
}

fn merge(members: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                members.remove(name);
            }
            Value::Object(patch) => {
                let member = members.entry(name.as_str()).or_insert(Value::Null);
                let mut merged = match member.take() {
                    Value::Object(there) => there,
                    _ => Map::new(),
                };
                merge(&mut merged, patch);
                *member = Value::Object(merged);
            }
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

/// Checks texts and depth, and writes whole numbers as such.
fn normalize(value: &mut Value, levels: usize) -> Result<(), MetadataError> {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => Err(MetadataError::TooDeep),
        Value::Array(values) => values.iter_mut().try_for_each(|value| normalize(value, levels - 1)),
        Value::Object(members) if members.keys().any(|name| name.contains('\0')) => Err(MetadataError::Nul),
        Value::Object(members) => members.values_mut().try_for_each(|value| normalize(value, levels - 1)),
        Value::String(text) if text.contains('\0') => Err(MetadataError::Nul),
        Value::Number(_) => {
            *value = whole(value.take());
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// Returns a number that is written with a point, but is whole and exact, without the point; any other value as it is.
pub fn whole(value: Value) -> Value {
    /// Up to here, every whole number is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;

    match value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        Some(number) if !value.is_i64() && !value.is_u64() => Value::from(number as i64),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: Value) -> Result<Metadata, MetadataError> {
        match value {
            Value::Object(members) => Metadata::new(members),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn metadata_is_bounded() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(metadata(nested(8)).is_ok());
        assert_eq!(metadata(nested(9)), Err(MetadataError::TooDeep));
        let long = |length: usize| json!({ "text": "x".repeat(length - r#"{"text":""}"#.len()) });
        assert!(metadata(long(8 * 1024)).is_ok());
        assert_eq!(metadata(long(8 * 1024 + 1)), Err(MetadataError::TooLarge(8 * 1024 + 1)));
        let numbered = |count: u32| (0..count).map(|number| (number.to_string(), Value::Null)).collect();
        assert!(metadata(Value::Object(numbered(64))).is_ok());
        assert_eq!(metadata(Value::Object(numbered(65))), Err(MetadataError::TooManyKeys(65)));
        for key in ["", "a b", "ä", "a\"b", "$a", "[0]", &"x".repeat(65)] {
            assert!(matches!(metadata(json!({ key: 1 })), Err(MetadataError::BadKey(_))), "{key}");
        }
        for key in ["a", "0", "a.b-c_d", &"x".repeat(64)] {
            assert!(metadata(json!({ key: 1 })).is_ok(), "{key}");
        }
        for value in [json!("a\0"), json!([["\0"]]), json!({ "\0": 1 })] {
            assert_eq!(metadata(json!({ "a": value })), Err(MetadataError::Nul));
        }
    }

    #[test]
    fn whole_numbers_are_kept_as_such() {
        let kept =
            metadata(json!({ "a": [1.0, -0.0, 1.5, 1e300, 9_007_199_254_740_992.0, 7] })).expect("metadata");
        let expected = json!([1, 0, 1.5, 1e300, 9_007_199_254_740_992_i64, 7]);
        assert_eq!(kept.members().get("a"), Some(&expected));
    }

    /// The examples of RFC 7396, appendix A, whose outcome is an object.
    #[test]
    fn a_patch_merges_as_in_rfc_7396() {
        for (before, patch, after) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let Value::Object(members) = patch.clone() else { panic!("{patch} is no object") };
            let patched = metadata(before.clone()).expect("metadata").patched(&members);
            assert_eq!(patched, metadata(after), "{before} with {patch}");
        }
    }
}
