//! The forms of values: how the value of a setting is read, described and printed.

use std::{fmt::Display, net::IpAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use actix_web::http::{Uri, header::HeaderName, uri::Authority};
use bytesize::ByteSize;
use config::ValueKind;
use ipnet::IpNet;
use latchkey_domain::{DigestTime, Email, EventKind, NoticeDays, Term};
use latchkey_postgres::TlsMode;
use secrecy::SecretString;

use super::database_url::{Database, InvalidDatabaseUrl, masked};
use crate::server::{Address, Host};

/// The format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object per line.
    Json,
}

type Read<T> = Box<dyn Fn(&ValueKind) -> Result<T, String>>;

/// How the value of a setting is written.
pub(super) struct Form<T> {
    /// What the value must be, such as "a whole number from 1 to 1000".
    pub(super) description: String,
    /// Reads a value; the error says what is wrong with it.
    pub(super) read: Read<T>,
    /// Prints a value as TOML. A value that has been read before can be in a form that TOML does not have (`TRUE`).
    pub(super) print: fn(&ValueKind) -> String,
}

impl<T: 'static> Form<T> {
    fn new(description: impl Into<String>, parse: impl Fn(&str) -> Option<T> + 'static) -> Self {
        let description = description.into();
        let expected = description.clone();
        let read = move |value: &ValueKind| {
            let text = scalar(value).ok_or("it must be a single value")?;
            parse(&text).ok_or_else(|| format!("\"{text}\" is not {expected}"))
        };
        Self { description, read: Box::new(read), print: print_text }
    }

    fn printed_by(self, print: fn(&ValueKind) -> String) -> Self {
        Self { print, ..self }
    }
}

/// A whole number within bounds.
pub(super) fn whole<T>(bounds: RangeInclusive<T>) -> Form<T>
where
    T: FromStr + PartialOrd + Display + 'static,
{
    let description = format!("a whole number from {} to {}", bounds.start(), bounds.end());
    Form::new(description, move |text| text.parse().ok().filter(|number| bounds.contains(number)))
        .printed_by(print_number)
}

/// `true` or `false`.
pub(super) fn boolean() -> Form<bool> {
    one_of(&[("true", true), ("false", false)]).printed_by(print_boolean)
}

/// One of a set of words, in any case.
pub(super) fn one_of<T: Copy>(choices: &'static [(&'static str, T)]) -> Form<T> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    Form::new(format!("one of {}", names.join(", ")), |text| {
        choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
    })
}

/// A duration of at least a millisecond. PostgreSQL keeps its timeouts in milliseconds of 31 bits, and one of them is
/// twice as long as ours, so most settings allow 7 days.
pub(super) fn duration(max_days: u64) -> Form<Duration> {
    let max = Duration::from_secs(max_days * 86_400);
    Form::new(format!("a duration from 1ms to {max_days}d, such as 100ms, 5s or 2h 30m"), move |text| {
        parse_duration(text).filter(|duration| *duration <= max)
    })
}

/// A duration of at least a millisecond, or `forever` (`None`).
pub(super) fn duration_or_forever() -> Form<Option<Duration>> {
    Form::new("forever, or a duration from 1ms, such as 400d", |text| {
        if text.eq_ignore_ascii_case("forever") { Some(None) } else { parse_duration(text).map(Some) }
    })
}

/// A time of a policy, or an empty string (`None`).
pub(super) fn optional_term() -> Form<Option<Term>> {
    let days = Term::MAX_DAYS;
    Form::new(format!("a duration from 1s to {days}d in whole seconds, such as 90d, or empty"), |text| {
        if text.is_empty() {
            return Some(None);
        }
        Term::new(humantime::parse_duration(text).ok()?).ok().map(Some)
    })
}

fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|duration| *duration >= Duration::from_millis(1))
}

/// An IP address, or a Unix domain socket.
pub(super) fn host() -> Form<Host> {
    Form::new("an IP address, or unix: and a path, such as unix:/run/latchkey/latchkey.sock", |text| {
        text.parse().ok()
    })
}

/// An address with its port, or a Unix domain socket, or an empty string (`None`).
pub(super) fn optional_address() -> Form<Option<Address>> {
    let form = "an IP address and a port, such as 10.0.0.5:4243, or unix: and a path, or empty";
    Form::new(form, |text| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) })
}

/// A number of bytes, from a mebibyte up.
pub(super) fn size() -> Form<usize> {
    Form::new("a size from 1MiB up, such as 64MiB or 1GiB", |text| {
        let bytes = text.parse::<ByteSize>().ok()?.as_u64();
        usize::try_from(bytes).ok().filter(|bytes| *bytes >= 1024 * 1024)
    })
}

