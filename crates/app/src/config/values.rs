//! The forms that values have.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use actix_web::http::header::HeaderName;
use latchkey_service::{Reveal, WhenStale};

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
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|error| format!("\"{text}\" is no span of time ({error}); write 100ms, 5s or 24h"))?;
    if span.is_zero() {
        return Err("it must be more than nothing".to_owned());
    }
    Ok(span)
}

/// The longest that a session may last: browsers keep no cookie longer (RFC 6265bis, section 5.5).
const LONGEST_SESSION_DAYS: u64 = 400;

pub(super) fn session_ttl(text: &str) -> Result<Duration, String> {
    let ttl = span(text)?;
    if ttl > Duration::from_secs(LONGEST_SESSION_DAYS * 86_400) {
        return Err(format!("it must be at most {LONGEST_SESSION_DAYS}d"));
    }
    Ok(ttl)
}

/// A span of time that is not nothing; `None` = for ever.
pub(super) fn retention(text: &str) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("forever") {
        return Ok(None);
    }
    span(text).map(Some).map_err(|error| format!("{error}, or forever"))
}

pub(super) fn truth(text: &str) -> Result<bool, String> {
    choose(text, &[("true", true), ("false", false)])
}

/// A number of at least one.
pub(super) fn count(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no whole number from 1 to {}", u32::MAX))
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no port, a whole number from 0 to 65535"))
}

/// The most workers that the server takes.
const MOST_WORKERS: usize = 512;

pub(super) fn workers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MOST_WORKERS);
    number
        .ok_or_else(|| format!("\"{text}\" is no whole number from 0 (one for each core) to {MOST_WORKERS}"))
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

/// The name of a header (RFC 9110, section 5.1); none where there is none.
pub(super) fn optional_header(text: &str) -> Result<Option<HeaderName>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let name = text.parse().map_err(|_| format!("\"{text}\" is no name of an HTTP header"))?;
    Ok(Some(name))
}

fn choose<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text.to_ascii_lowercase());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("\"{text}\" is none of {}", names.join(", "))
    })
}
