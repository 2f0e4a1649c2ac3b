//! The filters and the page of a list of events.

use std::num::IntErrorKind;

use chrono::{Days, NaiveDate, NaiveTime};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{EventKind, ProjectId, Timestamp, UnknownEventKind};
use latchkey_ports::Page;
use latchkey_service::{AuditTrail, EventFilter, Message, Rule};
use utoipa::IntoParams;

use super::export_format::ExportFormat;
use crate::{
    extract::{
        Problems,
        text::{self, FromText, text_members},
    },
    wire_time,
};

/// How many events a list returns by default, as in Unleash.
const DEFAULT_LIST: u32 = 100;
/// How many events a search returns by default, as in Unleash.
const DEFAULT_SEARCH: u32 = 50;

/// The filter and the page of the list of all events.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events of this project.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    project: Option<ProjectId>,
    /// The maximum number of events to return: 100 by default, at most 1,000. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "20", pattern = "^[^\\u0000]*$")]
    limit: Lenient,
    /// The number of events to skip. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "0", pattern = "^[^\\u0000]*$")]
    offset: Lenient,
}

impl EventsQuery {
    /// Returns the filter and the page.
    pub(crate) fn into_parts(self) -> (EventFilter, Page) {
        let filter = EventFilter { projects: self.project.into_iter().collect(), ..EventFilter::default() };
        (filter, page(self.limit, self.offset, DEFAULT_LIST))
    }
}

/// The page of the list of a project's events.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProjectEventsQuery {
    /// The maximum number of events to return: 100 by default, at most 1,000. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "20", pattern = "^[^\\u0000]*$")]
    limit: Lenient,
    /// The number of events to skip. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "0", pattern = "^[^\\u0000]*$")]
    offset: Lenient,
}

impl From<ProjectEventsQuery> for Page {
    fn from(ProjectEventsQuery { limit, offset }: ProjectEventsQuery) -> Self {
        page(limit, offset, DEFAULT_LIST)
    }
}

/// The filters and the page of a search. An event has to match all filters.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct EventSearchQuery {
    /// The types of events.
    #[deserr(default, rename = "type")]
    #[param(value_type = Option<String>, rename = "type", example = "IS_ANY_OF:api-token-created,api-token-deleted", pattern = "^(IS|IS_ANY_OF):[a-z, -]+$")]
    kinds: AnyOf<EventKind>,
    /// The projects of the events.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:web-shop", pattern = "^(IS|IS_ANY_OF):[A-Za-z0-9_~., -]+$")]
    project: AnyOf<ProjectId>,
    /// The ids of the users that caused the events; -42 for admin tokens, -1337 for the system.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:1", pattern = "^(IS|IS_ANY_OF):[0-9, -]+$")]
    created_by: AnyOf<ActorId>,
    /// Text in the data of the events, in any case of letters. It is looked for in the newest 100,000 events that match the other
    /// filters.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web shop", pattern = "^[^\\u0000]*$")]
    query: Option<String>,
    /// The first day (UTC), or the first point in time.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:2023-04-01")]
    from: Start,
    /// The last day (UTC), or the last point in time.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:2023-04-30")]
    to: End,
    /// The maximum number of events to return: 50 by default, at most 1,000. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "20", pattern = "^[^\\u0000]*$")]
    limit: Lenient,
    /// The number of events to skip. Text that is no number counts as absent.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "0", pattern = "^[^\\u0000]*$")]
    offset: Lenient,
}

impl EventSearchQuery {
    /// Returns the filter and the page.
    #[must_use]
    pub fn into_parts(self) -> (EventFilter, Page) {
        let Self { kinds, project, created_by, query, from, to, limit, offset } = self;
        (filter(kinds, project, created_by, query, (from, to)), page(limit, offset, DEFAULT_SEARCH))
    }
}

