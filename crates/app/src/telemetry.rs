//! Logs: on standard error, as lines for people on a terminal and as JSON lines otherwise. Standard output is for
//! results.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal as _, Stderr},
    panic,
};

use anyhow::Context as _;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, fmt::format::JsonFields, layer::SubscriberExt as _, registry, registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{
    config::{EnvVars, Log, LogFormat},
    json_lines::JsonLines,
    log_writer::LogWriter,
    traces::Traces,
};

/// Starts logging, and recording traces if there are to be any. Dropped at the end of the process, the writer writes the last
/// lines.
///
/// # Errors
/// If `RUST_LOG` cannot be parsed, or there can be no more threads.
pub(crate) fn start(
    log: &Log,
    traces: Option<&Traces>,
    variables: &EnvVars,
) -> anyhow::Result<LogWriter<Stderr>> {
    let filter = filter(log.level, variables.get("RUST_LOG"))?;
    let is_human = match log.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let writer = LogWriter::start(io::stderr()).context("logging could not be started")?;
    // A filter for one of two layers is slower than one for all.
    let started = match traces {
        None => registry().with(filter).with(lines(is_human, writer.clone())).try_init(),
        Some(traces) => {
            // Of the two spans of a recorded request, this one is not for the log.
            let filter = filter.add_directive(format!("{}=off", latchkey_http::TRACED).parse()?);
            registry()
                .with(lines(is_human, writer.clone()).with_filter(filter))
                .with(traces.layer())
                .try_init()
        }
    };
    started.context("logging could not be started")?;
    log_panics();
    Ok(writer)
}

fn lines<S>(is_human: bool, writer: LogWriter<Stderr>) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    if is_human {
        layer.with_ansi(io::stderr().is_terminal()).boxed()
    } else {
        layer.fmt_fields(JsonFields::new()).event_format(JsonLines).boxed()
    }
}

/// The module that logs malformed requests as errors. They are the client's fault, and any client can send them.
const HTTP_PARSER: &str = "actix_http::h1::dispatcher";

/// Returns `RUST_LOG`, or the level for Latchkey's crates and at most warnings of others: at lower levels, libraries
/// print what passes through them, which includes secrets.
fn filter(level: LevelFilter, rust_log: Option<&str>) -> anyhow::Result<EnvFilter> {
    let directives = match rust_log {
        Some(directives) => directives.to_owned(),
        None => format!("{},latchkey={level},{HTTP_PARSER}=off", level.min(LevelFilter::WARN)),
    };
    EnvFilter::try_new(&directives).with_context(|| format!("bad value for RUST_LOG: \"{directives}\""))
}

/// Logs panics. They would otherwise be lines of plain text among JSON.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let message = text.or_else(|| payload.downcast_ref().copied()).unwrap_or("?");
        let place = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(place, backtrace, "panic: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_applies_to_latchkey_and_libraries_log_warnings() {
        for (level, expected) in [
            (LevelFilter::DEBUG, "actix_http::h1::dispatcher=off,latchkey=debug,warn"),
            (LevelFilter::ERROR, "actix_http::h1::dispatcher=off,latchkey=error,error"),
            (LevelFilter::OFF, "actix_http::h1::dispatcher=off,latchkey=off,off"),
        ] {
            assert_eq!(filter(level, None).expect("good").to_string(), expected);
        }
    }

    #[test]
    fn rust_log_takes_precedence_over_the_level() {
        let filter = |text| filter(LevelFilter::INFO, Some(text));
        assert_eq!(filter("latchkey_http=trace").expect("good").to_string(), "latchkey_http=trace");
        let error = filter("latchkey=loud").expect_err("no level");
        assert_eq!(error.to_string(), "bad value for RUST_LOG: \"latchkey=loud\"");
    }
}
