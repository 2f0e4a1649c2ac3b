//! What operators see of requests: the counts and durations of each route, and the access log.
//!
//! The pattern of a route stands for the path, which may hold a secret. It is bound to each route when it is registered
//! ([`RoutePattern`]), so it is known without matching the path a second time. Pages are registered by another crate: their patterns
//! are those of the framework.
//!
//! Requests are counted per thread and published when the metrics are scraped ([`RequestMetrics`]): a count that all
//! threads share would cost the fastest requests more than their own work.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{HttpMessage, HttpRequest, http::Method};
use latchkey_domain::{Principal, UserCredential};
use latchkey_metrics::names::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS, SECONDS};
use thread_local::ThreadLocal;
use tracing::Span;
use uuid::Uuid;

use crate::paths::{HEALTH, INTROSPECT, METRICS, READY, UNLEASH_METRICS, VALIDATE, VERIFY, VERIFY_TOKENS};

/// The target of the access log.
pub const ACCESS: &str = "latchkey_http::access";
/// The route of a request that no route matches.
const UNMATCHED: &str = "unmatched";
/// The route of a request whose handler timed out or panicked: the request is gone with it.
pub(crate) const UNFINISHED: &str = "unfinished";
/// The routes that monitors, gateways and other programs request all the time.
const FREQUENT: [&str; 9] = [
    VERIFY,
    "/auth/verify/{original}",
    VALIDATE,
    VERIFY_TOKENS,
    INTROSPECT,
    HEALTH,
    READY,
    METRICS,
    UNLEASH_METRICS,
];
/// One upper bound of a bucket less than buckets: the last has none.
const BUCKETS: usize = SECONDS.len() + 1;

/// The pattern of a route, such as `/api/admin/projects/{projectId}`. Every registered resource of the API has one as its data.
#[derive(Debug, Clone)]
pub(crate) struct RoutePattern(Arc<str>);

impl RoutePattern {
    /// The pattern of this path of the router, without the expressions that its parameters match.
    pub(crate) fn new(path: &str) -> Self {
        let mut pattern = String::with_capacity(path.len());
        for part in path.split_inclusive('}') {
            match part.split_once(':') {
                Some((before, _)) => pattern.extend([before, "}"]),
                None => pattern.push_str(part),
            }
        }
        Self(pattern.into())
    }

    /// Returns the pattern of the page that a request took, if it took one.
    pub(crate) fn of_page(request: &HttpRequest) -> Option<Self> {
        request.match_pattern().map(|path| Self::new(&path))
    }

    /// Returns the pattern of the route that a request took.
    pub(crate) fn of(request: &HttpRequest) -> &str {
        request.app_data::<Self>().map_or(UNMATCHED, |pattern| &pattern.0)
    }
}

/// The id of the principal that a request was authenticated as, for the access log.
#[derive(Debug, Clone)]
pub(crate) struct PrincipalId(String);

impl PrincipalId {
    /// Keeps the id of a principal with the request.
    pub(crate) fn keep(request: &HttpRequest, principal: &Principal) {
        let id = match principal {
            Principal::ApiToken { id, .. } => format!("token:{id}"),
            Principal::User { id, credential: UserCredential::PersonalToken(token), .. } => {
                format!("user:{id},personal-token:{token}")
            }
            Principal::User { id, credential: UserCredential::Session(_), .. } => format!("user:{id}"),
        };
        request.extensions_mut().insert(Self(id));
    }

    fn of(request: &HttpRequest) -> Option<String> {
        request.extensions().get::<Self>().map(|Self(id)| id.clone())
    }
}

/// An answered request.
pub(crate) struct Answered<'r> {
    /// `None` if it is gone with its handler.
    pub(crate) request: Option<&'r HttpRequest>,
    /// The page that it asked for.
    pub(crate) page: Option<RoutePattern>,
    pub(crate) status: u16,
    pub(crate) duration: Duration,
    pub(crate) client: Option<IpAddr>,
    pub(crate) error: Option<Uuid>,
}

impl Answered<'_> {
    /// Returns the pattern of its route.
    pub(crate) fn route(&self) -> &str {
        match (&self.page, self.request) {
            (Some(page), _) => &page.0,
            (None, Some(request)) => RoutePattern::of(request),
            (None, None) => UNFINISHED,
        }
    }

    /// Returns the pattern of its route, if there is such a route.
    pub(crate) fn matched_route(&self) -> Option<&str> {
        Some(self.route()).filter(|route| ![UNMATCHED, UNFINISHED].contains(route))
    }

    /// Returns the id of the principal that it was authenticated as.
    pub(crate) fn principal(&self) -> Option<String> {
        self.request.and_then(PrincipalId::of)
    }

    /// Writes its line of the access log: at INFO, or at DEBUG if it is one of those that monitors and gateways send all the
    /// time, or if there should be no such log.
    pub(crate) fn log(&self, span: &Span, has_log: bool) {
        let Self { status, duration, .. } = *self;
        let (route, duration_ms) = (self.route(), duration.as_secs_f64() * 1_000.0);
        let principal = self.principal();
        let client = self.client.map(tracing::field::display);
        let error_id = self.error.map(tracing::field::display);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: ACCESS,
                    parent: span,
                    route,
                    status,
                    duration_ms,
                    principal,
                    client,
                    error_id,
                    "answered"
                )
            };
        }
        if has_log && !FREQUENT.contains(&route) { line!(info) } else { line!(debug) }
    }
}

