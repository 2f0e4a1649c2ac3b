//! Secrets that have leaked.

mod pattern;
mod report;
