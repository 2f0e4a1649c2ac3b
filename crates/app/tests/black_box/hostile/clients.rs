//! Clients that hold connections without a request, send one slowly, or guess secrets as fast as they can: others are served,
//! in bounded memory.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};

use super::{timed, verify};

const IDLE: usize = 10_000;
const SLOW: usize = 1_000;
/// The verifications by good clients that are measured.
const GOOD: usize = 2_000;

/// Verifies a token again and again, each time on a connection of its own. Returns the median and the longest time.
fn good_clients(server: &Server, secret: &str) -> (Duration, Duration) {
    let mut times: Vec<_> = (0..GOOD)
        .map(|_| {
            let (status, took) = timed(|| verify(server, secret));
            assert_eq!(status, 200);
            took
        })
        .collect();
    times.sort();
    (times[GOOD / 2], times[GOOD - 1])
}

fn report(what: &str, server: &Server, before: u64, (median, longest): (Duration, Duration)) {
    let now = server.process().resident_kib().expect("its memory");
    println!(
        "{what}: memory {:.1} MiB (before: {:.1}); a verification took {median:?} (median) and {longest:?} (longest of {GOOD})",
        mebibytes(now),
        mebibytes(before),
    );
}

#[expect(clippy::cast_precision_loss, reason = "a figure to read")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

/// Opens as many connections as the server and this process may have, up to this number, and sends this on each.
fn hold(address: SocketAddr, count: usize, start: &[u8]) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
        stream.write_all(start).ok()?;
        Some(stream)
    };
    (0..count).map_while(connect).collect()
}

#[test]
#[ignore = "opens 11,000 connections: just hostile"]
fn idle_and_slow_connections() {
    let env = TestEnv::on(Store::Sqlite);
    let server = env.serve();
    let secret = server.create_token("good");
    let before = server.process().resident_kib().expect("its memory");
    report("no other clients", &server, before, good_clients(&server, &secret));

    let idle = hold(server.address(), IDLE, b"");
    report(&format!("{} idle connections", idle.len()), &server, before, good_clients(&server, &secret));
    drop(idle);

    let head = b"POST /edge/validate HTTP/1.1\r\nhost: latchkey.test\r\ncontent-type: application/json\r\n\
                 content-length: 1000000\r\n\r\n{\"tokens\": [";
    let mut slow = hold(server.address(), SLOW, head);
    for stream in &mut slow {
        // A part of the body, which then stops.
        drop(stream.write_all(&[b' '; 16 * 1024]));
    }
    report(&format!("{} slow requests", slow.len()), &server, before, good_clients(&server, &secret));
    drop(slow);
    report("after them", &server, before, good_clients(&server, &secret));
}

#[test]
#[ignore = "takes the whole machine: just hostile"]
fn a_flood_of_bad_credentials_from_one_address() {
    let env = TestEnv::on(Store::Sqlite);
    let server = env.serve();
    let secret = server.create_token("good");
    let before = server.process().resident_kib().expect("its memory");
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let statuses: Vec<AtomicUsize> = (0..600).map(|_| AtomicUsize::new(0)).collect();
    let figures = thread::scope(|scope| {
        for guesser in 0..8 {
            let (stop, sent, statuses, server) = (&stop, &sent, &statuses, &server);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let guess = format!("default:development.guess-{guesser}-{number}");
                    let request = Request::get("/auth/verify").by(&guess);
                    if let Ok(response) = request.send_to(server.address()) {
                        statuses[usize::from(response.status)].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let figures = good_clients(&server, &secret);
        stop.store(true, Ordering::Relaxed);
        figures
    });
    let count = |status: usize| statuses[status].load(Ordering::Relaxed);
    println!(
        "{} guesses: {} got 401, {} got 429, {} got 503",
        sent.into_inner(),
        count(401),
        count(429),
        count(503)
    );
    report("a flood of bad credentials from the same address", &server, before, figures);
    assert_eq!(count(200) + count(500), 0);
}
