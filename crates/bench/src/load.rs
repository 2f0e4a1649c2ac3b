//! Load, made by `wrk`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::children::installed;
use crate::cores::Cores;

/// What is asked for, again and again.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// A JSON body, which makes it a POST.
    pub body: Option<String>,
}

impl Request {
    /// Asks once; the body of the answer.
    ///
    /// # Errors
    /// Where it is no success.
    pub async fn answer(&self) -> anyhow::Result<String> {
        let client = reqwest::Client::new();
        let asking = match &self.body {
            None => client.get(&self.url),
            Some(body) => {
                client.post(&self.url).header("content-type", "application/json").body(body.clone())
            }
        };
        let answer = asking.header("authorization", &self.authorization).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}

/// What one round of load measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Answers per second.
    pub requests_per_second: f64,
    /// Half of the answers came within this time, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers came within this time, in milliseconds.
    pub p99_ms: f64,
}

/// The load generator.
#[derive(Debug)]
pub struct Load {
    wrk: PathBuf,
    cores: Cores,
    connections: usize,
}

impl Load {
    /// A generator that keeps that many connections busy.
    ///
    /// # Errors
    /// Where `wrk` is not installed.
    pub fn new(cores: &Cores, connections: usize) -> anyhow::Result<Self> {
        Ok(Self {
            wrk: installed("wrk", "wrk")?,
            cores: cores.clone(),
            connections: connections.max(cores.load_threads()),
        })
    }

    /// Asks for that many seconds.
    ///
    /// # Errors
    /// Where `wrk` fails, or any answer is not a success: such a round measures something else.
    pub async fn run(&self, request: &Request, seconds: u32) -> anyhow::Result<Sample> {
        let mut command = Command::from(self.cores.load(&self.wrk));
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
            ensure!(!text.contains(failure), "{} answered with failures:\n{text}", request.url);
        }
        parse(&text).with_context(|| format!("wrk printed something unknown:\n{text}"))
    }
}

/// Returns when whoever was asked has done what was left over: a slow one works on at requests that nobody waits for any more, and
/// would so slow down the next one that is asked.
///
/// # Errors
/// Where it does not answer.
pub async fn settled(request: &Request) -> anyhow::Result<()> {
    request.answer().await?;
    Ok(())
}

/// What tells `wrk` to send a body.
fn script(body: &str) -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".lua")?;
    writeln!(file, "wrk.method = 'POST'")?;
    writeln!(file, "wrk.headers['Content-Type'] = 'application/json'")?;
    // Long brackets: the body holds no such end.
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
    fn what_wrk_prints_is_read() {
        let sample = parse(PRINTED).expect("a sample");
        assert!((sample.requests_per_second - 29_176.27).abs() < 1e-6);
        assert!((sample.p50_ms - 0.912).abs() < 1e-9);
        assert!((sample.p99_ms - 2.59).abs() < 1e-9);
        assert_eq!(parse("unable to connect"), None);
        assert_eq!(milliseconds("1.5s"), Some(1_500.0));
        assert_eq!(milliseconds("3 parsecs"), None);
    }
}
