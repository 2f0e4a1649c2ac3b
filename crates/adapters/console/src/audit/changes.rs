//! What an event changed, member by member.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A member that an event changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Its name, with those of the objects that hold it.
    pub(super) member: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Members that repeat another one under the name that older clients know.
const REPEATED: [(&str, &str); 2] = [("username", "tokenName"), ("project", "projects")];

/// Returns the members that differ. A side that is missing has none, so every member of the other one differs.
pub(super) fn between(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let (mut before, mut after) = (members(before), members(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let all = names.into_iter().map(|member| {
        let (before, after) = (before.remove(&member), after.remove(&member));
        Change { member, before, after }
    });
    all.filter(|change| change.before != change.after).collect()
}

fn members(value: Option<&Value>) -> BTreeMap<String, String> {
    let mut members = BTreeMap::new();
    if let Some(Value::Object(map)) = value {
        let is_repeated =
            |name: &str| REPEATED.iter().any(|(repeated, of)| *repeated == name && map.contains_key(*of));
        let own = map.iter().filter(|(name, _)| !is_repeated(name));
        collect("", &own.map(|(name, value)| (name.clone(), value.clone())).collect(), &mut members);
    }
    members
}

fn collect(place: &str, map: &Map<String, Value>, members: &mut BTreeMap<String, String>) {
    for (name, value) in map {
        let name = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        match value {
            Value::Object(inner) => collect(&name, inner, members),
            value => {
                if let Some(text) = text(value) {
                    members.insert(name, text);
                }
            }
        }
    }
}

/// Returns a value for people; `None` if it says that there is nothing.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().filter_map(entry).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// Returns an entry of a list. Objects that are only a name are shown as the name.
fn entry(value: &Value) -> Option<String> {
    let Value::Object(map) = value else { return text(value) };
    if let (1, Some(name)) = (map.len(), map.get("name")) {
        return text(name);
    }
    let members = map.iter().filter_map(|(name, value)| Some(format!("{name}: {}", text(value)?)));
    Some(members.collect::<Vec<_>>().join("; ")).filter(|members| !members.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(member: &str, before: Option<&str>, after: Option<&str>) -> Change {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Change { member: member.to_owned(), before: owned(before), after: owned(after) }
    }

    #[test]
    fn only_what_differs_is_shown() {
        let before = json!({
            "tokenName": "a", "username": "a", "enabled": true, "owner": null, "scopes": ["x"], "rateLimit": { "requests": 5, "per": "PT1M" },
        });
        let after = json!({
            "tokenName": "b", "username": "b", "enabled": true, "owner": "ada", "scopes": [], "rateLimit": { "requests": 6, "per": "PT1M" },
        });
        let expected = [
            change("owner", None, Some("ada")),
            change("rateLimit.requests", Some("5"), Some("6")),
            change("scopes", Some("x"), None),
            change("tokenName", Some("a"), Some("b")),
        ];
        assert_eq!(between(Some(&before), Some(&after)), expected);
    }

    #[test]
    fn all_is_shown_where_one_side_is_missing() {
        let role =
            json!({ "name": "r", "description": "", "permissions": [{ "name": "ADMIN" }, { "name": "X" }] });
        let after = [change("name", None, Some("r")), change("permissions", None, Some("ADMIN, X"))];
        assert_eq!(between(None, Some(&role)), after);
        assert_eq!(between(Some(&json!({ "id": 7 })), None), [change("id", Some("7"), None)]);
        let access = json!({ "roles": [{ "roleId": 5, "userIds": [7, 8], "groupIds": [] }] });
        let after = [change("roles", None, Some("roleId: 5; userIds: 7, 8"))];
        assert_eq!(between(None, Some(&access)), after);
        assert_eq!(between(None, None), []);
    }
}
