//! Secrets that have leaked.

mod github;
mod pattern;
mod report;
