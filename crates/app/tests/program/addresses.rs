//! Addresses to listen on, and the service manager.

use std::{
    fs,
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixDatagram, UnixStream},
    },
    path::Path,
    process::Command,
};

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    process::{Process, Signal, free_port, installed},
    raw_http::{Request, Response},
    server::TOKENS,
    wait::{until, until_true},
};
use serde_json::json;

fn start(env: &TestEnv, arguments: &str) -> Process {
    Process::start(&mut env.command(arguments), "latchkey").expect("started").stopped_by(Signal::TERM)
}

/// Sends a request through a Unix domain socket, once the server listens there.
fn send(process: &mut Process, path: &Path, request: &Request) -> Response {
    until("a response", || {
        process.check().expect("it runs");
        request.exchange(UnixStream::connect(path).ok()?).ok()
    })
}

#[test]
fn a_unix_domain_socket_serves_and_is_removed_at_the_end() {
    let env = TestEnv::on(Store::Sqlite);
    let path = env.path("latchkey.sock");
    let env = env.with("LATCHKEY__SERVER__LISTEN", "unix:latchkey.sock");
    let mut process = start(&env, "serve");
    let response = send(&mut process, &path, &Request::get(TOKENS).by(ADMIN));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(fs::metadata(&path).expect("its file").permissions().mode() & 0o777, 0o660);
    until_true("the address is printed", || {
        process
            .stdout()
            .contains("curl --unix-socket latchkey.sock -H \"Authorization: $TOKEN\" http://localhost/")
    });

    assert_eq!(env.succeed("health --ready"), r#"{"health":"GOOD"}"#);

    // Another server does not take it away.
    let error = env.fail("serve --log-level off", 1);
    assert!(error.starts_with("latchkey: unix:latchkey.sock is in use: stop the program"), "{error}");
    assert_eq!(send(&mut process, &path, &Request::get("/health")).status, 200);

    process.signal(Signal::TERM).expect("it runs");
    assert!(process.wait().expect("its end").success(), "{}", process.output());
    assert!(!path.exists());
    let error = env.fail("health", 1);
    assert!(
        error.starts_with("latchkey: unix:latchkey.sock /health does not answer: No such file"),
        "{error}"
    );
}

#[test]
fn the_socket_of_a_server_that_was_killed_is_replaced() {
    let env = TestEnv::on(Store::Sqlite);
    let path = env.path("latchkey.sock");
    let mut process = start(&env, "serve --listen unix:latchkey.sock");
    assert_eq!(send(&mut process, &path, &Request::get("/health")).status, 200);
    process.signal(Signal::KILL).expect("it runs");
    process.wait().expect("its end");
    assert!(path.exists(), "nothing removes it");
    let mut process = start(&env, "serve --listen unix:latchkey.sock");
    assert_eq!(send(&mut process, &path, &Request::get("/health")).status, 200);
}

#[test]
fn clients_of_a_unix_domain_socket_are_on_this_machine() {
    let address_of_creation = |trusted: &str| {
        let env = TestEnv::on(Store::Sqlite).with("LATCHKEY__SERVER__TRUSTED_PROXIES", trusted);
        let mut process = start(&env, "serve --listen unix:latchkey.sock");
        let path = env.path("latchkey.sock");
        let create = Request::post(TOKENS, &json!({ "tokenName": "web", "type": "client" }));
        let create = create.by(ADMIN).header("x-forwarded-for", "203.0.113.9");
        assert_eq!(send(&mut process, &path, &create).status, 201);
        let events = Request::get("/api/admin/search/events?type=IS:api-token-created").by(ADMIN);
        send(&mut process, &path, &events).json()["events"][0]["ip"].clone()
    };
    assert_eq!(address_of_creation("10.0.0.1"), "127.0.0.1");
    assert_eq!(address_of_creation("127.0.0.1"), "203.0.113.9");
}

#[test]
fn plain_http_on_another_address_than_loopback_is_warned_of() {
    let warning = "set server.tls.certificate and server.tls.key, or put a proxy";
    let log_of = |arguments: &str, trusted: &str| {
        let env = TestEnv::on(Store::Memory).with("LATCHKEY__SERVER__TRUSTED_PROXIES", trusted);
        env.serve_with(arguments).stop()
    };
    let log = log_of("--listen 0.0.0.0", "");
    assert!(log.contains(warning) && log.contains("server.trusted_proxies"), "{log}");
    for (arguments, trusted) in [("", ""), ("--listen 0.0.0.0", "10.0.0.1")] {
        let log = log_of(arguments, trusted);
        assert!(!log.contains(warning), "{arguments} {trusted}: {log}");
    }
}

#[test]
fn sighup_does_not_end_a_server_that_has_nothing_to_reload() {
    let server = TestEnv::on(Store::Sqlite).serve();
    server.signal(Signal::HUP);
    until_true("it is noticed", || server.stderr().contains("there is nothing to reload"));
    assert_eq!(server.status(TOKENS, ADMIN), 200);
    server.stop();
}

#[test]
fn the_service_manager_is_told_of_start_reload_and_stop() {
    let env = TestEnv::on(Store::Sqlite);
    let path = env.path("notify.sock");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("set");
    let env = env.with("NOTIFY_SOCKET", &path.display().to_string());
    let server = env.serve();
    let told = || {
        let mut message = [0; 1024];
        let length = manager.recv(&mut message).expect("a message");
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_eq!(told(), "READY=1\n");
    server.signal(Signal::HUP);
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1\n");
    server.signal(Signal::TERM);
    assert_eq!(told(), "STOPPING=1\n");
    server.wait();
}

#[test]
fn the_service_manager_is_told_that_the_server_is_alive() {
    let env = TestEnv::on(Store::Sqlite);
    let path = env.path("notify.sock");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("set");
    let env = env.with("NOTIFY_SOCKET", &path.display().to_string()).with("WATCHDOG_USEC", "200000");
    let _server = env.serve();
    let mut alive = 0;
    while alive < 3 {
        let mut message = [0; 1024];
        let length = manager.recv(&mut message).expect("a message");
        alive += u32::from(&message[..length] == b"WATCHDOG=1\n");
    }
}

#[test]
fn a_socket_of_the_service_manager_takes_the_place_of_the_address() {
    let env = TestEnv::on(Store::Sqlite).with("LATCHKEY__SERVER__LISTEN", "192.0.2.1");
    let port = free_port().expect("a port");
    let program = env.command("serve");
    let mut command =
        Command::new(installed("systemd-socket-activate", "systemd").expect("systemd-socket-activate"));
    command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    for (name, value) in program.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            command.arg("--setenv").arg(format!("{name}={value}"));
        }
    }
    command.arg(program.get_program()).args(program.get_args());
    command.env_clear().current_dir(env.directory());
    let mut process =
        Process::start(&mut command, "systemd-socket-activate").expect("started").stopped_by(Signal::TERM);
    // It starts the server at the first connection.
    let address = ([127, 0, 0, 1], port).into();
    let response = until("a response", || {
        process.check().expect("it runs");
        Request::get(TOKENS).by(ADMIN).send_to(address).ok()
    });
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(
        process.stdout().contains(&format!(" serves on http://127.0.0.1:{port} ")),
        "{}",
        process.output()
    );
}
