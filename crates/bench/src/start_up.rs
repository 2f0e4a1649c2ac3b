//! Measures the time from the start of the server process to its first successful response on `/ready`.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use latchkey_testkit::process::{Process, Signal, free_port};
use serde::Serialize;

use crate::cores::Cores;
use crate::rounds::Spread;
use crate::server::{MASTER_KEY, configured};
use crate::stopwatch::Stopwatch;

/// Start-up times on SQLite in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StartUp {
    /// Starts in an empty directory, which create the database, its schema, the master key and the first token.
    pub first_ms: Spread,
    /// Starts with the data of the first start.
    pub again_ms: Spread,
}

/// Starts the server this many times in an empty directory, and each time once more with the data of the first start.
///
/// # Errors
/// When the server does not become ready.
pub fn measure(program: &Path, directory: &Path, starts: u32) -> anyhow::Result<StartUp> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for number in 0..starts.max(1) {
        let place = directory.join(format!("start-{number}"));
        fs::create_dir_all(&place)?;
        first.push(once(program, &place)?);
        again.push(once(program, &place)?);
    }
    let spread = |samples| Spread::of(samples).context("no starts were measured");
    Ok(StartUp { first_ms: spread(first)?, again_ms: spread(again)? })
}

/// Starts the server this many times on an existing database and returns the times in milliseconds.
///
/// # Errors
/// When the server does not become ready.
pub fn again_on(program: &Path, directory: &Path, url: &str, starts: u32) -> anyhow::Result<Spread> {
    let times: Vec<f64> = (0..starts.max(1))
        .map(|_| once_on(program, directory, url, Some(MASTER_KEY)))
        .collect::<Result<_, _>>()?;
    Spread::of(times).context("no starts were measured")
}

fn once(program: &Path, directory: &Path) -> anyhow::Result<f64> {
    once_on(program, directory, &format!("sqlite://{}", directory.join("latchkey.db").display()), None)
}

fn once_on(program: &Path, directory: &Path, url: &str, master_key: Option<&str>) -> anyhow::Result<f64> {
    let port = free_port()?;
    // Nothing is pinned, because a server in use can use all cores during its start.
    let command = Cores::of(1).measured(program);
    let mut command = configured(command, directory, url, port);
    if let Some(key) = master_key {
        command.env("LATCHKEY_MASTER_KEY", key);
    }
    let started = Stopwatch::start();
    let mut process = Process::start(&mut command, "latchkey")?.stopped_by(Signal::TERM);
    while !is_ready(port).unwrap_or(false) {
        process.check()?;
        if started.elapsed() > Duration::from_secs(30) {
            bail!("the server is not ready after 30 s:\n{}", process.last_lines());
        }
        sleep(Duration::from_micros(500));
    }
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}

fn is_ready(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}
