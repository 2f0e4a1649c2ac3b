//! Reading the members of a body, one by one, and collecting every problem with them before anything is said.

use actix_web::{HttpRequest, web};
use latchkey_ports::Page;
use serde_json::{Map, Value};

use crate::{error::ApiError, error_body::Detail};

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
    /// [`ApiError::BadInput`] where the body is no object.
    pub(crate) fn of(body: Value) -> Result<Self, ApiError> {
        match body {
            Value::Object(members) => Ok(Self { members, problems: Vec::new() }),
            other => {
                let message = format!("The body must be a JSON object, not {}.", kind_of(&other));
                Err(ApiError::BadInput(vec![Detail::of_body(message)]))
            }
        }
    }

    /// The value, if no problem was found in any member.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] with every problem found.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, ApiError> {
        self.problems.sort_by(|one, other| one.path.cmp(&other.path));
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ApiError::BadInput(self.problems)),
        }
    }

    pub(crate) fn problem(&mut self, detail: Detail) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(detail);
        }
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

/// The parameters of a query, and the problems found so far.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    problems: Vec<Detail>,
}

impl Query {
    /// The parameters of a request. Of a repeated one, the last counts.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] where the query cannot be read.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        if request.query_string().is_empty() {
            return Ok(Self { pairs: Vec::new(), problems: Vec::new() });
        }
        let unreadable = || ApiError::BadInput(vec![Detail::of_query("", "The query cannot be read.")]);
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_| unreadable())?.into_inner();
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
            let problem = Detail::of_query(name, "This parameter must not contain NUL.");
            return Err(ApiError::BadInput(vec![problem]));
        }
        Ok(Self { pairs, problems: Vec::new() })
    }

    /// A parameter as it is; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// A parameter with a rule; the message says what to change.
    pub(crate) fn read<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let value = self.text(name)?;
        read(&value).map_err(|message| self.problem(name, message)).ok()
    }

    /// A whole number that is not negative.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        self.read(name, |text| {
            text.parse().map_err(|_| format!("{name} must be a whole number, such as 100."))
        })
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        self.read(name, |text| text.parse().map_err(|_| format!("{name} must be true or false.")))
    }

    /// `limit` and `offset`.
    pub(crate) fn page(&mut self) -> Page {
        Page { limit: self.number("limit"), offset: self.number("offset").unwrap_or(0) }
    }

    /// Notes a problem with a parameter.
    pub(crate) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Detail::of_query(name, message));
    }

    /// The value, if no problem was found in any parameter.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] with every problem found.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, ApiError> {
        if self.problems.is_empty() { Ok(value) } else { Err(ApiError::BadInput(self.problems)) }
    }
}
