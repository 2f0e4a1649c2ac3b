use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::SystemTime,
};

use latchkey_domain::{Timestamp, WebhookUrl};
use latchkey_ports::ManualClock;
use ureq::http::HeaderMap;

use super::*;

/// A request as a receiver gets it.
struct Received {
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A receiver that answers one request, and hands it over.
fn receiver(answer: &'static str) -> (SocketAddr, JoinHandle<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let receiving = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(connection.try_clone().expect("a connection"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let mut headers = HeaderMap::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("a header");
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            let name: ureq::http::HeaderName = name.parse().expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.to_str().expect("ASCII").parse().expect("a number"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        connection.write_all(answer.as_bytes()).expect("answered");
        Received { line: line.trim_end().to_owned(), headers, body }
    });
    (address, receiving)
}

/// The verifier reads the clock of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the verifier of Standard Webhooks reads the clock of the machine"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("in range")).expect("in range")
}

fn sender(allowed: &[&str]) -> HttpSender {
    let allowed = allowed.iter().map(|network| network.parse().expect("a network"));
    HttpSender::new(AllowedNetworks::new(allowed), Arc::new(ManualClock::at(now())))
}

fn outgoing(url: &str) -> Outgoing {
    Outgoing {
        url: WebhookUrl::new(url).expect("a URL"),
        id: "evt_7_0_abc".to_owned(),
        at: now(),
        body: r#"{"type":"api-token-created","data":{"tokenName":"é"}}"#.to_owned(),
        secret: WebhookSecret::mint([9; 24]),
    }
}

const DONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn a_receiver_verifies_the_signature_with_standard_webhooks() {
    let (address, receiving) = receiver(DONE);
    let sent = sender(&["127.0.0.0/8"]).send(outgoing(&format!("http://{address}/hook?a=b"))).await;
    assert_eq!((sent.status, &sent.error), (Some(204), &None));
    let Received { line, headers, body } = receiving.join().expect("received");
    assert_eq!(line, "POST /hook?a=b HTTP/1.1");
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!((header("content-type"), header("webhook-id")), ("application/json", "evt_7_0_abc"));
    assert!(header("user-agent").starts_with("Latchkey/"));
    assert_eq!(String::from_utf8(body.clone()).expect("UTF-8"), outgoing("https://x").body);
    let verifier = Webhook::new(WebhookSecret::mint([9; 24]).reveal()).expect("a secret");
    verifier.verify(&body, &headers).expect("the signature is right");
    verifier.verify(b"{}", &headers).expect_err("another body");
    let other = Webhook::new(WebhookSecret::mint([8; 24]).reveal()).expect("a secret");
    other.verify(&body, &headers).expect_err("another secret");
}

#[tokio::test]
async fn what_is_no_success_is_an_error_with_its_status() {
    for (answer, status) in [
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", 500),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410),
        // It is not followed: where it leads to is as good as any URL.
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302),
    ] {
        let (address, receiving) = receiver(answer);
        let sent = sender(&["127.0.0.1/32"]).send(outgoing(&format!("http://{address}/"))).await;
        assert_eq!(sent.status, Some(status));
        assert_eq!(sent.error, Some(format!("the receiver answered {status}")));
        receiving.join().expect("received");
    }
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let sent = sender(&["127.0.0.1/32"]).send(outgoing(&format!("http://{closed}/"))).await;
    assert_eq!(sent.status, None);
    assert!(sent.error.is_some_and(|error| error.contains("refused")));
}

/// The names are resolved first: what counts is where they lead.
#[tokio::test]
async fn nothing_is_sent_into_networks_that_are_not_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("a mode");
    for (host, allowed, refusal) in [
        ("127.0.0.1", &[][..], "not at a public address"),
        ("localhost", &[], "not at a public address"),
        ("[::1]", &[], "not at a public address"),
        ("[::ffff:127.0.0.1]", &[], "not at a public address"),
        ("127.1", &[], "not at a public address"),
        ("2130706433", &[], "not at a public address"),
        ("127.0.0.1", &["10.0.0.0/8"], "not at a public address"),
        ("169.254.169.254", &["127.0.0.0/8"], "not at a public address"),
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let sent = sender(allowed).send(outgoing(&url)).await;
            let error = sent.error.expect(&url);
            assert!(sent.status.is_none() && error.contains(refusal), "{url}: {error}");
        }
    }
    let sent = sender(&[]).send(outgoing("http://1.1.1.1/")).await;
    let error = sent.error.expect("plain HTTP");
    assert!(error.contains("the URL is not encrypted"), "{error}");
    assert!(listener.accept().is_err(), "a connection was made");
}
