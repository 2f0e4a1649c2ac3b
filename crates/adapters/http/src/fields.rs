//! Reading the members of a body, one by one, and collecting every problem with them before anything is said.

use std::collections::HashSet;

use latchkey_domain::{
    EnvironmentScope, InvalidName, ProjectId, ProjectScope, ProjectSet, RoleId, Timestamp,
};
use latchkey_service::RoleReference;
use serde_json::{Map, Value};

use crate::{error_body::Detail, failure::Failure, moments};

/// The most entries of a list. Nobody has that many roles to give, and each is looked at.
const MAX_ENTRIES: usize = 1_000;
/// The most problems that are told at once: a body of bad entries is not answered with one that is many times longer.
const MAX_PROBLEMS: usize = 100;

/// The members of a body, and the problems found so far.
pub(crate) struct Fields {
    members: Map<String, Value>,
    problems: Vec<Detail>,
}

impl Fields {
    /// The members of a JSON object.
    ///
    /// # Errors
    /// [`Failure::BadInput`] where the body is no object.
    pub(crate) fn of(body: Value) -> Result<Self, Failure> {
        match body {
            Value::Object(members) => Ok(Self { members, problems: Vec::new() }),
            other => {
                let message = format!("The body must be a JSON object, not {}.", kind_of(&other));
                Err(Failure::BadInput(vec![Detail::of_body(message)]))
            }
        }
    }

