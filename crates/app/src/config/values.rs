//! The forms that values have.

use std::{num::NonZeroU32, ops::RangeInclusive, path::PathBuf, time::Duration};

use actix_web::http::header::HeaderName;
use latchkey_service::{Reveal, WhenStale};

use super::Database;

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object for each line.
    Json,
}

/// A span of time that is not nothing, in words.
fn some_time(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|error| format!("\"{text}\" is no span of time ({error}); write 100ms, 5s or 24h"))?;
    if span.is_zero() {
        return Err("it must be more than nothing".to_owned());
    }
    Ok(span)
}

/// With less than a millisecond between two looks, a core would do nothing else.
fn bounded(text: &str, most_days: u64) -> Result<Duration, String> {
    let span = some_time(text)?;
    if span < Duration::from_millis(1) || span > Duration::from_secs(most_days * 86_400) {
        return Err(format!("it must be from 1ms to {most_days}d"));
    }
    Ok(span)
}

/// How long to wait for something, or between two looks. PostgreSQL keeps its time-outs, one of them twice as long as ours,
/// in milliseconds of 31 bits.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    bounded(text, 7)
}

/// How long a session may last: browsers keep no cookie longer (RFC 6265bis, section 5.5).
pub(super) fn session_ttl(text: &str) -> Result<Duration, String> {
    bounded(text, 400)
}

/// A span of time that is not nothing; `None` = for ever.
pub(super) fn retention(text: &str) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("forever") {
        return Ok(None);
    }
    some_time(text).map(Some).map_err(|error| format!("{error}, or forever"))
}

pub(super) fn truth(text: &str) -> Result<bool, String> {
    choose(text, &[("true", true), ("false", false)])
}

fn whole(text: &str, bounds: RangeInclusive<u32>) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU32| bounds.contains(&number.get()));
    let (least, most) = bounds.into_inner();
    number.ok_or_else(|| format!("\"{text}\" is no whole number from {least} to {most}"))
}

/// A number of at least one.
pub(super) fn count(text: &str) -> Result<NonZeroU32, String> {
    whole(text, 1..=u32::MAX)
}

/// How many callers are remembered; the process must have the memory for as many, twice: known ones and unknown.
pub(super) fn entries(text: &str) -> Result<NonZeroU32, String> {
    whole(text, 1..=10_000_000)
}

/// Each connection costs the database a process, or this one a thread and open files.
pub(super) fn pool_size(text: &str, database: &Database) -> Result<NonZeroU32, String> {
    // On PostgreSQL, half are for those who read, half for those who change something.
    let least = if matches!(database, Database::Postgres(_)) { 2 } else { 1 };
    whole(text, least..=1_000)
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no port, a whole number from 0 to 65535"))
}

/// The most workers that the server takes.
const MAX_WORKERS: usize = 512;

pub(super) fn workers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_WORKERS);
    number.ok_or_else(|| format!("\"{text}\" is no whole number from 0 (one for each core) to {MAX_WORKERS}"))
}

pub(super) fn address<A: std::str::FromStr>(text: &str) -> Result<A, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no IP address"))
}

pub(super) fn reveal(text: &str) -> Result<Reveal, String> {
    choose(text, &[("always", Reveal::Always), ("once", Reveal::Once)])
}

pub(super) fn when_stale(text: &str) -> Result<WhenStale, String> {
    choose(text, &[("refuse", WhenStale::Refuse), ("serve", WhenStale::Serve)])
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    choose(text, &[("auto", LogFormat::Auto), ("human", LogFormat::Human), ("json", LogFormat::Json)])
}

pub(super) fn log_level(text: &str) -> Result<tracing::level_filters::LevelFilter, String> {
    use tracing::level_filters::LevelFilter as Level;
    choose(
        text,
        &[
            ("off", Level::OFF),
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("info", Level::INFO),
            ("debug", Level::DEBUG),
            ("trace", Level::TRACE),
        ],
    )
}

#[expect(clippy::unnecessary_wraps, reason = "of the form that all the others have")]
pub(super) fn optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| text.into()))
}

/// What these headers say is not the client's to choose, or is read by whatever stands on the way.
const NO_CREDENTIALS: &str = "accept cache-control connection cookie date expect forwarded from host keep-alive origin \
     proxy-connection range referer te trailer transfer-encoding upgrade user-agent via x-request-id";
const NO_CREDENTIALS_BEHIND: [&str; 7] =
    ["accept-", "access-control-", "content-", "if-", "sec-", "x-forwarded-", "x-latchkey-"];

/// The name of a header (RFC 9110, section 5.1) that can carry a token; none where there is none.
pub(super) fn optional_header(text: &str) -> Result<Option<HeaderName>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let name: HeaderName = text.parse().map_err(|_| format!("\"{text}\" is no name of an HTTP header"))?;
    let is_taken = NO_CREDENTIALS.split(' ').any(|taken| name.as_str() == taken)
        || NO_CREDENTIALS_BEHIND.iter().any(|beginning| name.as_str().starts_with(beginning));
    if is_taken {
        return Err(format!(
            "the header \"{text}\" carries no token: name one of its own, such as X-API-Key"
        ));
    }
    Ok(Some(name))
}

fn choose<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text.to_ascii_lowercase());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("\"{text}\" is none of {}", names.join(", "))
    })
}
