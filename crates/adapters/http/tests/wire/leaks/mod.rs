//! Secrets that have leaked.

mod pattern;
