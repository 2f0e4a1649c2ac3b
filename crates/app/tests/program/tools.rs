//! Commands that need no database: the health check, completions, manual pages.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use latchkey_testkit::env::TestEnv;

#[test]
fn a_running_server_is_well() {
    let env = TestEnv::new();
    let server = env.serve();
    let url = format!("http://{}", server.address());
    for line in [format!("health --url {url}"), format!("health --ready --url {url}/")] {
        assert_eq!(env.succeed(&line), r#"{"health":"GOOD"}"#, "{line}");
    }
    // By default, the configured address.
    let env = env.with("PORT", &server.address().port().to_string());
    assert_eq!(env.succeed("health"), r#"{"health":"GOOD"}"#);
    server.stop();
    let error = env.fail("health --ready", 1);
    assert_eq!(error, format!("latchkey: {url}/ready does not answer: Connection refused (os error 111)\n"));
}

#[test]
fn a_server_that_is_not_well_fails_the_check() {
    for (answer, expected) in [
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"health\":\"BAD\"}", "says 503: {\"health\":\"BAD\"}"),
        ("220 mail.example ESMTP\r\n\r\n", "does not answer: what answers does not speak HTTP"),
        ("", "does not answer: what answers does not speak HTTP"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let answering = thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            let read = connection.read(&mut [0; 1_024]).expect("the request");
            assert!(read > 0);
            connection.write_all(answer.as_bytes()).expect("sent");
        });
        let error = TestEnv::new().fail(&format!("health --url {url}"), 1);
        assert!(error.starts_with("latchkey: http://127.0.0.1:") && error.contains(expected), "{error}");
        answering.join().expect("no panic");
    }
    for url in ["ftp://localhost", "localhost:4242", "http://localhost:4242/health"] {
        let error = TestEnv::new().fail(&format!("health --url {url}"), 2);
        assert!(error.contains("http://<host>:<port>"), "{url}: {error}");
    }
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let env = TestEnv::new();
    for (shell, expected) in
        [("bash", "complete -F _latchkey"), ("zsh", "#compdef latchkey"), ("fish", "complete -c latchkey")]
    {
        let script = env.succeed(&format!("completions {shell}"));
        assert!(script.contains(expected) && script.contains("set-password"), "{shell}");
    }
    env.fail("completions tcsh", 2);
    let page = env.succeed("man");
    assert!(page.contains(".TH latchkey 1") && page.contains("latchkey\\-token(1)"), "{page}");
    let page = env.succeed("man token create");
    assert!(page.contains(".TH latchkey-token-create 1") && page.contains("\\-\\-expires\\-in"), "{page}");
    let error = env.fail("man token make", 1);
    assert_eq!(error, "latchkey: there is no command \"latchkey token make\"\n");
}
