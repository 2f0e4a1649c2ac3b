//! The load generator `h2load`: sends requests at a fixed rate and logs the duration of each response.
//!
//! It measures latency: two servers are compared at the same rate, from the logged durations alone. See
//! `docs/design/decisions/0015-latency-at-a-sustainable-rate.md`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use latchkey_testkit::process::installed;
use tokio::process::Command;

use crate::cores::Cores;
use crate::load::{Load, Request, Sample};

/// The `h2load` program and its settings.
#[derive(Debug)]
pub struct H2load {
    program: PathBuf,
    cores: Cores,
    connections: usize,
    rate_per_connection: usize,
}

impl H2load {
    /// Creates a generator that sends at most `rate` requests per second in total over this many connections. The rate
    /// is divided evenly, so it is rounded down to a multiple of the number of connections.
    ///
    /// # Errors
    /// When `h2load` is not installed, or the rate is below one request per second and connection.
    pub fn new(cores: &Cores, connections: usize, rate: usize) -> anyhow::Result<Self> {
        let connections = connections.max(cores.load_threads());
        let rate_per_connection = divided(rate, connections)?;
        let program = installed("h2load", "nghttp2-client")?;
        Ok(Self { program, cores: cores.clone(), connections, rate_per_connection })
    }

    /// Returns the requests per second of all connections together.
    #[must_use]
    pub fn rate(&self) -> usize {
        self.rate_per_connection * self.connections
    }
}

impl Load for H2load {
    async fn run(&self, request: &Request, seconds: u32) -> anyhow::Result<Sample> {
        ensure!(request.body.is_none(), "h2load supports only requests without a body");
        let place = tempfile::tempdir()?;
        let log = place.path().join("responses.tsv");
        let mut command = Command::from(self.cores.load(&self.program));
        command
            .args(["--h1", "--warm-up-time=1"])
            .arg(format!("-t{}", self.cores.load_threads()))
            .arg(format!("-c{}", self.connections))
            .arg(format!("-D{seconds}"))
            .arg(format!("--rps={}", self.rate_per_connection))
            .arg(format!("--log-file={}", log.display()))
            .arg("-H")
            .arg(format!("authorization: {}", request.authorization));
        command.arg(&request.url).kill_on_drop(true);
        let output = command.output().await.context("cannot start h2load")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "h2load failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        let lines = fs::read_to_string(&log).context("h2load wrote no log")?;
        sample(&lines, seconds).with_context(|| format!("invalid h2load run for {}:\n{text}", request.url))
    }
}

fn divided(rate: usize, connections: usize) -> anyhow::Result<usize> {
    let each = rate.checked_div(connections).unwrap_or(0);
    ensure!(each > 0, "{rate} requests per second are too few for {connections} connections");
    Ok(each)
}

/// Evaluates the log. Each line holds the start, the status and the duration in microseconds of one response.
fn sample(log: &str, seconds: u32) -> anyhow::Result<Sample> {
    let mut times = Vec::new();
    for line in log.lines() {
        let mut fields = line.split('\t').skip(1);
        let (Some(status), Some(micros)) = (fields.next(), fields.next()) else {
            anyhow::bail!("unexpected line in the log of h2load: {line}")
        };
        // h2load logs the status -1 for a failed request.
        ensure!(status.starts_with('2'), "a response has the status {status}");
        times.push(micros.parse::<u32>()?);
    }
    times.sort_unstable();
    let milliseconds = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100);
        times.get(rank.saturating_sub(1)).map(|micros| f64::from(*micros) / 1_000.0).context("no responses")
    };
    Ok(Sample {
        requests_per_second: f64::from(u32::try_from(times.len())?) / f64::from(seconds),
        p50_ms: milliseconds(50)?,
        p99_ms: milliseconds(99)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_parsed() {
        let lines: Vec<_> =
            (1..=200).rev().map(|n| format!("17641234567890{n:03}\t200\t{}", n * 10)).collect();
        let log = lines.join("\n") + "\n";
        let sample = sample(&log, 4).expect("a sample");
        assert_eq!(sample, Sample { requests_per_second: 50.0, p50_ms: 1.0, p99_ms: 1.98 });
    }

    #[test]
    fn a_failed_request_is_an_error() {
        for log in ["", "1764\t200", "1764\t200\tsoon\n", "1764\t503\t12\n", "1764\t200\t9\n1765\t-1\t12\n"] {
            assert!(sample(log, 1).is_err(), "{log}");
        }
    }

    #[test]
    fn the_rate_is_divided_among_connections() {
        assert_eq!(divided(100, 32).expect("enough"), 3);
        let error = divided(31, 32).expect_err("too few");
        assert!(error.to_string().contains("too few for 32"), "{error}");
    }
}
