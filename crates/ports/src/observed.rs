//! A store whose calls are measured and traced.
//!
//! [`Observed`] decorates any store: each call becomes a span and a value of two metrics, under the name of its method. The
//! attribute `#[observed]` above a port's trait writes the methods, so no store and no port method has code for it.

use std::{future::Future, sync::Arc};

use latchkey_metrics::names::{STORE_ERRORS, STORE_SECONDS};
use tracing::{Instrument as _, field::Empty};

use crate::{Clock, StoreError};

/// The target of the spans of calls to a store.
pub const STORE_CALLS: &str = module_path!();

/// A store that another one does the work of.
pub struct Observed<S: ?Sized> {
    inner: Arc<S>,
    clock: Arc<dyn Clock>,
    system: &'static str,
}

impl<S: ?Sized> Observed<S> {
    /// Observes the calls to a store. `system` is its name in traces (`db.system.name` in the semantic conventions of
    /// OpenTelemetry).
    pub fn new(inner: Arc<S>, clock: Arc<dyn Clock>, system: &'static str) -> Self {
        Self { inner, clock, system }
    }

    /// Returns the store that does the work.
    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Observes one call.
    pub(crate) async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let span = tracing::debug_span!(
            "store",
            otel.name = operation,
            otel.kind = "client",
            otel.status_code = Empty,
            db.system.name = self.system,
            db.operation.name = operation,
            error.type = Empty,
        );
        let started = self.clock.monotonic();
        let outcome = call.instrument(span.clone()).await;
        let took = self.clock.monotonic().saturating_sub(started);
        STORE_SECONDS.record([operation], took.as_secs_f64());
        if let Err(error) = &outcome {
            STORE_ERRORS.add([operation, error.kind()], 1);
            span.record("error.type", error.kind());
            if matches!(
                error,
                StoreError::Unavailable(_) | StoreError::Fault(_) | StoreError::Inconsistent(_)
            ) {
                span.record("otel.status_code", "ERROR");
            }
        }
        outcome
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests {
    use latchkey_metrics::Exporter;

    use super::*;
    use crate::{Health, ManualClock, MockHealth, PoolState};

    fn observed(health: MockHealth) -> Observed<MockHealth> {
        let now = latchkey_domain::Timestamp::from_millis(0).expect("a time");
        Observed::new(Arc::new(health), Arc::new(ManualClock::at(now)), "memory")
    }

    #[test]
    fn every_call_is_measured_and_every_failure_counted() {
        let mut health = MockHealth::new();
        health.expect_ping().times(2).returning(|| Ok(()));
        health.expect_ping().times(1).returning(|| Err(StoreError::Unavailable("refused".into())));
        let store = observed(health);
        let exporter = Exporter::new("0").expect("an exporter");
        let text = exporter.scrape(|| {
            let pings = || futures_util::FutureExt::now_or_never(store.ping()).expect("ready");
            let outcomes = [pings(), pings(), pings()].map(|outcome| outcome.is_ok());
            assert_eq!(outcomes, [true, true, false]);
        });
        for line in [
            r#"latchkey_store_operation_seconds_count{operation="ping"} 3"#,
            r#"latchkey_store_errors_total{operation="ping",error="unavailable"} 1"#,
        ] {
            assert!(text.lines().any(|one| one == line), "{line} not in\n{text}");
        }
    }

    #[test]
    fn a_method_that_is_no_call_to_the_database_is_passed_on() {
        let mut health = MockHealth::new();
        let pool = PoolState { name: "read", max: 2, in_use: 1, idle: 1, waiting: 0 };
        health.expect_pools().return_once(move || vec![pool]);
        assert_eq!(observed(health).pools(), [pool]);
    }
}
