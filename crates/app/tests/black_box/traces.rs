//! Traces, as a collector receives them by OTLP over HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::Request,
    server::{Server, TOKENS},
    wait::{until, until_true},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as AnyValue},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::remote_server::RemoteServer;

/// A trace and a span of a caller.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// The route of `TOKENS`.
const ROUTE: &str = "/api/admin/projects/{projectId}/api-tokens";

/// A collector that keeps what it is sent.
struct Collector {
    address: SocketAddr,
    /// Whether it closes each connection at once.
    is_away: Arc<AtomicBool>,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let is_away = Arc::new(AtomicBool::new(false));
        let (kept, closes) = (Arc::clone(&bodies), Arc::clone(&is_away));
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !closes.load(Ordering::Relaxed) {
                    // A client may close its connection at any time.
                    drop(receive(&stream, &kept));
                }
            }
        });
        Self { address, is_away, bodies }
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.bodies.lock().expect("no panic");
        bodies.iter().map(|body| ExportTraceServiceRequest::decode(&**body).expect("protobuf")).collect()
    }

    /// Returns all spans, the earliest first.
    fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        let mut spans: Vec<_> =
            resources.flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// Returns the spans of requests, but for those with which the test awaits that the server is ready.
    fn spans_of_requests(&self) -> Vec<Span> {
        let is_request = |span: &Span| span.kind() == SpanKind::Server && span.name != "GET /ready";
        self.spans().into_iter().filter(is_request).collect()
    }

    /// Returns the first span of this name, once it is there.
    fn span(&self, name: &str) -> Span {
        until(name, || self.spans().into_iter().find(|span| span.name == name))
    }
}

