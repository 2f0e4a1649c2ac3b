//! So many requests per second and no more, made by `h2load`, which notes how long each answer took.
//!
//! This is for latency (`docs/design/decisions/0015-latency-at-a-sustainable-rate.md`): two servers are compared at the same rate, and nothing is added to what was measured.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use latchkey_testkit::process::installed;
use tokio::process::Command;

use crate::cores::Cores;
use crate::load::{Load, Request, Sample};

/// The program.
#[derive(Debug)]
pub struct H2load {
    program: PathBuf,
    cores: Cores,
    connections: usize,
    rate_of_each: usize,
}

impl H2load {
    /// A generator that asks at most that many times per second, over that many connections. The rate is the same for each
    /// connection, and so rounded down to a multiple of their number.
    ///
    /// # Errors
    /// Where `h2load` is not installed, or that is less than one request per second for each connection.
    pub fn new(cores: &Cores, connections: usize, rate: usize) -> anyhow::Result<Self> {
        let connections = connections.max(cores.load_threads());
        let rate_of_each = share(rate, connections)?;
        let program = installed("h2load", "nghttp2-client")?;
        Ok(Self { program, cores: cores.clone(), connections, rate_of_each })
    }

    /// Requests per second, of all connections.
    #[must_use]
    pub fn rate(&self) -> usize {
        self.rate_of_each * self.connections
    }
}

impl Load for H2load {
    async fn run(&self, request: &Request, seconds: u32) -> anyhow::Result<Sample> {
        ensure!(request.body.is_none(), "h2load is asked for requests without a body only");
        let place = tempfile::tempdir()?;
        let log = place.path().join("answers.tsv");
        let mut command = Command::from(self.cores.load(&self.program));
        command
            .args(["--h1", "--warm-up-time=1"])
            .arg(format!("-t{}", self.cores.load_threads()))
            .arg(format!("-c{}", self.connections))
            .arg(format!("-D{seconds}"))
            .arg(format!("--rps={}", self.rate_of_each))
            .arg(format!("--log-file={}", log.display()))
            .arg("-H")
            .arg(format!("authorization: {}", request.authorization));
        command.arg(&request.url).kill_on_drop(true);
        let output = command.output().await.context("cannot start h2load")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "h2load failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        let answers = fs::read_to_string(&log).context("h2load wrote no log")?;
        sample(&answers, seconds).with_context(|| format!("{} was asked by h2load:\n{text}", request.url))
    }
}

fn share(rate: usize, connections: usize) -> anyhow::Result<usize> {
    let each = rate.checked_div(connections).unwrap_or(0);
    ensure!(each > 0, "{rate} requests per second are too few for {connections} connections");
    Ok(each)
}

/// What the log says: a line for each answer, of its start, its status and the microseconds that it took.
fn sample(log: &str, seconds: u32) -> anyhow::Result<Sample> {
    let mut times = Vec::new();
    for line in log.lines() {
        let mut fields = line.split('\t').skip(1);
        let (Some(status), Some(micros)) = (fields.next(), fields.next()) else {
            anyhow::bail!("h2load wrote something unknown: {line}")
        };
        // A request that failed has the status -1.
        ensure!(status.starts_with('2'), "an answer has the status {status}");
        times.push(micros.parse::<u32>()?);
    }
    times.sort_unstable();
    let milliseconds = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100);
        times.get(rank.saturating_sub(1)).map(|micros| f64::from(*micros) / 1_000.0).context("no answer came")
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
    fn the_log_is_read() {
        let lines: Vec<_> =
            (1..=200).rev().map(|n| format!("17641234567890{n:03}\t200\t{}", n * 10)).collect();
        let log = lines.join("\n") + "\n";
        let sample = sample(&log, 4).expect("a sample");
        assert_eq!(sample, Sample { requests_per_second: 50.0, p50_ms: 1.0, p99_ms: 1.98 });
    }

    #[test]
    fn a_failure_is_no_sample() {
        for log in ["", "1764\t200", "1764\t200\tsoon\n", "1764\t503\t12\n", "1764\t200\t9\n1765\t-1\t12\n"] {
            assert!(sample(log, 1).is_err(), "{log}");
        }
    }

    #[test]
    fn the_rate_is_shared_out() {
        assert_eq!(share(100, 32).expect("enough"), 3);
        let error = share(31, 32).expect_err("too few");
        assert!(error.to_string().contains("too few for 32"), "{error}");
    }
}
