//! Logs: on standard error, for people on a terminal, as JSON lines otherwise. Standard output belongs to results.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal as _},
    panic,
};

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::config::{EnvVars, Log, LogFormat};

/// Starts logging.
///
/// # Errors
/// Names `RUST_LOG` where it is set and cannot be read.
pub(crate) fn start(log: &Log, variables: &EnvVars) -> anyhow::Result<()> {
    let filter = filter(log.level, variables.get("RUST_LOG"))?;
    let is_human = match log.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if is_human {
        subscriber.with_ansi(io::stderr().is_terminal()).try_init()
    } else {
        // All spans and not the innermost only: the request's id is on the outermost.
        subscriber.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    };
    started.map_err(anyhow::Error::from_boxed).context("logging could not be started")?;
    log_panics();
    Ok(())
}

/// Who says of what is no HTTP that it is an error. It is the sender's, and anybody can send it.
const NO_HTTP: &str = "actix_http::h1::dispatcher";

/// `RUST_LOG` as it is, else the level for our own crates and warnings of others. Others are kept short on purpose:
/// at their most talkative, libraries print what passes through them, and secrets pass through them.
fn filter(level: LevelFilter, rust_log: Option<&str>) -> anyhow::Result<EnvFilter> {
    let directives = match rust_log {
        Some(directives) => directives.to_owned(),
        None => format!("{},latchkey={level},{NO_HTTP}=off", level.min(LevelFilter::WARN)),
    };
    EnvFilter::try_new(&directives).with_context(|| format!("bad value for RUST_LOG: \"{directives}\""))
}

/// A panic in a task or a worker would else be a few lines of plain text among JSON.
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
    fn the_level_holds_for_our_crates_and_others_may_warn() {
        for (level, expected) in [
            (LevelFilter::DEBUG, "actix_http::h1::dispatcher=off,latchkey=debug,warn"),
            (LevelFilter::ERROR, "actix_http::h1::dispatcher=off,latchkey=error,error"),
            (LevelFilter::OFF, "actix_http::h1::dispatcher=off,latchkey=off,off"),
        ] {
            assert_eq!(filter(level, None).expect("good").to_string(), expected);
        }
    }

    #[test]
    fn rust_log_takes_the_place_of_the_level() {
        let filter = |text| filter(LevelFilter::INFO, Some(text));
        assert_eq!(filter("latchkey_http=trace").expect("good").to_string(), "latchkey_http=trace");
        let error = filter("latchkey=loud").expect_err("no level");
        assert_eq!(error.to_string(), "bad value for RUST_LOG: \"latchkey=loud\"");
    }
}
