//! The parameters of a query about events (reference, chapter 16).

use std::num::IntErrorKind;

use chrono::{Days, NaiveDate, NaiveTime};
use latchkey_domain::{EventKind, ProjectId, Timestamp, UnknownEventKind};
use latchkey_ports::Page;
use latchkey_service::{AuditTrail, EventFilter};

use crate::{extract::fields::Query, wire_time};

/// `limit` and `offset`. As in the reference, what makes no sense is passed over: a page of the usual size comes then.
pub(crate) fn page(query: &Query, usual: u32) -> Page {
    let number = |name| query.text(name).and_then(|text| number(&text));
    let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(usual.into());
    let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(AuditTrail::MAX);
    Page { limit: Some(limit), offset: number("offset").unwrap_or(0) }
}

/// A whole number; one that is too large makes sense all the same, and is the largest.
fn number(text: &str) -> Option<u64> {
    match text.parse::<u64>() {
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(u64::MAX),
        number => number.ok(),
    }
}

/// The filter of the plain list: `project`, as it is.
pub(crate) fn plain_filter(query: &mut Query) -> EventFilter {
    let projects = query.read("project", project).into_iter().collect();
    EventFilter { projects, ..EventFilter::default() }
}

/// The filter of a search: values behind `IS:` or `IS_ANY_OF:`, days or moments for `from` and `to`.
pub(crate) fn filter(query: &mut Query) -> EventFilter {
    let kinds = query.read("type", |text| each("type", text, kind));
    let projects = query.read("project", |text| each("project", text, project));
    let actors = query.read("createdBy", |text| each("createdBy", text, actor));
    let from = query.read("from", |text| bound("from", text, Edge::First));
    let before = query.read("to", |text| bound("to", text, Edge::AfterLast));
    EventFilter {
        kinds: kinds.unwrap_or_default(),
        projects: projects.unwrap_or_default(),
        actors: actors.unwrap_or_default(),
        from: from.flatten(),
        before: before.flatten(),
    }
}

/// The values behind an operator.
fn each<T>(name: &str, text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let values: Vec<&str> = match text.split_once(':') {
        Some(("IS", value)) => vec![value],
        Some(("IS_ANY_OF", values)) => values.split(',').map(str::trim).collect(),
        _ => return Err(format!("{name} must read IS:value or IS_ANY_OF:one,other.")),
    };
    values.into_iter().map(read).collect()
}

fn kind(text: &str) -> Result<EventKind, String> {
    text.parse().map_err(|error: UnknownEventKind| format!("type: {error}."))
}

fn project(text: &str) -> Result<ProjectId, String> {
    ProjectId::new(text).map_err(|error| format!("The {error}."))
}

fn actor(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "createdBy must name users by their ids, such as IS:7.".to_owned())
}

/// Which edge of a day, or of a moment, a bound is.
#[derive(Clone, Copy)]
enum Edge {
    First,
    AfterLast,
}

/// A bound; `None` for one that lies beyond all moments. The last day, or moment, is one of those that are found.
fn bound(name: &str, text: &str, edge: Edge) -> Result<Option<Timestamp>, String> {
    let value = text.strip_prefix("IS:").unwrap_or(text);
    if let Some(day) = day(value) {
        let day = match edge {
            Edge::First => Some(day),
            Edge::AfterLast => day.checked_add_days(Days::new(1)),
        };
        return Ok(day.and_then(|day| Timestamp::new(day.and_time(NaiveTime::MIN).and_utc()).ok()));
    }
    let moment = wire_time::parse(value).ok_or_else(|| {
        format!("{name} must be a day, such as IS:2030-01-31, or a moment, such as 2030-01-31T12:00:00Z.")
    })?;
    match edge {
        Edge::First => Ok(Some(moment)),
        Edge::AfterLast => Ok(Timestamp::from_millis(moment.millis() + 1).ok()),
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    // Chrono takes signs, blanks and missing zeros.
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_plain.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(text: &str) -> (Option<String>, Option<String>) {
        let shown = |edge| bound("x", text, edge).expect("a bound").map(|moment| moment.to_string());
        (shown(Edge::First), shown(Edge::AfterLast))
    }

    #[test]
    fn a_day_is_found_whole_and_a_moment_too() {
        for (text, first, after_last) in [
            ("IS:2028-02-28", "2028-02-28T00:00:00.000Z", "2028-02-29T00:00:00.000Z"),
            ("2020-12-31", "2020-12-31T00:00:00.000Z", "2021-01-01T00:00:00.000Z"),
            ("2020-12-31T10:00:00+01:00", "2020-12-31T09:00:00.000Z", "2020-12-31T09:00:00.001Z"),
            ("IS:2020-12-31T10:00:00Z", "2020-12-31T10:00:00.000Z", "2020-12-31T10:00:00.001Z"),
        ] {
            assert_eq!(bounds(text), (Some(first.to_owned()), Some(after_last.to_owned())), "{text}");
        }
        assert_eq!(bounds("IS:9999-12-31").1, None, "nothing can be later");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["bogus", "IS:", "IS_ANY_OF:2020-01-01", "IS:2020-02-30", "2020-1-01", "+020-01-01", "-1-1-1-1-1"]
        {
            assert!(bound("from", text, Edge::First).is_err(), "{text}");
        }
    }

    #[test]
    fn values_stand_behind_an_operator() {
        let values = |text| each("x", text, |one| Ok(one.to_owned()));
        assert_eq!(values("IS:a,b:c").expect("one"), ["a,b:c"]);
        assert_eq!(values("IS_ANY_OF:a, b").expect("two"), ["a", "b"]);
        for bad in ["a", "is:a", "IS_NOT:a", ""] {
            assert!(values(bad).is_err(), "{bad}");
        }
    }
}
