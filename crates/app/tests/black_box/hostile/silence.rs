//! A database that accepts connections and says nothing: its processes are stopped (`SIGSTOP`).

use std::time::Duration;

use latchkey_testkit::{
    cluster::Cluster,
    env::{Store, TestEnv},
    process::Signal,
    raw_http::Request,
    wait::until_true,
};
use tokio::runtime::Runtime;

use super::{creation, timed, verify};
use crate::remote_server::assert_unavailable;

/// A request ends within its time limit, whatever the database does.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

#[test]
#[ignore = "stops a PostgreSQL of its own: just hostile"]
fn a_silent_database() {
    let env = TestEnv::on(Store::Postgres);
    let runtime = Runtime::new().expect("a runtime");
    let cluster = runtime
        .block_on(Cluster::start(&env.path("cluster"), |program| std::process::Command::new(program)))
        .expect("PostgreSQL");
    let url = runtime.block_on(cluster.create_database("latchkey")).expect("a database");
    let env = env.with("DATABASE_URL", &url).with("LATCHKEY__SERVER__REQUEST_TIMEOUT", "5s");
    let server = env.serve();
    let secret = server.create_token("known");
    assert_eq!(verify(&server, &secret), 200);

    cluster.signal(Signal::STOP).expect("stopped");
    assert_eq!(verify(&server, &secret), 200, "from memory");
    let mut longest = Duration::ZERO;
    for number in 0..5 {
        let (response, took) = timed(|| server.as_admin(creation(&format!("into silence {number}"))));
        assert_unavailable(&response, "a creation");
        longest = longest.max(took);
    }
    let ((), until_refused) = timed(|| until_true("too stale", || verify(&server, &secret) == 503));
    assert_eq!(server.send(&Request::get("/health")).status, 200);
    assert_eq!(server.send(&Request::get("/ready")).status, 503);
    println!(
        "a creation was refused after {longest:?} at most; the known token {until_refused:?} after that"
    );
    assert!(longest < REQUEST_TIMEOUT + Duration::from_secs(5), "{longest:?}");

    cluster.signal(Signal::CONT).expect("continued");
    let ((), back) = timed(|| until_true("verification", || verify(&server, &secret) == 200));
    until_true("writes", || server.as_admin(creation("after the silence")).status == 201);
    println!("verification was back {back:?} after the database");
}
