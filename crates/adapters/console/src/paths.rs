//! Where all pages are.

/// The path below which all pages are.
pub(crate) const ROOT: &str = "/console";