    /// The value, if no problem was found in any member.
    ///
    /// # Errors
    /// [`Failure::BadInput`] with every problem found.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Failure> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Failure::BadInput(self.problems)),
        }
    }

    pub(crate) fn problem(&mut self, detail: Detail) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(detail);
        }
    }

    /// As a problem each member that is none of these, where a body may have no other.
    pub(crate) fn refuse_others(&mut self, known: &[&str]) {
        let others = self.members.keys().filter(|name| !known.contains(&name.as_str()));
        let others: Vec<_> = others.take(MAX_PROBLEMS).cloned().collect();
        for name in others {
            self.problem(Detail::of_field(&name, format!("{name} is not known here: leave it out.")));
        }
    }

    /// As a problem where a member is an empty list.
    pub(crate) fn refuse_empty(&mut self, field: &str, message: &str) {
        if self.members.get(field).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            self.problem(Detail::of_field(field, message));
        }
    }

    /// Whether both are there, which is noted as a problem.
    fn both(&mut self, one: &str, other: &str) -> bool {
        let both = self.members.contains_key(one) && self.members.contains_key(other);
        if both {
            self.problem(Detail::of_field(other, format!("Send {one} or {other}, not both.")));
        }
        both
    }

    /// A member that is a string; a member of another type is a problem.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.members.get(field)? {
            Value::String(text) => Some(text.clone()),
            other => {
                let message = format!("{field} must be a string, not {}.", kind_of(other));
                self.problem(Detail::of_field(field, message));
                None
            }
        }
    }

    /// A member that is a string and has to be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.members.contains_key(field) {
            self.problem(Detail::of_field(field, format!("{field} is required.")));
        }
        let text = self.text(field)?;
        self.read(field, &text, read)
    }

    /// A member that is a string with a rule; `null` and absence are both "none".
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.nullable(field)?;
        let text = self.text(field)?;
        self.read(field, &text, read)
    }

    /// Whether a member is there and is not `null`.
    fn nullable(&self, field: &str) -> Option<&Value> {
        self.members.get(field).filter(|value| !value.is_null())
    }

    /// A member that is a boolean; `null` and absence are both "none".
    pub(crate) fn boolean(&mut self, field: &str) -> Option<bool> {
        let value = self.nullable(field)?;
        let found = value.as_bool();
        if found.is_none() {
            let message = format!("{field} must be true or false, not {}.", kind_of(value));
            self.problem(Detail::of_field(field, message));
        }
        found
    }

    /// A member that is a whole number; `null` and absence are both "none".
    pub(crate) fn integer<T: TryFrom<i64>>(&mut self, field: &str) -> Option<T> {
        let value = self.nullable(field)?;
        let found = value.as_i64().and_then(|number| T::try_from(number).ok());
        if found.is_none() {
            let message = format!("{field} must be a whole number within its bounds, not {value}.");
            self.problem(Detail::of_field(field, message));
        }
        found
    }

    /// A member that is a list, each entry read by itself; `null` and absence are both "none".
    pub(crate) fn list<T>(
        &mut self,
        field: &str,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let entries = match self.nullable(field)? {
            Value::Array(entries) if entries.len() > MAX_ENTRIES => {
                Err(format!("{field} may have at most {MAX_ENTRIES} entries, not {}.", entries.len()))
            }
            Value::Array(entries) => entries.iter().map(read).collect::<Result<Vec<_>, _>>(),
            other => Err(format!("{field} must be a list, not {}.", kind_of(other))),
        };
        entries.map_err(|message| self.problem(Detail::of_field(field, message))).ok()
    }

    /// A role, by its id (a whole number, also as text) or its name.
    pub(crate) fn role(&mut self, field: &str) -> Option<RoleReference> {
        let value = self.nullable(field)?;
        let found = role_reference(value);
        if found.is_none() {
            let message = format!("{field} must be the id or the name of a role, not {}.", kind_of(value));
            self.problem(Detail::of_field(field, message));
        }
        found
    }

    /// As a problem where a member that has to be there is absent or `null`.
    pub(crate) fn need(&mut self, field: &str) {
        if self.nullable(field).is_none() {
            self.problem(Detail::of_field(field, format!("{field} is required.")));
        }
    }

    fn read<T>(
        &mut self,
        field: &str,
        text: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        read(text).map_err(|message| self.problem(Detail::of_field(field, message))).ok()
    }

    /// A name that goes by either of two members, of which one has to be there.
    pub(crate) fn named<T>(
        &mut self,
        field: &'static str,
        old_field: &'static str,
        read: impl FnOnce(&str) -> Result<T, InvalidName>,
    ) -> Option<T> {
        if self.both(field, old_field) {
            return None;
        }
        let field = if self.members.contains_key(old_field) { old_field } else { field };
        self.required(field, |text| read(text).map_err(|error| format!("The {error}.")))
    }

    /// `environment`: a name, or `*` for all.
    pub(crate) fn environment(&mut self) -> Option<EnvironmentScope> {
        let text = self.text("environment")?;
        if text == "*" {
            return Some(EnvironmentScope::All);
        }
        let name = text.parse();
        name.map_err(|error| self.problem(Detail::of_name("environment", &error)))
            .ok()
            .map(EnvironmentScope::Only)
    }

    /// `project`, or `projects`; `*` in either is all. An empty list counts as absent.
    pub(crate) fn projects(&mut self) -> Option<ProjectScope> {
        if self.both("projects", "project") {
            return None;
        }
        let ids = match self.members.get("projects") {
            None => vec![self.text("project").map(|text| ("project", text))?],
            Some(Value::Array(entries)) => {
                let texts: Option<Vec<_>> =
                    entries.iter().map(|entry| Some(("projects", entry.as_str()?.to_owned()))).collect();
                if texts.is_none() {
                    self.problem(Detail::of_field("projects", "projects must be a list of strings."));
                }
                texts?
            }
            Some(other) => {
                let message = format!("projects must be a list of strings, not {}.", kind_of(other));
                self.problem(Detail::of_field("projects", message));
                return None;
            }
        };
        self.scope(&ids)
    }

    fn scope(&mut self, ids: &[(&'static str, String)]) -> Option<ProjectScope> {
        if ids.iter().any(|(_, id)| id == "*") {
            return Some(ProjectScope::All);
        }
        let mut projects = Vec::with_capacity(ids.len());
        let mut named = HashSet::with_capacity(ids.len());
        for (field, id) in ids {
            match ProjectId::new(id) {
                Ok(_) if !named.insert(id) => {
                    self.problem(Detail::of_field(field, format!("{field} names \"{id}\" twice.")));
                }
                Ok(id) => projects.push(id),
                Err(error) => self.problem(Detail::of_name(field, &error)),
            }
        }
        ProjectSet::new(projects).ok().map(ProjectScope::Only)
    }

    /// A moment; `null` and absence are both "none".
    pub(crate) fn moment(&mut self, field: &str) -> Option<Timestamp> {
        if self.members.get(field).is_some_and(Value::is_null) {
            return None;
        }
        let text = self.text(field)?;
        self.read(field, &text, |text| {
            moments::read(text).ok_or_else(|| {
                format!("{field} must be a moment as RFC 3339 writes it, such as 2030-01-31T12:00:00Z.")
            })
        })
    }
}

/// A role as a body names it.
pub(crate) fn role_reference(value: &Value) -> Option<RoleReference> {
    match value {
        Value::Number(number) => number.as_i64().map(|id| RoleReference::Id(RoleId(id))),
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(match text.parse() {
            Ok(id) => RoleReference::Id(RoleId(id)),
            Err(_) => RoleReference::Name(text.clone()),
        }),
        _ => None,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