/// Receives requests on one connection.
fn receive(stream: &TcpStream, bodies: &Mutex<Vec<Vec<u8>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line)? > 2 {
            head.push_str(&line.to_ascii_lowercase());
            line.clear();
        }
        if head.is_empty() {
            return Ok(());
        }
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.expect("a length")];
        reader.read_exact(&mut body)?;
        bodies.lock().expect("no panic").push(body);
        let mut writer = stream;
        writer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )?;
    }
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |value: &AnyValue| match value {
        AnyValue::StringValue(text) => text.clone(),
        AnyValue::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs =
        attributes.iter().filter_map(|pair| Some((&*pair.key, text(pair.value.as_ref()?.value.as_ref()?))));
    pairs.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// An environment whose server sends the traces of this part of its requests.
fn env(store: Store, collector: SocketAddr, ratio: &str) -> TestEnv {
    TestEnv::on(store)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{collector}"))
        .with("LATCHKEY__TRACES__SAMPLE_RATIO", ratio)
        .with("OTEL_BSP_SCHEDULE_DELAY", "20")
}

/// A `traceparent` with these flags.
fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

fn create_token(server: &Server, traceparent: &str) -> String {
    let body = json!({ "tokenName": "made-up", "type": "client" });
    let response = server.as_admin(
        Request::post(TOKENS, &body)
            .header("traceparent", traceparent)
            .header("x-request-id", "id-of-client"),
    );
    assert_eq!(response.status, 201, "{}\n{}", response.text(), server.stderr());
    response.json()["secret"].as_str().expect("a secret").to_owned()
}

fn a_trace_is_continued_to_the_database(store: Store, system: &str) {
    let collector = Collector::start();
    let env = env(store, collector.address, "0")
        .with("LATCHKEY__TRACES__TRUST_CLIENTS", "true")
        .with("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test");
    let server = env.serve();
    let secret = create_token(&server, &traceparent("01"));
    let request = collector.span(&format!("POST {ROUTE}"));
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!(request.kind(), SpanKind::Server);
    let mut found = attributes(&request.attributes);
    let user = found.remove("user.id").expect("a principal");
    assert!(user.starts_with("token:"), "{user}");
    let expected = [
        ("client.address", "127.0.0.1"),
        ("http.request.method", "POST"),
        ("http.response.status_code", "201"),
        ("http.route", ROUTE),
        ("network.protocol.version", "1.1"),
        ("url.scheme", "http"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name, value.to_owned())).into());
    let call = collector.span("create_tokens");
    assert_eq!((&call.trace_id, &call.parent_span_id), (&request.trace_id, &request.span_id));
    assert_eq!(call.kind(), SpanKind::Client);
    let expected = [("db.operation.name", "create_tokens"), ("db.system.name", system)];
    assert_eq!(attributes(&call.attributes), expected.map(|(name, value)| (name, value.to_owned())).into());

    let log = server.stop();
    let line =
        log.lines().find(|line| line.contains("latchkey_http::access")).expect("a line of the access log");
    let line: Value = serde_json::from_str(line).expect("JSON");
    let spans =
        json!([{ "name": "request", "method": "POST", "request_id": "id-of-client", "trace_id": TRACE }]);
    assert_eq!(line["spans"], spans, "the log leads to the trace");

    let resource = collector.requests()[0].resource_spans[0].resource.clone().expect("a resource");
    let expected = [
        ("deployment.environment.name", "test"),
        ("service.name", "latchkey"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ];
    assert_eq!(
        attributes(&resource.attributes),
        expected.map(|(name, value)| (name, value.to_owned())).into()
    );
    let (_, digits) = secret.split_once('.').expect("the prefix ends with a dot");
    for body in &*collector.bodies.lock().expect("no panic") {
        let text = String::from_utf8_lossy(body);
        for hidden in [digits, ADMIN, "made-up", "id-of-client"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[test]
fn a_trace_is_continued_to_the_database_on_sqlite() {
    a_trace_is_continued_to_the_database(Store::Sqlite, "sqlite");
}

#[test]
fn a_trace_is_continued_to_the_database_on_postgres() {
    a_trace_is_continued_to_the_database(Store::Postgres, "postgresql");
}

/// Returns the spans of requests that arrive for these values of `traceparent` until the server has stopped.
fn recorded(env: &TestEnv, collector: &Collector, traceparents: &[&str]) -> Vec<Span> {
    let server = env.serve();
    for traceparent in traceparents {
        create_token(&server, traceparent);
    }
    server.stop();
    collector.spans_of_requests()
}

#[test]
fn only_sampled_requests_are_recorded_and_a_stop_sends_the_rest() {
    let collector = Collector::start();
    // Longer than any test: what arrives was sent by the stop.
    let env = env(Store::Sqlite, collector.address, "0")
        .with("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .with("LATCHKEY__SERVER__TRUSTED_PROXIES", "127.0.0.1/32");
    let sampled = traceparent("01");
    let spans = recorded(&env, &collector, &[&traceparent("00"), "00-malformed", &sampled]);
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(hex(&spans[0].parent_span_id), CALLER);
    let of_store = collector.spans().len() - 1;
    assert!(of_store > 0, "calls to the store");
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) == TRACE), "and no others");
}

#[test]
fn a_client_that_is_no_proxy_has_no_say_in_what_is_recorded() {
    let collector = Collector::start();
    let none = recorded(&env(Store::Sqlite, collector.address, "0"), &collector, &[&traceparent("01")]);
    assert_eq!(none, []);
    let both = [traceparent("00"), traceparent("01")];
    let all = env(Store::Sqlite, collector.address, "1");
    let spans = recorded(&all, &collector, &[&both[0], &both[1]]);
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) != TRACE && span.parent_span_id.is_empty()),
        "{spans:?}"
    );
}

