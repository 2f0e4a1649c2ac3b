//! Reading the parameters of a query, one by one, and collecting every problem with them before anything is said.
//! Parameters that nobody asks for are passed over, as in the reference.

use actix_web::{HttpRequest, web};
use latchkey_domain::Timestamp;
use latchkey_ports::Page;

use crate::{error_body::Detail, failure::Failure, moments};

/// The parameters of a query, and the problems found so far.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    problems: Vec<Detail>,
}

impl Query {
    /// The parameters of a request. Of a repeated one, the last counts.
    ///
    /// # Errors
    /// [`Failure::BadInput`] where the query cannot be read.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Failure> {
        if request.query_string().is_empty() {
            return Ok(Self { pairs: Vec::new(), problems: Vec::new() });
        }
        let unreadable = || Failure::BadInput(vec![Detail::of_query("", "The query cannot be read.")]);
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_| unreadable())?.into_inner();
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
            let problem = Detail::of_query(name, "This parameter must not contain NUL.");
            return Err(Failure::BadInput(vec![problem]));
        }
        Ok(Self { pairs, problems: Vec::new() })
    }

    /// Whether any of these parameters is there.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        self.pairs.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    /// A parameter as it is; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// The names of all parameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// Every value of a parameter, empty ones too.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
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

    /// A moment.
    pub(crate) fn moment(&mut self, name: &str) -> Option<Timestamp> {
        self.read(name, |text| {
            moments::read(text).ok_or_else(|| {
                format!("{name} must be a moment as RFC 3339 writes it, such as 2030-01-31T12:00:00Z.")
            })
        })
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
    /// [`Failure::BadInput`] with every problem found.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Failure> {
        if self.problems.is_empty() { Ok(value) } else { Err(Failure::BadInput(self.problems)) }
    }
}