/// The format and the filters of an export. An event has to match all filters.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct EventExportQuery {
    /// `csv`, or `jsonl` for a JSON object in each line.
    #[param(value_type = String, example = "csv", pattern = "^(csv|jsonl)$")]
    format: ExportFormat,
    /// The types of events.
    #[deserr(default, rename = "type")]
    #[param(value_type = Option<String>, rename = "type", example = "IS_ANY_OF:api-token-created,api-token-deleted", pattern = "^(IS|IS_ANY_OF):[a-z, -]+$")]
    kinds: AnyOf<EventKind>,
    /// The projects of the events.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:web-shop", pattern = "^(IS|IS_ANY_OF):[A-Za-z0-9_~., -]+$")]
    project: AnyOf<ProjectId>,
    /// The ids of the users that caused the events; -42 for admin tokens, -1337 for the system.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:1", pattern = "^(IS|IS_ANY_OF):[0-9, -]+$")]
    created_by: AnyOf<ActorId>,
    /// Text in the data of the events, in any case of letters. The export ends where none of the next 100,000 events that match the
    /// other filters has it.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web shop", pattern = "^[^\\u0000]*$")]
    query: Option<String>,
    /// The first day (UTC), or the first point in time.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:2023-04-01")]
    from: Start,
    /// The last day (UTC), or the last point in time.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "IS:2023-04-30")]
    to: End,
}

impl EventExportQuery {
    /// Returns the format and the filter.
    pub(crate) fn into_parts(self) -> (ExportFormat, EventFilter) {
        let Self { format, kinds, project, created_by, query, from, to } = self;
        (format, filter(kinds, project, created_by, query, (from, to)))
    }
}

impl FromText for ExportFormat {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse().map_err(|_| format!("{name} must be csv or jsonl.").into())
    }
}

text_members!(EventKind, ExportFormat);

fn filter(
    kinds: AnyOf<EventKind>,
    projects: AnyOf<ProjectId>,
    actors: AnyOf<ActorId>,
    text: Option<String>,
    (from, to): (Start, End),
) -> EventFilter {
    let actors = actors.0.into_iter().map(|ActorId(id)| id).collect();
    EventFilter { kinds: kinds.0, projects: projects.0, actors, from: from.0, before: to.0, text }
}

fn page(Lenient(limit): Lenient, Lenient(offset): Lenient, default: u32) -> Page {
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(default.into());
    let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(AuditTrail::MAX);
    Page { limit: Some(limit), offset: offset.unwrap_or(0) }
}

/// A whole number. As in Unleash, other text counts as absent, and a number that is too large as the largest.
#[derive(Debug, Clone, Copy, Default)]
struct Lenient(Option<u64>);

impl FromText for Lenient {
    fn from_text(text: &str, _: &str) -> Result<Self, Message> {
        Ok(Self(match text.parse::<u64>() {
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(u64::MAX),
            number => number.ok(),
        }))
    }
}

/// The values after an operator: one after `IS:`, several after `IS_ANY_OF:`.
#[derive(Debug)]
struct AnyOf<T>(Vec<T>);

impl<T> Default for AnyOf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromText> FromText for AnyOf<T> {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        let values: Vec<&str> = match text.split_once(':') {
            Some(("IS", value)) => vec![value],
            Some(("IS_ANY_OF", values)) => values.split(',').map(str::trim).collect(),
            _ => return Err(format!("{name} must have the form IS:value or IS_ANY_OF:one,other.").into()),
        };
        values.into_iter().map(|value| T::from_text(value, name)).collect::<Result<_, _>>().map(Self)
    }
}

impl<T: FromText> Deserr<Problems> for AnyOf<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        text::read(value, place)
    }
}

impl FromText for EventKind {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse()
            .map_err(|error: UnknownEventKind| Rule::named("event-kind").says(format!("{name}: {error}.")))
    }
}

/// The id of the user that caused an event.
#[derive(Debug)]
struct ActorId(i64);

