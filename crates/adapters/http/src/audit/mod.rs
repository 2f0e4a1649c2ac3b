//! The audit trail.

mod body;
mod export;
mod export_format;
mod payload;
mod query;
mod routes;
mod stream;
mod words;

pub(crate) use self::routes::configure;
pub use self::{
    export_format::{ExportFormat, UnknownExportFormat},
    payload::EventPayloads,
    query::EventSearchQuery,
    words::{label as event_label, name_in},
};
