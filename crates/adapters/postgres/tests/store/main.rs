//! The store on a real server.
#![expect(clippy::expect_used, reason = "a test that fails here is a test that fails")]

mod announcements;
mod cancellation;
mod contention;
mod counts;
mod databases;
mod migrations;
mod sharing;
mod suite;