#[test]
fn every_request_can_be_recorded_verifications_too() {
    let collector = Collector::start();
    let server = env(Store::Memory, collector.address, "1").serve();
    let verify = |secret| Request::get("/auth/verify").by(secret);
    let secret_in_path = Request::delete("/api/admin/api-tokens/default:development.in-the-path");
    let secret_in_query = Request::get("/nowhere?token=in-the-query");
    let made_up = Request::new("MADEUP", "/health");
    for (request, status) in [
        (verify(ADMIN), 200),
        (verify("*:*.unknown"), 401),
        (secret_in_path.by(ADMIN), 200),
        (secret_in_query.by(ADMIN), 404),
        (made_up, 405),
    ] {
        assert_eq!(server.send(&request).status, status, "{request:?}");
    }
    server.stop();
    let spans = collector.spans_of_requests();
    let named =
        |name| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:?}"));
    assert_eq!(spans.iter().filter(|span| span.name == "GET /auth/verify").count(), 2, "{spans:?}");
    named("DELETE /api/admin/api-tokens/{token}");
    assert!(!attributes(&named("GET").attributes).contains_key("http.route"), "no route matches");
    assert_eq!(attributes(&named("HTTP /health").attributes)["http.request.method"], "_OTHER");
    assert!(spans.iter().all(|span| span.parent_span_id.is_empty()), "{spans:?}");
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!(traces.len(), spans.len(), "each is a trace of its own");
    let found = collector.span("find_token_by_digest");
    assert!(
        spans.iter().any(|span| span.span_id == found.parent_span_id),
        "of the verification that looked it up"
    );
    let sent = format!("{:?}", collector.spans());
    for hidden in ["in-the-path", "in-the-query", "MADEUP", "unknown"] {
        assert!(!sent.contains(hidden), "{hidden} in {sent}");
    }
}

#[test]
fn a_database_that_fails_is_seen_in_the_trace() {
    let collector = Collector::start();
    let remote = RemoteServer::of(env(Store::Postgres, collector.address, "1"));
    remote.proxy.cut();
    remote.answer_when_dead(&Request::get(TOKENS).by(ADMIN));
    let failed = until("a request that failed", || {
        let failed = |span: &Span| attributes(&span.attributes).contains_key("error.type");
        let spans = collector.spans_of_requests();
        spans.into_iter().find(|span| span.name == format!("GET {ROUTE}") && failed(span))
    });
    assert_eq!(failed.status.as_ref().expect("a status").code(), StatusCode::Error);
    let attributes_of_failed = attributes(&failed.attributes);
    assert_eq!(attributes_of_failed["error.type"], "503");
    assert_eq!(attributes_of_failed["latchkey.error_id"].len(), 36, "{attributes_of_failed:?}");
    let call = until("the call that failed", || {
        collector.spans().into_iter().find(|span| span.parent_span_id == failed.span_id)
    });
    assert_eq!(call.status.as_ref().expect("a status").code(), StatusCode::Error);
    assert_eq!(attributes(&call.attributes)["error.type"], "unavailable");
}

#[test]
fn a_collector_that_never_answers_delays_no_request_and_no_stop() {
    const QUEUE: u32 = 10;
    const REQUESTS: u32 = 50;
    // Accepts connections in its backlog, and nothing more.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let server = env(Store::Memory, silent.local_addr().expect("its address"), "1")
        .with("OTEL_BSP_MAX_QUEUE_SIZE", &QUEUE.to_string())
        .serve();
    for _ in 0..REQUESTS {
        assert_eq!(server.status("/auth/verify", ADMIN), 200);
    }
    let lost = || {
        let of = |result: &str| metric(&server, result);
        of("dropped") + of("failed")
    };
    until_true("all but the queue are lost, and counted", || lost() >= REQUESTS - QUEUE);
    assert!(server.send(&Request::get("/ready")).status == 200);
    let log = server.stop();
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn a_collector_that_is_away_is_reported_once_and_again_when_it_is_back() {
    let collector = Collector::start();
    collector.is_away.store(true, Ordering::Relaxed);
    let server = env(Store::Memory, collector.address, "1").serve();
    let until_counted = |result| {
        let before = metric(&server, result);
        until_true(result, || {
            assert_eq!(server.status("/auth/verify", ADMIN), 200);
            metric(&server, result) > before
        });
    };
    until_counted("failed");
    until_counted("failed");
    collector.is_away.store(false, Ordering::Relaxed);
    until_counted("sent");
    collector.span("GET /auth/verify");
    let log = server.stop();
    for line in ["does not take traces", "takes traces again"] {
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
}

/// Returns the number of spans with this result; 0 before the first.
fn metric(server: &Server, result: &str) -> u32 {
    let text = server.send(&Request::get("/metrics")).text();
    let name = format!("latchkey_trace_spans_total{{result=\"{result}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value.map_or(0, |value| value.parse().expect("a count"))
}
