//! The store on a real server.
#![expect(clippy::expect_used, reason = "a test that fails here is a test that fails")]

mod cancellation;
mod conformance;
mod contention;
mod counts;
mod creation_groups;
mod databases;
mod event_listener;
mod faults;
mod hosts;
mod large_imports;
mod migrations;
mod parallel_changes;
mod replicas;
mod sharing;
mod tls;
