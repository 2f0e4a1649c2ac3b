//! The problems that are found while a body or a query is read.

use std::ops::ControlFlow;

use deserr::{
    DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, Sequence, Value, ValueKind,
    ValuePointerRef as Location,
};
use latchkey_service::{Message, Rule};
use serde_json::{Map, Value as Json};

use super::spelling::{meant, not_known};
use crate::{error::ApiError, error_body::Detail};

/// The most entries of a list in a body.
pub(crate) const MAX_ENTRIES: usize = 1_000;
/// The most problems in one response, which would otherwise be many times longer than a body of bad entries.
const MAX_PROBLEMS: usize = 100;

/// The problems found so far. Reading goes on after one is found, so that all of them are reported at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Detail>);

impl Problems {
    /// Returns one problem at a place in what was sent.
    pub(crate) fn at(place: Location<'_>, message: impl Into<Message>) -> Self {
        Self(vec![Detail { message: message.into(), path: Some(pointer(place)) }])
    }

    /// Adds a problem, unless there are as many as are reported.
    pub(crate) fn push(&mut self, detail: Detail) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(detail);
        }
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds other problems.
    pub(crate) fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|detail| self.push(detail));
    }

    /// Returns the problems of an entry of a list, whose place they have in that of the body.
    pub(crate) fn in_entry(self, list: &str, index: usize) -> Self {
        let moved = self.0.into_iter().map(|detail| detail.in_entry(list, index));
        Self(moved.collect())
    }

    /// Returns the value that was read, unless there are problems: these, or those that were found in reading it.
    pub(crate) fn or_value<T>(mut self, read: Result<T, Self>) -> Result<T, Self> {
        match read {
            Ok(value) if self.is_empty() => return Ok(value),
            Ok(_) => {}
            Err(others) => self.extend(others),
        }
        Err(self)
    }
}

impl From<Detail> for Problems {
    fn from(detail: Detail) -> Self {
        Self(vec![detail])
    }
}

/// The problems are sorted by their place, so that their order does not depend on how they were found.
impl From<Problems> for ApiError {
    fn from(Problems(mut details): Problems) -> Self {
        details.sort_by(|one, other| one.path.cmp(&other.path));
        Self::BadInput(details)
    }
}

impl MergeWithError<Self> for Problems {
    fn merge(found: Option<Self>, other: Self, _: Location<'_>) -> ControlFlow<Self, Self> {
        let mut found = found.unwrap_or_default();
        found.extend(other);
        if found.0.len() < MAX_PROBLEMS { ControlFlow::Continue(found) } else { ControlFlow::Break(found) }
    }
}

impl DeserializeError for Problems {
    fn error<V: IntoValue>(
        found: Option<Self>,
        error: ErrorKind<'_, V>,
        place: Location<'_>,
    ) -> ControlFlow<Self, Self> {
        let name = name(place);
        let problem = match error {
            ErrorKind::IncorrectValueKind { actual, accepted } => {
                wrong_kind(place, &one_of(accepted), actual.kind())
            }
            ErrorKind::MissingField { field } => Self::at(place.push_key(field), required(field)),
            ErrorKind::UnknownKey { key, accepted } => {
                Self::at(place.push_key(key), not_known(key, meant(key, accepted.iter().copied())))
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                let values = accepted.join(", ");
                let text = format!("{name} must be one of {values}.");
                Self::at(place, Rule::named("one-of").with("values", values).says(text))
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                Self::at(place, format!("{name} must have {expected} entries."))
            }
            // deserr reports a number that is out of the bounds of its type, or otherwise no whole number, this way.
            ErrorKind::Unexpected { .. } => {
                let text = format!("{name} must be a whole number within its bounds.");
                Self::at(place, Rule::named("whole-number").says(text))
            }
        };
        Self::merge(found, problem, place)
    }
}

/// Returns the problem that a value is of the wrong kind.
pub(crate) fn wrong_kind(place: Location<'_>, accepted: &str, actual: ValueKind) -> Problems {
    // As the name of a choice in a catalogue of words.
    let rule = Rule::named("wrong-kind").with("accepted", accepted.replace(' ', "-"));
    Problems::at(place, rule.says(format!("{} must be {accepted}, not {}.", name(place), kind_name(actual))))
}

/// Returns the message about a member that is missing.
pub(crate) fn required(name: &str) -> Message {
    Rule::named("required").with("name", name).says(format!("{name} is required."))
}

/// Reads a value from the members of an object, which are at `root` in the request: `body`, `query` or `headers`.
///
/// # Errors
/// Every problem of every member.
pub fn parse<T: Deserr<Problems>>(members: Map<String, Json>, root: &str) -> Result<T, Problems> {
    T::deserialize_from_value(Value::<Json>::Map(members), Location::Origin.push_key(root))
}

/// A list in a body, of at most 1,000 entries.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Deserr<Problems>> Deserr<Problems> for List<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let entries = match value {
            Value::Sequence(entries) => entries,
            other => return Err(wrong_kind(place, "a list", other.kind())),
        };
        let count = entries.len();
        if count > MAX_ENTRIES {
            let text = format!("{} may have at most {MAX_ENTRIES} entries, not {count}.", name(place));
            let rule = Rule::named("too-many").with("max", MAX_ENTRIES).with("actual", count);
            return Err(Problems::at(place, rule.says(text)));
        }
        let entries = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| T::deserialize_from_value(entry.into_value(), place.push_index(index)));
        entries.collect::<Result<_, _>>().map(Self)
    }
}

/// Returns the name by which messages call a place: its last member, or the body or query as a whole.
pub(crate) fn name(place: Location<'_>) -> String {
    match place {
        Location::Key { key, prev: Location::Origin } => format!("The {key}"),
        Location::Key { key, .. } => key.to_owned(),
        Location::Index { prev, .. } => format!("Each entry of {}", name(*prev)),
        Location::Origin => "The request".to_owned(),
    }
}

/// Returns the place as a JSON pointer. A bad entry is reported at its list, and so are the members of an entry.
fn pointer(place: Location<'_>) -> String {
    match place {
        Location::Origin => String::new(),
        Location::Key { key, prev } if !is_in_entry(*prev) => format!("{}/{key}", pointer(*prev)),
        Location::Key { prev, .. } | Location::Index { prev, .. } => pointer(*prev),
    }
}

fn is_in_entry(place: Location<'_>) -> bool {
    match place {
        Location::Origin => false,
        Location::Key { prev, .. } => is_in_entry(*prev),
        Location::Index { .. } => true,
    }
}

fn one_of(kinds: &[ValueKind]) -> String {
    let mut names: Vec<_> = kinds.iter().map(|kind| kind_name(*kind)).collect();
    names.dedup();
    names.join(" or ")
}

/// Returns how messages call a kind of JSON value.
pub(crate) fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "a boolean",
        ValueKind::Integer | ValueKind::NegativeInteger => "a whole number",
        ValueKind::Float => "a number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "a JSON object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserr)]
    #[deserr(error = Problems)]
    struct UsersBody {
        users: List<u8>,
    }

    #[test]
    fn a_bad_entry_is_reported_at_its_list() {
        let read = |users| parse::<UsersBody>(Map::from_iter([("users".to_owned(), users)]), "body");
        assert_eq!(read(json!([1, 2])).expect("a list").users.0, [1, 2]);
        let Problems(details) = read(json!([1, "x"])).expect_err("a string");
        let message = "Each entry of users must be a whole number, not a string.";
        assert_eq!(details, [Detail::of_field("users", message)]);
    }
}
