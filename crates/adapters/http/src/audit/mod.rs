//! The audit trail.

mod body;
mod export;
mod export_format;
mod query;
mod routes;
mod stream;
mod words;

pub use self::export_format::{ExportFormat, UnknownExportFormat};
pub(crate) use self::routes::configure;