/// The URL of an HTTP server without credentials and query, or an empty string (`None`).
pub(super) fn optional_url() -> Form<Option<String>> {
    Form::new("a URL that begins with http:// or https://, without credentials and query, or empty", |text| {
        if text.is_empty() {
            return Some(None);
        }
        let url: Uri = text.parse().ok()?;
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        // Credentials would be shown by `latchkey config`.
        let is_plain = url.authority()?.as_str().find('@').is_none() && url.query().is_none();
        (is_http && is_plain).then(|| Some(text.to_owned()))
    })
}

/// A part of a whole, from 0 to 1.
pub(super) fn ratio() -> Form<f64> {
    Form::new("a number from 0 to 1, such as 0.01", |text| {
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
    })
    .printed_by(print_number)
}

/// A list of networks and addresses: an array, or one string with commas.
pub(super) fn networks() -> Form<Vec<IpNet>> {
    let network = Form::new("an IP address or a network, such as 10.0.0.5 or 10.0.0.0/8", parse_network);
    list_of(network, "a list of IP addresses and networks, such as [\"10.0.0.5\", \"fd00::/8\"]")
}

/// A list of origins (RFC 6454, section 6.2): an array, or one string with commas.
pub(super) fn origins() -> Form<Vec<String>> {
    let origin = Form::new("an origin, such as https://console.example.com, or *", |text| {
        (text == "*" || is_origin(text)).then(|| text.to_owned())
    });
    list_of(origin, "a list of origins, such as [\"https://console.example.com\"]")
}

/// As browsers write it: scheme, host and port in lower case, without a path and without the usual port.
fn is_origin(text: &str) -> bool {
    let Some((scheme @ ("http" | "https"), host)) = text.split_once("://") else { return false };
    let is_authority = host.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty());
    let usual_port = if scheme == "http" { ":80" } else { ":443" };
    is_authority
        && !host.contains('@')
        && !host.ends_with(usual_port)
        && !host.contains(|letter: char| letter.is_ascii_uppercase())
}

/// A list of paths, each under an id: an array, or one string with commas.
pub(super) fn keyed_paths() -> Form<Vec<(String, PathBuf)>> {
    let path = Form::new("an id, = and a path, such as 4fe6b0=/etc/latchkey/github.pem", |text| {
        let (id, path) = text.split_once('=').filter(|(id, path)| !id.is_empty() && !path.is_empty())?;
        Some((id.to_owned(), path.into()))
    });
    list_of(path, "a list of ids and paths, such as [\"4fe6b0=/etc/latchkey/github.pem\"]")
}

/// A list of numbers of days: an array, or one string with commas.
pub(super) fn notice_days() -> Form<NoticeDays> {
    let (most, max) = (NoticeDays::MAX, NoticeDays::MAX_DAYS);
    let description = format!("a list of at most {most} whole numbers from 0 to {max}, such as [14, 3, 0]");
    let numbers = list_of(whole(0..=max), &description);
    let read =
        move |value: &ValueKind| NoticeDays::new((numbers.read)(value)?).map_err(|error| error.to_string());
    Form { description, read: Box::new(read), print: print_numbers }
}

/// A list of types of events: an array, or one string with commas.
pub(super) fn event_kinds() -> Form<Vec<EventKind>> {
    let kind = Form::new("the type of an event, such as api-token-deleted", |text| text.parse().ok());
    list_of(kind, "a list of types of events, such as [\"api-token-created\", \"api-token-deleted\"]")
}

/// A time of day.
pub(super) fn time_of_day() -> Form<DigestTime> {
    Form::new("a time of day in UTC, such as 07:00", |text| text.parse().ok())
}

/// An e-mail address, or an empty string (`None`).
pub(super) fn optional_email() -> Form<Option<Email>> {
    Form::new("an e-mail address, such as ops@example.com, or empty", |text| {
        if text.is_empty() { Some(None) } else { Email::new(text).ok().map(Some) }
    })
}

/// The name or the address of a host without a port, or an empty string (`None`).
pub(super) fn optional_host_name() -> Form<Option<String>> {
    let form = "the name or the IP address of a host without a port, such as smtp.example.com, or empty";
    Form::new(form, |text| {
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let is_host = is_name || text.parse::<IpAddr>().is_ok();
        is_host.then(|| (!text.is_empty()).then(|| text.to_owned()))
    })
}

/// Any text, or an empty string (`None`).
pub(super) fn optional_text() -> Form<Option<String>> {
    Form::new("a text, or empty", |text| Some((!text.is_empty()).then(|| text.to_owned())))
}

