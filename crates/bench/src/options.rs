//! The command-line options of `bench`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Lists on PostgreSQL, with few and with many tokens in the database, compared with both floors.
    Postgres,
    /// Lists on SQLite, compared with its floor.
    Sqlite,
    /// The time from process start to readiness on SQLite.
    Start,
    /// The first page of every list on PostgreSQL, with few and with many projects.
    Lists,
    /// The first page of tokens in the console, compared with the JSON list of the same tokens.
    Console,
    /// Verification of cached tokens, compared with a floor that returns a fixed body.
    Verification,
    /// Verification by a verifier on a standby, compared with a full server, and how soon it knows of revocations.
    Verifier,
    /// Creation of tokens on PostgreSQL with waits for the disk, compared with a floor of bare insertions.
    Writes,
    /// Verifications per second in one process by number of threads, without HTTP.
    Scaling,
    /// The same requests to this build and to an earlier build (requires `--earlier`).
    Earlier,
    /// The same requests to Latchkey and to an Unleash server (requires `--reference`).
    Reference,
}

/// Measures the release build of `latchkey` against minimal servers (floors) and prints a table.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// Rounds per contestant; contestants take turns, one round each
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,

    /// Seconds of load per round
    #[arg(long, default_value_t = 8)]
    pub seconds: u32,

    /// Seconds of warm-up load per contestant before the first round; not measured
    #[arg(long, default_value_t = 3)]
    pub warm_up: u32,

    /// Connections of the load generator
    #[arg(long, default_value_t = 32)]
    pub connections: usize,

    /// Tokens in the smaller database
    #[arg(long, default_value_t = 1_000)]
    pub few: u32,

    /// Tokens in the larger database
    #[arg(long, default_value_t = 1_000_000)]
    pub many: u32,

    /// Server starts to measure; the report shows their median
    #[arg(long, default_value_t = 20)]
    pub starts: u32,

    /// Parts to run; all if not given
    #[arg(long = "only", value_enum)]
    pub only: Vec<Part>,

    /// The server binary to measure; by default `latchkey` in the directory of this program
    #[arg(long)]
    pub server: Option<PathBuf>,

    /// An earlier build of the server; without it, the comparison is skipped
    #[arg(long, value_name = "PROGRAM")]
    pub earlier: Option<PathBuf>,

    /// Where `npm install unleash-server@6.10.1` was run (needs Node.js); without it, the comparison is skipped
    #[arg(long)]
    pub reference: Option<PathBuf>,

    /// Writes the results, with every sample, to this file as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
}

impl Options {
    /// Returns whether this part was selected.
    #[must_use]
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
