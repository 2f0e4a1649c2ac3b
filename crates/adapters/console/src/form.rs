//! Forms: how what a browser sends becomes the body that the API reads, so that a member has one declaration and one set of rules.
//!
//! The name of a field says how it is read: `tokenName` is text; `rateLimit.requests` is a member of an object; `projects[]` is a
//! list, of every field of that name and every line of each; `enabled:flag` is a boolean, of which the last one sent counts;
//! `rateLimit.requests:number` is a number; `metadata:json` is JSON. An empty field is absent, or null in a patch.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use deserr::Deserr;
use latchkey_http::{
    Sender,
    pages::{ApiError, Detail, Problems, RawBody, parse},
};
use latchkey_service::Rule;
use serde_json::{Map, Value};

use crate::{problem, words::Words};

/// How a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    List,
    Flag,
    Number,
    Json,
}

/// What an empty field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// Nothing was said.
    Absent,
    /// The member is to be removed.
    Null,
}

/// What a browser sent, or what a form begins with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    values: Vec<(String, String)>,
    /// By the place of a member, such as `rateLimit.requests`.
    problems: BTreeMap<String, String>,
    /// What is wrong with all of it.
    general: Option<String>,
}

impl Form {
    /// Reads what a browser sent.
    ///
    /// # Errors
    /// As [`RawBody::form`].
    pub(crate) async fn read(body: RawBody) -> Result<Self, ApiError> {
        Self::sent(body.form(Sender::Authenticated).await?)
    }

    /// As [`Form::read`], from a browser in which no user has signed in.
    pub(crate) async fn read_from_anyone(body: RawBody) -> Result<Self, ApiError> {
        Self::sent(body.form(Sender::Anyone).await?)
    }

    fn sent(values: Vec<(String, String)>) -> Result<Self, ApiError> {
        if let Some((name, _)) =
            values.iter().find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            let name = name.replace('\0', "");
            let problem = Rule::named("nul").says("A field must not contain NUL.");
            return Err(ApiError::BadInput(vec![Detail::of_field(&name, problem)]));
        }
        // Browsers send every end of a line as two characters.
        let values = values.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect();
        Ok(Self { values, ..Self::default() })
    }

    /// Returns a form that begins with these values.
    pub(crate) fn of<'v>(values: impl IntoIterator<Item = (&'v str, String)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { values, ..Self::default() }
    }

    /// Returns the last value of a field; empty if there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.iter().rev().find(|(sent, _)| sent == name).map_or("", |(_, value)| value)
    }

    /// Gives a field one value, in place of those that it has.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.retain(|(sent, _)| sent != name);
        self.add(name, value);
    }

    /// Gives a field one value more.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Says what is wrong with all of it.
    pub(crate) fn refuse(&mut self, problem: String) {
        self.general = Some(problem);
    }

    /// Returns the names and values, for a digest of the form. What is only for the form itself is left out.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        let own = self.values.iter().filter(|(name, _)| name != "_key" && name != "_seen");
        own.flat_map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes(), b"\0"])
    }

    /// Returns every value of a field.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.values.iter().filter(move |(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether a field has this value among its own.
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|sent| sent == value)
    }

    /// Returns whether any of these fields is filled.
    pub(crate) fn is_any_filled<const N: usize>(&self, names: &[&str; N]) -> bool {
        names.iter().any(|name| !self.value(name).is_empty())
    }

    /// Returns what is wrong with a field.
    pub(crate) fn problem(&self, name: &str) -> Option<&str> {
        self.problems.get(member_of(name).0).map(String::as_str)
    }

    /// Returns what is wrong with all of it, or with members that have no field.
    pub(crate) fn general(&self) -> Option<&str> {
        self.general.as_deref()
    }

    /// Returns the members of the body that the fields stand for. Fields whose names begin with `_` are the form's own.
    pub(crate) fn members(&self, empty: Empty) -> Map<String, Value> {
        let mut members = Map::new();
        for (name, value) in self.values.iter().filter(|(name, _)| !name.starts_with('_')) {
            let (place, kind) = member_of(name);
            let value = match (kind, value.trim()) {
                (Kind::List, text) => {
                    let entries = text.lines().map(str::trim).filter(|line| !line.is_empty());
                    Some(Value::Array(entries.map(Value::from).collect()))
                }
                (_, "") => (empty == Empty::Null).then_some(Value::Null),
                (Kind::Text, _) => Some(Value::from(value.as_str())),
                (Kind::Flag, text) => Some(Value::from(text == "true")),
                // What is no number or no JSON is refused where the member is read.
                (Kind::Number | Kind::Json, text) => {
                    Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
                }
            };
            if let Some(value) = value {
                insert(&mut members, place, value);
            }
        }
        if empty == Empty::Null {
            members.values_mut().for_each(null_if_all_are);
        }
        members
    }

    /// Reads the body of the API that the fields stand for. Empty ones are absent.
    ///
    /// # Errors
    /// [`ApiError::BadInput`], with every problem of every member.
    pub(crate) fn body<T: Deserr<Problems>>(&self) -> Result<T, ApiError> {
        Ok(parse(self.members(Empty::Absent), "body")?)
    }

    /// Returns the form with what is wrong with it, in these words, to be shown again, and the status of the response.
    ///
    /// # Errors
    /// The error itself, if it is not about what was sent.
    pub(crate) fn with_problems(
        mut self,
        words: &Words,
        error: ApiError,
    ) -> Result<(StatusCode, Self), ApiError> {
        let (status, _) = error.kind();
        let is_about_input =
            [StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]
                .contains(&status);
        if !is_about_input {
            return Err(error);
        }
        let mut others = Vec::new();
        for problem in problem::all_of(words, &error) {
            let place = problem.path.as_deref().and_then(|path| path.strip_prefix("/body/")).map(dotted);
            let field = place.and_then(|place| self.nearest(&place));
            match field {
                Some(field) => {
                    self.problems.entry(field).or_insert(problem.text);
                }
                None => others.push(problem.with_its_member()),
            }
        }
        self.general = (!others.is_empty()).then(|| others.join(" "));
        Ok((status, self))
    }

    /// Returns the place of the field that stands for this member or for what holds it.
    fn nearest(&self, place: &str) -> Option<String> {
        let mut place = place;
        loop {
            if self.values.iter().any(|(name, _)| member_of(name).0 == place) {
                return Some(place.to_owned());
            }
            place = place.rsplit_once('.')?.0;
        }
    }
}