impl FromText for ActorId {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse().map(Self).map_err(|_| {
            Rule::named("user-id").says(format!("{name} must have the ids of users, such as IS:7."))
        })
    }
}

/// The start of the time that is searched.
type Start = Bound<false>;
/// The end of the time that is searched.
type End = Bound<true>;

/// A bound of the time that is searched. The text is the first or last day (UTC) or point in time of the result; the value is
/// inclusive for a start and exclusive for an end, and `None` if it is out of range.
#[derive(Debug, Default)]
struct Bound<const IS_END: bool>(Option<Timestamp>);

impl<const IS_END: bool> FromText for Bound<IS_END> {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        let value = text.strip_prefix("IS:").unwrap_or(text);
        if let Some(day) = day(value) {
            let day = if IS_END { day.checked_add_days(Days::new(1)) } else { Some(day) };
            let start = day.and_then(|day| Timestamp::new(day.and_time(NaiveTime::MIN).and_utc()).ok());
            return Ok(Self(start));
        }
        let time = wire_time::parse(value).ok_or_else(|| {
            let text = format!(
                "{name} must be a day, such as IS:2030-01-31, or a time, such as 2030-01-31T12:00:00Z."
            );
            Rule::named("day-or-time").says(text)
        })?;
        Ok(Self(if IS_END { Timestamp::from_millis(time.millis() + 1).ok() } else { Some(time) }))
    }
}

text_members!(Start, End, Lenient);

fn day(text: &str) -> Option<NaiveDate> {
    // Chrono accepts signs, blanks and missing zeros.
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_plain.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

#[cfg(test)]
mod tests {
    use latchkey_domain::TokenName;

    use super::*;

    fn bound<const IS_END: bool>(text: &str) -> Bound<IS_END> {
        Bound::from_text(text, "x").expect("a bound")
    }

    fn bounds(text: &str) -> (Option<String>, Option<String>) {
        let (Bound(start), Bound(end)): (Start, End) = (bound(text), bound(text));
        (start.map(|time| time.to_string()), end.map(|time| time.to_string()))
    }

    #[test]
    fn days_and_times_are_part_of_the_result() {
        for (text, start, end) in [
            ("IS:2028-02-28", "2028-02-28T00:00:00.000Z", "2028-02-29T00:00:00.000Z"),
            ("2020-12-31", "2020-12-31T00:00:00.000Z", "2021-01-01T00:00:00.000Z"),
            ("2020-12-31T10:00:00+01:00", "2020-12-31T09:00:00.000Z", "2020-12-31T09:00:00.001Z"),
            ("IS:2020-12-31T10:00:00Z", "2020-12-31T10:00:00.000Z", "2020-12-31T10:00:00.001Z"),
        ] {
            assert_eq!(bounds(text), (Some(start.to_owned()), Some(end.to_owned())), "{text}");
        }
        assert_eq!(bounds("IS:9999-12-31").1, None, "out of range");
    }

    #[test]
    fn other_text_is_refused() {
        for text in
            ["bogus", "IS:", "IS_ANY_OF:2020-01-01", "IS:2020-02-30", "2020-1-01", "+020-01-01", "-1-1-1-1-1"]
        {
            assert!(Start::from_text(text, "from").is_err(), "{text}");
        }
    }

    #[test]
    fn values_follow_an_operator() {
        let values = |text| AnyOf::<TokenName>::from_text(text, "x").map(|AnyOf(values)| values);
        let names = |names: &[&str]| names.iter().flat_map(|name| TokenName::new(name)).collect::<Vec<_>>();
        assert_eq!(values("IS:a,b:c").expect("one"), names(&["a,b:c"]));
        assert_eq!(values("IS_ANY_OF:a, b").expect("two"), names(&["a", "b"]));
        for bad in ["a", "is:a", "IS_NOT:a", ""] {
            assert!(values(bad).is_err(), "{bad}");
        }
    }
}
