//! The proxies of `deploy` in front of Latchkey, exactly as the files say: they pass requests and the client's address
//! on, hide private routes, and write no secret to any log.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use latchkey_testkit::{
    env::{Store, TestEnv, random_part},
    raw_http::Request,
    server::{ADMIN, TOKENS, percent_encoded},
    wait::until_true,
};
use tempfile::TempDir;

use crate::{
    neighbors::{self, NeighborProcess},
    nginx,
};

/// Returns a file of `deploy` with these texts replaced, each of which it has at least once.
fn file(name: &str, replacements: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    let text = fs::read_to_string(path).expect(name);
    replacements.iter().fold(text, |text, (shown, real)| {
        assert!(text.contains(shown), "{name} has {shown}");
        text.replace(shown, real)
    })
}

/// Writes a certificate for the names of this machine, and its key.
fn certificate(directory: &TempDir) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let path = directory.path().join("latchkey.pem");
    fs::write(&path, made.cert.pem() + &made.signing_key.serialize_pem()).expect("written");
    path.display().to_string()
}

/// Returns the command that runs nginx with a file of `deploy`, and with a certificate in place of the one that it names.
pub(crate) fn nginx_with(
    (name, pem): (&str, &str),
    directory: &TempDir,
    port: u16,
    addresses: &[(&str, String)],
) -> Command {
    let (made, key) = (certificate(directory), pem.replace(".pem", ".key"));
    let replacements = [
        ("listen 443 ssl http2;", format!("listen 127.0.0.1:{port};")),
        (pem, made.clone()),
        (key.as_str(), made),
        ("/var/log/nginx", directory.path().display().to_string()),
    ];
    nginx::command(directory, &file(name, &[replacements.as_slice(), addresses].concat()))
}

fn nginx(directory: &TempDir, port: u16, latchkey: SocketAddr) -> Command {
    let addresses = [("127.0.0.1:4242 max_fails", format!("{latchkey} max_fails"))];
    nginx_with(("proxy/nginx.conf", "/etc/ssl/latchkey.pem"), directory, port, &addresses)
}

fn haproxy(directory: &TempDir, port: u16, latchkey: SocketAddr) -> Command {
    let place = directory.path().display();
    let text = file(
        "proxy/haproxy.cfg",
        &[
            ("bind :443 ssl", format!("bind 127.0.0.1:{port}\n    bind unix@{place}/tls ssl")),
            ("/etc/haproxy/latchkey.pem", certificate(directory)),
            ("127.0.0.1:4242", latchkey.to_string()),
        ],
    );
    let path = directory.path().join("haproxy.cfg");
    fs::write(&path, text).expect("written");
    let mut command = neighbors::command(neighbors::installed("haproxy"));
    command.arg("-db").arg("-f").arg(path);
    command
}

fn caddy(directory: &TempDir, port: u16, latchkey: SocketAddr) -> Command {
    let text = file(
        "proxy/Caddyfile",
        &[
            // No certificate is asked for, and no second port is opened.
            ("latchkey.example.com {", format!("http://latchkey.test:{port} {{\n\tbind 127.0.0.1")),
            ("\tlog default {", "\tadmin off\n\tlog default {".to_owned()),
            ("127.0.0.1:4242", latchkey.to_string()),
        ],
    );
    let path = directory.path().join("Caddyfile");
    fs::write(&path, text).expect("written");
    let mut command = neighbors::command(neighbors::installed("caddy"));
    command.env("HOME", directory.path()).args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
    command
}

pub(crate) type Proxy = fn(&TempDir, u16, SocketAddr) -> Command;

/// Returns everything that a proxy has written.
fn logs(proxy: &NeighborProcess, directory: &TempDir) -> String {
    let files = fs::read_dir(directory.path()).expect("a directory").flatten();
    let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
    logs.map(|file| fs::read_to_string(file.path()).expect("text")).collect::<String>() + &proxy.output()
}

/// Checks what every proxy in front of Latchkey must do.
pub(crate) fn stands_in_front_of_latchkey(name: &str, proxy: Proxy) {
    let env = TestEnv::on(Store::Sqlite).with("LATCHKEY__SERVER__TRUSTED_PROXIES", "127.0.0.1");
    let latchkey = env.serve();
    let directory = tempfile::tempdir().expect("a directory");
    let neighbor = NeighborProcess::start(name, |port| proxy(&directory, port, latchkey.address()));
    let send = |request: Request| request.send_to(neighbor.address).expect("the proxy answers");

    let secret = latchkey.create_token("of a client");
    until_true("requests are passed on", || send(Request::get("/auth/verify").by(&secret)).status == 200);
    let path = format!("{}/{}", TOKENS, percent_encoded(&secret));
    let deleted = send(Request::delete(&path).by(ADMIN).header("x-forwarded-for", "192.0.2.7"));
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(send(Request::get("/auth/verify").by(&secret)).status, 401);
    let event = latchkey.as_admin(Request::get("/api/admin/events?limit=1")).json()["events"][0].clone();
    assert_eq!(event["type"], "api-token-deleted");
    assert_eq!(event["ip"], "127.0.0.1", "not what the client said: {event}");

    for private in ["/metrics", "/internal-backstage/prometheus"] {
        assert_eq!(send(Request::get(private)).status, 404, "{private}");
    }
    // An error of the proxy is logged too.
    latchkey.stop();
    let refused = send(Request::delete(&path).by(ADMIN));
    assert!([502, 503, 504].contains(&refused.status), "{}", refused.status);
    until_true("the request is logged", || logs(&neighbor, &directory).contains(&refused.status.to_string()));
    let logs = logs(&neighbor, &directory);
    assert!(logs.contains("DELETE"), "{logs}");
    for random in [&secret, ADMIN].map(random_part) {
        assert!(!logs.contains(random), "{logs}");
    }
}

#[test]
fn nginx_stands_in_front_of_latchkey() {
    stands_in_front_of_latchkey("nginx", nginx);
}

#[test]
fn haproxy_stands_in_front_of_latchkey() {
    stands_in_front_of_latchkey("haproxy", haproxy);
}

#[test]
fn caddy_stands_in_front_of_latchkey() {
    stands_in_front_of_latchkey("caddy", caddy);
}
