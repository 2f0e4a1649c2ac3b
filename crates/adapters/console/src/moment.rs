//! How moments look.

use askama::filters::Safe;
use latchkey_domain::Timestamp;

use crate::words::Words;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

/// Returns a moment as an element: in UTC, which the browser's script replaces by the time of its zone.
pub(crate) fn absolute(moment: Timestamp) -> Safe<String> {
    let (machine, people) = (moment.to_string(), in_utc(moment));
    Safe(format!("<time datetime=\"{machine}\" title=\"{people}\" data-time>{people}</time>"))
}

/// Returns how long ago or ahead a moment is, as an element with the moment in its title.
pub(crate) fn relative(moment: Timestamp, now: Timestamp, words: &Words) -> Safe<String> {
    let (machine, people) = (moment.to_string(), in_utc(moment));
    let said = distance(moment.millis().saturating_sub(now.millis()), words);
    Safe(format!("<time datetime=\"{machine}\" title=\"{people}\">{said}</time>"))
}

/// Returns a moment in UTC, for people.
pub(crate) fn in_utc(moment: Timestamp) -> String {
    moment.to_datetime().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Says how far ahead a moment is, or how long ago.
fn distance(millis: i64, words: &Words) -> String {
    let size = millis.saturating_abs();
    let (unit, length) = match size {
        ..MINUTE => return words.get("moment-now").into_owned(),
        MINUTE..HOUR => ("minutes", MINUTE),
        HOUR..DAY => ("hours", HOUR),
        DAY..MONTH => ("days", DAY),
        MONTH..YEAR => ("months", MONTH),
        _ => ("years", YEAR),
    };
    let direction = if millis < 0 { "ago" } else { "ahead" };
    words.with(&format!("moment-{unit}-{direction}"), [("count", (size / length).into())]).into_owned()
}
