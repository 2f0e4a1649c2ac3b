//! # The `latchkey` program
//!
//! This crate depends on all others and wires them: configuration (`config`), the command line (`cli`, `commands`), the
//! selection of the store (`store`), what a role comprises (`role`) and of the master keys (`keys`), start and shutdown of the server (`serve`,
//! `startup`), its addresses and connections (`server`), background tasks (`background`), logs (`telemetry`, `log_writer`) and the system clock (`clock`). Rules about tokens
//! belong in `latchkey-service`, routes in `latchkey-http`, SQL in the stores. Start with [`config`] for the settings
//! and [`serve`] for the steps of a start.

mod admin_token_file;
mod background;
mod backup_file;
mod cli;
mod clock;
mod commands;
mod config;
mod http_client;
mod json_lines;
mod keys;
mod log_writer;
mod mail;
mod metrics_server;
mod outage;
mod output;
mod role;
mod serve;
mod server;
mod signals;
mod startup;
mod store;
mod telemetry;
mod traces;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// A request makes some hundred small allocations; glibc's allocator takes a seventh of the server's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::fail(&error),
    }
}
