//! Benchmarks of Latchkey.
//!
//! The crate holds the floors (`floor-fixed`, `floor-postgres`, `floor-sqlite`: servers that do the minimum for the
//! same response with the same libraries) and the `bench` program, which measures the floors and the release build of
//! `latchkey` in turns on temporary databases and prints a table. `docs/design/performance.md` describes the method.
//!
//! Code that the service itself needs does not belong here. The floors are minimal on purpose, and the benchmark uses
//! the service only through its binary and its HTTP interface. There are two exceptions: `sql/` and [`sqlite_query`]
//! repeat parts of the schema, to fill the databases and to run the query of the hot path, and [`scaling`] runs the use
//! cases in this process.
//!
//! Start with [`run`], the function behind `just bench`.

pub mod console;
pub mod cores;
pub mod earlier;
pub mod floor;
pub mod h2load;
pub mod lists;
pub mod load;
pub mod options;
pub mod reference;
pub mod report;
pub mod rounds;
pub mod run;
pub mod scaling;
pub mod seeding;
pub mod server;
pub mod sqlite_query;
pub mod start_up;
pub mod stopwatch;
pub mod verification;
pub mod verifier;
pub mod writes;
pub mod wrk;
