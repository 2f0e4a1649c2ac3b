//! The load generator `wrk`: each connection sends its next request as soon as it has received a response.
//!
//! It measures requests per second at full load. Its p99 includes requests that it did not send: `wrk` adds those that
//! it would have sent while it waited for a slow response. See
//! `docs/design/decisions/0015-latency-at-a-sustainable-rate.md`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use latchkey_testkit::process::installed;
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::cores::Cores;
use crate::load::{Load, Request, Sample};

/// The `wrk` program and its settings.
#[derive(Debug)]
pub struct Wrk {
    program: PathBuf,
    cores: Cores,
    connections: usize,
}

impl Wrk {
    /// Creates a generator that keeps this many connections busy.
    ///
    /// # Errors
    /// When `wrk` is not installed.
    pub fn new(cores: &Cores, connections: usize) -> anyhow::Result<Self> {
        Ok(Self {
            program: installed("wrk", "wrk")?,
            cores: cores.clone(),
            connections: connections.max(cores.load_threads()),
        })
    }
}

impl Load for Wrk {
    async fn run(&self, request: &Request, seconds: u32) -> anyhow::Result<Sample> {
        let mut command = Command::from(self.cores.load(&self.program));
        command
            .arg(format!("-t{}", self.cores.load_threads()))
            .arg(format!("-c{}", self.connections))
            .arg(format!("-d{seconds}s"))
            .args(["--latency", "--timeout", "60s"])
            .arg("-H")
            .arg(format!("authorization: {}", request.authorization));
        let script = request.body.as_deref().map(script).transpose()?;
        if let Some(script) = &script {
            command.arg("-s").arg(script.path());
        }
        command.arg(&request.url).kill_on_drop(true);
        let output = command.output().await.context("cannot start wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        for failure in ["Non-2xx", "Socket errors"] {
            ensure!(!text.contains(failure), "{}: requests failed:\n{text}", request.url);
        }
        parse(&text).with_context(|| format!("unexpected output of wrk:\n{text}"))
    }
}

/// Writes the script that makes `wrk` send a POST request with this body.
fn script(body: &str) -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".lua")?;
    writeln!(file, "wrk.method = 'POST'")?;
    writeln!(file, "wrk.headers['Content-Type'] = 'application/json'")?;
    // A Lua long string needs no escapes, and the body does not contain its end, `]==]`.
    writeln!(file, "wrk.body = [==[{body}]==]")?;
    file.flush()?;
    Ok(file)
}

fn parse(text: &str) -> Option<Sample> {
    let after = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    Some(Sample {
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match text.strip_prefix(digits)? {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
Running 8s test @ http://127.0.0.1:4242/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.10ms  392.11us  10.58ms   91.64%
    Req/Sec    29.33k     1.99k   32.10k    80.00%
  Latency Distribution
     50%  912.00us
     75%    1.20ms
     90%    1.38ms
     99%    2.59ms
  233423 requests in 8.00s, 691.73MB read
Requests/sec:  29176.27
Transfer/sec:     86.46MB
";

    #[test]
    fn output_of_wrk_is_parsed() {
        let sample = parse(PRINTED).expect("a sample");
        assert!((sample.requests_per_second - 29_176.27).abs() < 1e-6);
        assert!((sample.p50_ms - 0.912).abs() < 1e-9);
        assert!((sample.p99_ms - 2.59).abs() < 1e-9);
        assert_eq!(parse("unable to connect"), None);
        assert_eq!(milliseconds("1.5s"), Some(1_500.0));
        assert_eq!(milliseconds("3 parsecs"), None);
    }
}
