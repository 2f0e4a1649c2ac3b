//! The recorder of a process, and its rendering in the text format of Prometheus.

use std::sync::Arc;

use metrics::{Recorder, Unit, set_global_recorder, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;

use crate::{
    declaration::Kind,
    names::{ALL, BUILD_INFO},
};

/// Why there is no exporter.
#[derive(Debug, thiserror::Error)]
pub enum ExporterError {
    #[error("a histogram is declared without buckets")]
    Buckets(#[from] metrics_exporter_prometheus::BuildError),
    #[error("the process has an exporter of metrics already")]
    Installed,
}

/// Holds the values of all metrics of a process.
#[derive(Debug)]
pub struct Exporter {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    process: Collector,
    version: &'static str,
}

impl Exporter {
    /// The content type of [`Exporter::scrape`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Creates an exporter for a program of this version.
    ///
    /// # Errors
    /// [`ExporterError::Buckets`].
    pub fn new(version: &'static str) -> Result<Self, ExporterError> {
        let mut builder = PrometheusBuilder::new();
        for declaration in ALL {
            if let Kind::Histogram(buckets) = declaration.kind {
                builder =
                    builder.set_buckets_for_metric(Matcher::Full(declaration.name.to_owned()), buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        for declaration in ALL {
            let (name, unit, help) = (declaration.name.into(), None::<Unit>, declaration.help().into());
            match declaration.kind {
                Kind::Counter => recorder.describe_counter(name, unit, help),
                Kind::Gauge => recorder.describe_gauge(name, unit, help),
                Kind::Histogram(_) => recorder.describe_histogram(name, unit, help),
            }
        }
        let handle = recorder.handle();
        Ok(Self { recorder: Arc::new(recorder), handle, process: Collector::default(), version })
    }

    /// Makes all code of this process record here.
    ///
    /// # Errors
    /// [`ExporterError::Installed`] from the second call on.
    pub fn install(&self) -> Result<(), ExporterError> {
        set_global_recorder(Arc::clone(&self.recorder)).map_err(|_| ExporterError::Installed)
    }

    /// Returns all metrics in the text format of Prometheus, after `publish` has recorded those that are kept elsewhere.
    pub fn scrape(&self, publish: impl FnOnce()) -> String {
        self.record(|| {
            publish();
            BUILD_INFO.set([self.version], 1.0);
            self.process.collect();
        });
        self.handle.render()
    }

    /// Records what `publish` records here, whether or not this exporter is installed.
    pub fn record(&self, publish: impl FnOnce()) {
        with_local_recorder(&self.recorder, publish);
    }

    /// Sorts the values of histograms into their buckets. To be called every few seconds: until then each value takes memory.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{CACHE_ENTRIES, HTTP_REQUESTS, STORE_SECONDS};

    #[test]
    fn every_kind_is_rendered_as_declared() {
        let exporter = Exporter::new("1.2.3").expect("an exporter");
        let text = exporter.scrape(|| {
            HTTP_REQUESTS.add(["/x/{id}", "GET", "200"], 2);
            HTTP_REQUESTS.add(["/x/{id}", "GET", "200"], 1);
            CACHE_ENTRIES.set_count(["token"], 7);
            STORE_SECONDS.record_many(["ping"], 0.002, 3);
            STORE_SECONDS.record(["ping"], 60.0);
        });
        for line in [
            "# TYPE latchkey_http_requests_total counter",
            r#"latchkey_http_requests_total{route="/x/{id}",method="GET",status="200"} 3"#,
            "# TYPE latchkey_cache_entries gauge",
            r#"latchkey_cache_entries{kind="token"} 7"#,
            "# TYPE latchkey_store_operation_seconds histogram",
            "# HELP latchkey_store_operation_seconds Seconds of each call to the store, by its name in the code, with the wait for a connection.",
            r#"latchkey_store_operation_seconds_bucket{operation="ping",le="0.001"} 0"#,
            r#"latchkey_store_operation_seconds_bucket{operation="ping",le="0.0025"} 3"#,
            r#"latchkey_store_operation_seconds_bucket{operation="ping",le="30"} 3"#,
            r#"latchkey_store_operation_seconds_bucket{operation="ping",le="+Inf"} 4"#,
            r#"latchkey_store_operation_seconds_count{operation="ping"} 4"#,
            r#"latchkey_build_info{version="1.2.3"} 1"#,
        ] {
            assert!(text.lines().any(|one| one == line), "{line} not in\n{text}");
        }
    }

    #[test]
    fn what_is_recorded_without_a_recorder_is_nowhere() {
        let exporter = Exporter::new("1.2.3").expect("an exporter");
        HTTP_REQUESTS.add(["/x", "GET", "200"], 1);
        assert!(!exporter.scrape(|| ()).contains("latchkey_http_requests_total"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_metrics_of_the_process_are_those_declared() {
        let text = Exporter::new("1.2.3").expect("an exporter").scrape(|| ());
        let mut served: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .filter(|(name, _)| name.starts_with("process_"))
            .collect();
        let declared = ALL.iter().map(|declaration| (declaration.name, declaration.kind.as_str()));
        let mut declared: Vec<_> = declared.filter(|(name, _)| name.starts_with("process_")).collect();
        served.sort_unstable();
        declared.sort_unstable();
        assert_eq!(served, declared);
    }
}
