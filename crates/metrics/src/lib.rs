//! # The metrics of Latchkey
//!
//! [`names`] declares every metric once: its name, kind, labels and help text. The code that records one uses that
//! constant, so it can neither misspell a name nor forget a label. From the same declaration follow the descriptions that
//! Prometheus reads, `docs/reference/metrics.md` ([`reference()`]) and the check of the dashboard and the alert rules.
//!
//! Values go to the recorder of the [`metrics`] facade. A process installs its [`Exporter`] as the global one; where there
//! is none, as in most tests, recording does nothing. Counts on the path of a verification are not recorded here but kept
//! per thread, and published when the exporter is scraped.
//!
//! Lives here: declarations, and their rendering. May not live here: what is measured, or when.
//!
//! # Adding a metric
//! Declare it in [`names`], record it where it arises, and renew the page:
//! `cargo run -p latchkey-metrics --example reference > docs/reference/metrics.md`.

mod declaration;
mod exporter;
pub mod names;
mod reference;

pub use self::{
    declaration::{Counter, Declaration, Gauge, Held, Histogram, Kind},
    exporter::{Exporter, ExporterError},
    reference::reference,
};