fn list_of<T: 'static>(element: Form<T>, description: &str) -> Form<Vec<T>> {
    let read = move |value: &ValueKind| {
        let texts = list(value).ok_or("it must be a list of strings")?;
        texts.into_iter().map(|text| (element.read)(&ValueKind::String(text))).collect()
    };
    Form { description: description.to_owned(), read: Box::new(read), print: print_list }
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

/// The database URL. Errors do not repeat it, and it is printed masked: it can hold a password.
pub(super) fn database_url() -> Form<Database> {
    let read = |value: &ValueKind| {
        let text = scalar(value).ok_or("it must be a single value")?;
        text.parse().map_err(|error: InvalidDatabaseUrl| error.to_string())
    };
    let print = |value: &ValueKind| quoted(&masked(&scalar(value).unwrap_or_default()));
    Form {
        description: "a URL that begins with sqlite:, postgres:// or memory:".to_owned(),
        read: Box::new(read),
        print,
    }
}

/// The URL of a PostgreSQL database, or an empty string (`None`). Errors do not repeat it, and it is printed masked.
pub(super) fn optional_postgres_url() -> Form<Option<SecretString>> {
    let read = |value: &ValueKind| {
        let text = scalar(value).ok_or("it must be a single value")?;
        match text.parse() {
            _ if text.is_empty() => Ok(None),
            Ok(Database::Postgres(url)) => Ok(Some(url)),
            _ => Err("it must begin with postgres://".to_owned()),
        }
    };
    Form {
        description: "a URL that begins with postgres://, or empty".to_owned(),
        read: Box::new(read),
        print: database_url().print,
    }
}

/// A mode of TLS to PostgreSQL, or an empty string (`None`).
pub(super) fn tls_mode() -> Form<Option<TlsMode>> {
    let names = TlsMode::ALL.map(TlsMode::as_str).join(", ");
    Form::new(format!("one of {names}, or empty"), |text| {
        if text.is_empty() { Some(None) } else { text.to_lowercase().parse().ok().map(Some) }
    })
}

/// The path of a file, or an empty string (`None`).
pub(super) fn optional_path() -> Form<Option<PathBuf>> {
    Form::new("a path, or empty", |text| Some((!text.is_empty()).then(|| text.into())))
}

/// Headers that are set by browsers and proxies, or that describe the message itself, cannot carry a token.
const RESERVED_HEADERS: &str = "accept cache-control connection cookie date expect forwarded from host keep-alive origin \
     proxy-connection range referer te trailer transfer-encoding upgrade user-agent via x-request-id";
const RESERVED_PREFIXES: [&str; 7] =
    ["accept-", "access-control-", "content-", "if-", "sec-", "x-forwarded-", "x-latchkey-"];

/// The name of a header (RFC 9110, section 5.1) that can carry a token, or an empty string (`None`).
pub(super) fn optional_header() -> Form<Option<HeaderName>> {
    Form::new("the name of an HTTP header that can carry a token, such as X-API-Key, or empty", |text| {
        if text.is_empty() {
            return Some(None);
        }
        let name: HeaderName = text.parse().ok()?;
        let is_reserved = RESERVED_HEADERS.split(' ').any(|reserved| name.as_str() == reserved)
            || RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
        (!is_reserved).then_some(Some(name))
    })
}

fn scalar(value: &ValueKind) -> Option<String> {
    match value {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::I64(number) => Some(number.to_string()),
        ValueKind::U64(number) => Some(number.to_string()),
        ValueKind::Boolean(boolean) => Some(boolean.to_string()),
        ValueKind::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

fn list(value: &ValueKind) -> Option<Vec<String>> {
    match value {
        ValueKind::Array(values) => values.iter().map(|value| scalar(&value.kind)).collect(),
        single => {
            let text = scalar(single)?;
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        }
    }
}

fn print_text(value: &ValueKind) -> String {
    quoted(&scalar(value).unwrap_or_default())
}

fn print_number(value: &ValueKind) -> String {
    let text = scalar(value).unwrap_or_default();
    text.parse::<i64>().map_or(text, |number| number.to_string())
}

fn print_boolean(value: &ValueKind) -> String {
    scalar(value).unwrap_or_default().to_lowercase()
}

fn print_numbers(value: &ValueKind) -> String {
    format!("[{}]", list(value).unwrap_or_default().join(", "))
}

fn print_list(value: &ValueKind) -> String {
    let texts = list(value).unwrap_or_default();
    let quoted: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// Returns a basic string of TOML. JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
