//! The options of a run.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Lists on Postgres, few and many tokens in the database, against both floors.
    Postgres,
    /// Lists on SQLite against its floor.
    Sqlite,
    /// The time from start to ready on SQLite.
    Start,
    /// First pages of every list on Postgres, with few and with many projects.
    Lists,
    /// Whether tokens are good, answered from memory, against a fixed floor.
    Verification,
    /// How verifications in one process grow with the number of threads, without HTTP.
    Scaling,
    /// The same requests to an earlier build of the server (`--earlier`).
    Earlier,
    /// The same requests to the Unleash server, where it is installed (`--reference`).
    Reference,
}

/// Measures the release `latchkey` beside its floors and writes a table.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// Rounds per contestant; the contestants take turns
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,

    /// Seconds of load per round
    #[arg(long, default_value_t = 8)]
    pub seconds: u32,

    /// Seconds of load per contestant before the first round, which do not count
    #[arg(long, default_value_t = 3)]
    pub warm_up: u32,

    /// Connections that the load generator keeps busy
    #[arg(long, default_value_t = 32)]
    pub connections: usize,

    /// Tokens in the smaller database
    #[arg(long, default_value_t = 1_000)]
    pub few: u32,

    /// Tokens in the larger database
    #[arg(long, default_value_t = 1_000_000)]
    pub many: u32,

    /// Starts to take the median of
    #[arg(long, default_value_t = 20)]
    pub starts: u32,

    /// Parts to run; all of them if not given
    #[arg(long = "only", value_enum)]
    pub only: Vec<Part>,

    /// The server to measure; by default the `latchkey` beside this program
    #[arg(long)]
    pub server: Option<PathBuf>,

    /// An earlier build of the server; without it, that comparison is left out
    #[arg(long, value_name = "PROGRAM")]
    pub earlier: Option<PathBuf>,

    /// A folder in which `npm install unleash-server@6.10.1` was run, with Node on the path; without it, that comparison is left out
    #[arg(long)]
    pub reference: Option<PathBuf>,

    /// A file for the results as JSON, every sample included
    #[arg(long)]
    pub json: Option<PathBuf>,
}

impl Options {
    /// Whether this part is to be run.
    #[must_use]
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
