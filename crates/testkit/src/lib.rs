//! What the tests and the benchmark of Latchkey share.
//!
//! Here live sample values (`samples`), the JSON of a token (`token_json`), the whole application in process (`app`),
//! the real binary with its environment (`env`, `server`), certificates and a client of TLS (`tls`), child processes (`process`) and PostgreSQL databases that
//! are thrown away (`database`, `cluster`). Each part is a feature, so that a user of one part does not build the
//! others.
//!
//! May not live here: assertions about one capability, and anything that a crate needs outside of its tests. Start with
//! `app::TestApp` for a test in process and with `env::TestEnv` for a test of the binary.

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "postgres")]
pub mod cluster;
#[cfg(feature = "postgres")]
pub mod database;
#[cfg(feature = "server")]
pub mod env;
#[cfg(feature = "server")]
mod env_commands;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "server")]
pub mod raw_http;
#[cfg(feature = "server")]
pub mod receiver;
#[cfg(feature = "app")]
mod response;
#[cfg(feature = "samples")]
pub mod samples;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "process")]
pub mod sqlite;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "samples")]
pub mod token_json;
pub mod wait;