/// Returns a JSON pointer within a body as the names of fields have it.
fn dotted(pointer: &str) -> String {
    pointer.replace('/', ".")
}

/// Returns the place of the member that a field stands for, and how the field is read.
fn member_of(name: &str) -> (&str, Kind) {
    if let Some(place) = name.strip_suffix("[]") {
        return (place, Kind::List);
    }
    match name.rsplit_once(':') {
        Some((place, "flag")) => (place, Kind::Flag),
        Some((place, "number")) => (place, Kind::Number),
        Some((place, "json")) => (place, Kind::Json),
        _ => (name, Kind::Text),
    }
}

/// Puts a value at its place. Lists of the same place are joined.
fn insert(members: &mut Map<String, Value>, place: &str, value: Value) {
    let Some((first, rest)) = place.split_once('.') else {
        match (members.get_mut(place), value) {
            (Some(Value::Array(entries)), Value::Array(more)) => entries.extend(more),
            (_, value) => drop(members.insert(place.to_owned(), value)),
        }
        return;
    };
    let inner = members.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// An object that was left empty in a patch is to be removed as a whole.
fn null_if_all_are(value: &mut Value) {
    if let Value::Object(members) = value {
        members.values_mut().for_each(null_if_all_are);
        if members.values().all(Value::is_null) {
            *value = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(values: &[(&'static str, &str)], empty: Empty) -> Value {
        Value::Object(
            Form::of(values.iter().map(|(name, value)| (*name, (*value).to_owned()))).members(empty),
        )
    }

    #[test]
    fn the_name_of_a_field_says_how_it_is_read() {
        let sent = [
            ("_key", "1"),
            ("tokenName", " shop "),
            ("owner", ""),
            ("projects[]", "a\n\n b "),
            ("projects[]", "c"),
            ("enabled:flag", "false"),
            ("enabled:flag", "true"),
            ("rateLimit.requests:number", "10"),
            ("rateLimit.per", "PT1M"),
            ("metadata:json", "{\"a\": 1}"),
        ];
        let expected = json!({
            "tokenName": " shop ", "projects": ["a", "b", "c"], "enabled": true,
            "rateLimit": { "requests": 10, "per": "PT1M" }, "metadata": { "a": 1 },
        });
        assert_eq!(members(&sent, Empty::Absent), expected);
    }

    #[test]
    fn an_empty_field_of_a_patch_removes_its_member() {
        let sent =
            [("owner", ""), ("scopes[]", ""), ("uses.remaining:number", ""), ("uses.refill.every", "")];
        let expected = json!({ "owner": null, "scopes": [], "uses": null });
        assert_eq!(members(&sent, Empty::Null), expected);
    }

    #[test]
    fn a_problem_is_shown_at_its_field_or_at_what_holds_it() {
        let form = Form::of([("rateLimit.per", String::new()), ("scopes[]", String::new())]);
        let details = vec![
            Detail::of_field("rateLimit/per", "one"),
            Detail::of_field("scopes/3", "two"),
            Detail::of_field("other", "three"),
        ];
        let [english, _] = Words::all() else { panic!("two languages") };
        let (status, form) =
            form.with_problems(english, ApiError::BadInput(details)).expect("about what was sent");
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!((form.problem("rateLimit.per"), form.problem("scopes[]")), (Some("one"), Some("two")));
        assert_eq!(form.general(), Some("three"));
    }
}
