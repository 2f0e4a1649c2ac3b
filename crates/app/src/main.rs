//! # The `latchkey` program
//!
//! Lives here: configuration (`config`), the command line (`cli`, `commands`), the choice of a store (`store`) and of
//! the master key (`keys`), start and stop of the server (`serve`, `startup`), logs (`telemetry`), and the system's
//! clock (`clock`). This is the one crate that knows all the others, and puts them together.
//!
//! May not live here: a rule about tokens (`latchkey-service`), a route (`latchkey-http`), SQL (the stores).
//!
//! Next rooms: [`config`] for what can be set, [`serve`] for what a start does in which order, `docs/design/architecture.md` for
//! the way of a request.

mod admin_token_file;
mod background;
mod cli;
mod clock;
mod commands;
mod config;
mod keys;
mod outage;
mod output;
mod serve;
mod signals;
mod startup;
mod store;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// Each request makes and drops some hundred small things; glibc's allocator takes a seventh of the server's time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::fail(&error),
    }
}
