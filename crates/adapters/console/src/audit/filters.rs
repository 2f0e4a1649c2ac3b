//! The filters of the audit trail, which are in its address under the names that the API has for them.

use latchkey_domain::Timestamp;
use latchkey_http::pages::{ApiError, Detail, EventSearchQuery, parse};
use latchkey_service::EventFilter;
use serde_json::{Map, Value};

use crate::{frame::query_pairs, paths::with_query};

/// Where the audit trail is.
pub(super) const ROOT: &str = path!("audit");
/// The filters. Their values are plain: the operator `IS:` that the API has before them is added when they are read.
const NAMES: [&str; 6] = ["query", "type", "project", "createdBy", "from", "to"];
/// Where all events can be exported.
const EXPORT: &str = "/api/admin/events/export";

/// The filters of an address.
pub(super) struct Filters {
    /// In the order of [`NAMES`], without empty ones.
    values: Vec<(&'static str, String)>,
    /// What is wrong with them.
    problems: Vec<Detail>,
}

impl Filters {
    /// Returns the filters of an address, and what they stand for: `None` if that cannot be said.
    pub(super) fn read(target: &str) -> (Self, Option<EventFilter>) {
        let pairs = query_pairs(target);
        let value = |name: &str| {
            let sent = pairs.iter().rev().find(|(sent, _)| sent == name)?;
            // No store keeps NUL, so no event has it.
            let value = sent.1.replace('\0', "");
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let values = NAMES.into_iter().filter_map(|name| Some((name, value(name)?))).collect();
        let filters = Self { values, problems: Vec::new() };
        match filters.parsed() {
            Ok(filter) => (filters, Some(filter)),
            Err(error) => (Self { problems: error.problems(), ..filters }, None),
        }
    }

    fn parsed(&self) -> Result<EventFilter, ApiError> {
        let members = self.parameters().map(|(name, value)| (name.to_owned(), Value::String(value)));
        let query: EventSearchQuery = parse(members.collect::<Map<_, _>>(), "query")?;
        let (filter, _) = query.into_parts();
        Ok(filter)
    }

    /// Returns the parameters as the API has them.
    fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.values.iter().map(|(name, value)| {
            let value = if *name == "query" { value.clone() } else { format!("IS:{value}") };
            (*name, value)
        })
    }

    /// Returns the value of a filter.
    pub(super) fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(one, _)| *one == name).map_or("", |(_, value)| value)
    }

    /// Returns whether a filter has this value.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Returns whether the field of a bound can be one for a day: an address can also have a time.
    pub(super) fn is_day(&self, name: &str) -> bool {
        self.value(name).len() <= "2030-01-31".len()
    }

    /// Returns whether anything is filtered.
    pub(super) fn is_any(&self) -> bool {
        !self.values.is_empty()
    }

    /// Returns what is wrong.
    pub(super) fn problems(&self) -> &[Detail] {
        &self.problems
    }

    /// Returns whether this filter is wrong.
    pub(super) fn is_wrong(&self, name: &str) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.path.as_deref().is_some_and(|path| path.rsplit('/').next() == Some(name)))
    }

    /// Returns the address of the page that begins there.
    pub(super) fn at(&self, offset: u64) -> String {
        let offset = (offset > 0).then(|| ("offset", offset.to_string()));
        with_query(ROOT, self.values.iter().cloned().chain(offset))
    }

    /// Returns the address with another value for one filter.
    pub(super) fn with(&self, name: &'static str, value: &str) -> String {
        let others = self.values.iter().filter(|(one, _)| *one != name).cloned();
        with_query(ROOT, others.chain([(name, value.to_owned())]))
    }

    /// Returns the address of what is newer than an event, and than a moment.
    pub(super) fn newer(&self, after: i64, since: Timestamp) -> String {
        let marks = [("after", after.to_string()), ("since", since.millis().to_string())];
        with_query(&format!("{ROOT}/new"), self.values.iter().cloned().chain(marks))
    }

    /// Returns the address of an export of all events that pass the filters.
    pub(super) fn export(&self, format: &str) -> String {
        with_query(EXPORT, std::iter::once(("format", format.to_owned())).chain(self.parameters()))
    }
}

#[cfg(test)]
mod tests {
    use latchkey_domain::EventKind;

    use super::*;

    #[test]
    fn the_filters_are_those_of_the_api() {
        let (filters, filter) = Filters::read(
            "/console/audit?type=user-created&createdBy=-42&query=a%26b&to=&from=2023-04-19&x=y",
        );
        let filter = filter.expect("good filters");
        assert_eq!((filter.kinds, filter.actors), (vec![EventKind::UserCreated], vec![-42]));
        assert_eq!((filter.text.as_deref(), filter.before), (Some("a&b"), None));
        assert_eq!(
            filters.at(50),
            "/console/audit?query=a%26b&type=user%2Dcreated&createdBy=%2D42&from=2023%2D04%2D19&offset=50"
        );
        assert_eq!(
            filters.export("csv"),
            "/api/admin/events/export?format=csv&query=a%26b&type=IS%3Auser%2Dcreated&createdBy=IS%3A%2D42&\
             from=IS%3A2023%2D04%2D19"
        );
    }

    #[test]
    fn what_is_no_filter_is_named() {
        let (filters, filter) =
            Filters::read("/console/audit?type=nothing&createdBy=ada&from=soon&project=a%00");
        assert_eq!(filter, None);
        assert_eq!(filters.problems().len(), 3);
        assert!(["type", "createdBy", "from"].iter().all(|name| filters.is_wrong(name)));
        assert!(!filters.is_wrong("project") && filters.is("project", "a"));
    }
}
