//! Benchmarks of Latchkey.
//!
//! Here live the floors (`floor-fixed`, `floor-postgres`, `floor-sqlite`: the least that a server on the same libraries
//! could do for the same answer) and the `bench` program, which runs them and the release `latchkey` in turns against
//! throwaway databases and writes a table. `docs/design/performance.md` describes the method.
//!
//! What may not live here: anything that the service itself needs. The floors are bare on purpose, and the run knows the
//! service by its binary and its HTTP interface only. There are two exceptions: the schema, which `sql/` and
//! [`sqlite_query`] repeat in order to fill it and to ask the one question of the hot path, and [`scaling`], which runs
//! the use cases in this process.
//!
//! Start with [`run`], which is what `just bench` does.

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
pub mod wrk;
