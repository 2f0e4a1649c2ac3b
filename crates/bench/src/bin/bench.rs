//! The benchmark program behind `just bench`; `docs/design/performance.md` describes the method.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is run on a terminal: the table goes to standard output, the progress to standard error"
)]

use std::fs;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use latchkey_bench::options::Options;
use latchkey_bench::run::run;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A signal drops the future of the run, and dropping its child processes stops them.
    let findings = tokio::select! {
        findings = run(&options, |line| eprintln!("{line}")) => findings?,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    println!("{findings}");
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&findings)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