/// The counts and durations of requests since they were last published.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics(ThreadLocal<Shard>);

/// The requests of one thread. The lock is only ever contended while they are published. Two cache lines apart from the next
/// shard, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Vec<(Series, Durations)>>);

/// Requests that are counted together. The fields are compared in this order, the cheapest first.
#[derive(Debug, PartialEq, Eq)]
struct Series {
    status: u16,
    method: &'static str,
    route: String,
}

/// The durations of a series: for each bucket, how many and their sum.
#[derive(Debug, Clone, Copy, Default)]
struct Durations([(u32, Duration); BUCKETS]);

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Vec<(Series, Durations)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestMetrics {
    /// Counts a request.
    pub(crate) fn record(&self, route: &str, method: &Method, status: u16, duration: Duration) {
        let method = method_label(method);
        let mut series = self.0.get_or_default().lock();
        let is_same =
            |known: &Series| known.status == status && known.method == method && known.route == route;
        let place = series.iter().position(|(known, _)| is_same(known)).unwrap_or_else(|| {
            series.push((Series { status, method, route: route.to_owned() }, Durations::default()));
            series.len() - 1
        });
        if let Some((_, durations)) = series.get_mut(place) {
            durations.add(duration);
        }
        // The most frequent come to the front, where they are found first.
        if let Some(before) = place.checked_sub(1) {
            series.swap(before, place);
        }
    }

    /// Publishes what was counted since the last time.
    pub(crate) fn publish(&self) {
        for shard in &self.0 {
            // A statement of its own, so that requests do not wait while the counts are published.
            let counted = std::mem::take(&mut *shard.lock());
            for (Series { route, method, status }, durations) in counted {
                durations.publish(&route, method);
                HTTP_REQUESTS.add([route, method.to_owned(), status.to_string()], durations.count());
            }
        }
    }
}

impl Durations {
    fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = SECONDS.iter().position(|bound| seconds <= *bound).unwrap_or(SECONDS.len());
        if let Some((count, sum)) = self.0.get_mut(bucket) {
            *count += 1;
            *sum += duration;
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|(count, _)| u64::from(*count)).sum()
    }

    /// Records the mean of each bucket as often as it has values: the mean lies in the same bucket, so neither a count nor
    /// the sum changes by it (but for the fraction of a nanosecond).
    fn publish(&self, route: &str, method: &'static str) {
        for (count, sum) in self.0 {
            if let Some(mean) = sum.checked_div(count) {
                let labels = [route.to_owned(), method.to_owned()];
                HTTP_REQUEST_SECONDS.record_many(labels, mean.as_secs_f64(), count as usize);
            }
        }
    }
}

/// Returns the method, or `OTHER` for one that a client made up.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use latchkey_metrics::Exporter;

    use super::*;

    #[test]
    fn a_pattern_has_no_expressions() {
        for (path, expected) in [
            ("/health", "/health"),
            ("/docs/openapi/{file:.*}", "/docs/openapi/{file}"),
            ("/a/{b:[!-.0-~]+}/c/{d}", "/a/{b}/c/{d}"),
        ] {
            assert_eq!(&*RoutePattern::new(path).0, expected);
        }
    }

    /// Buckets, count and sum are those of the values themselves, however often and by however many threads they are published.
    #[test]
    fn durations_of_all_threads_are_published_exactly() {
        let exporter = Exporter::new("0").expect("an exporter");
        let requests = RequestMetrics::default();
        let record = |micros: u64, status| {
            requests.record("/x", &Method::GET, status, Duration::from_micros(micros));
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for micros in [20, 100, 101, 249, 60_000_000] {
                        record(micros, 200);
                        exporter.record(|| requests.publish());
                    }
                    record(30, 404);
                });
            }
        });
        let text = exporter.scrape(|| requests.publish());
        for line in [
            r#"latchkey_http_requests_total{route="/x",method="GET",status="200"} 20"#,
            r#"latchkey_http_requests_total{route="/x",method="GET",status="404"} 4"#,
            r#"latchkey_http_request_seconds_bucket{route="/x",method="GET",le="0.0001"} 12"#,
            r#"latchkey_http_request_seconds_bucket{route="/x",method="GET",le="0.00025"} 20"#,
            r#"latchkey_http_request_seconds_bucket{route="/x",method="GET",le="30"} 20"#,
            r#"latchkey_http_request_seconds_bucket{route="/x",method="GET",le="+Inf"} 24"#,
        ] {
            assert!(text.lines().any(|one| one == line), "{line} not in\n{text}");
        }
        let sum = text
            .lines()
            .find_map(|line| line.strip_prefix("latchkey_http_request_seconds_sum")?.split(' ').nth(1));
        let sum: f64 = sum.expect("a sum").parse().expect("a number");
        assert!((sum - 240.002).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn the_most_frequent_series_is_found_first() {
        let requests = RequestMetrics::default();
        for route in ["/a", "/b", "/c", "/c", "/c"] {
            requests.record(route, &Method::GET, 200, Duration::ZERO);
        }
        let series = requests.0.get_or_default().lock();
        assert_eq!(series.first().map(|(series, _)| &*series.route), Some("/c"));
    }
}
