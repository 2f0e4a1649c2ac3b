//! A running server: its process, its address and its HTTP interface.
#![expect(
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose server does not respond fails"
)]

use std::{
    net::SocketAddr,
    process::{Command, ExitStatus},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    process::{Process, Signal},
    raw_http::{Request, Response},
    wait::{try_until, until},
};

/// The admin token that [`TestEnv::on`](crate::env::TestEnv::on) gives a server at its first start.
pub const ADMIN: &str = "*:*.Hq3Zk8WvT2mXc5LrJ9sBy7NdFp4GxUe6";

/// The API tokens of the project that every instance has.
pub const TOKENS: &str = "/api/admin/projects/default/api-tokens";

/// The paths of an address or a process that verifies tokens, without those of metrics. Edge reports uses where it asks about
/// tokens.
pub const OF_VERIFICATION: [&str; 8] = [
    "/auth/verify",
    "/edge/validate",
    "/api/verify",
    "/oauth2/introspect",
    "/api/client/metrics/bulk",
    "/edge/metrics",
    "/health",
    "/ready",
];

/// A server that is killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// Starts a Latchkey on a port of its own choice and waits until it is ready. With TLS, that is when it prints its address.
    ///
    /// A port that is chosen here could be taken by another process before the server binds it.
    ///
    /// # Errors
    /// If it ends, or does not become ready in time.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut process = Process::start(&mut command, "latchkey")?;
        let address = try_until(|| match printed_address(&process.stdout()) {
            Some(address) => Some(Ok(address)),
            None => process.check().err().map(Err),
        });
        let address = address.context("the server does not print its address")??;
        if process.stdout().contains(" serves on https://") {
            return Ok(Self { process, address });
        }
        Self::ready(process, address, "/ready")
    }

    /// Waits until the process responds to a GET request for the target with 200.
    ///
    /// # Errors
    /// If it ends, or does not respond so in time.
    pub fn ready(mut process: Process, address: SocketAddr, target: &str) -> anyhow::Result<Self> {
        let request = Request::get(target);
        let ready = try_until(|| match request.send_to(address) {
            Ok(response) if response.status == 200 => Some(Ok(())),
            _ => process.check().err().map(Err),
        });
        ready.with_context(|| format!("no success on {target}:\n{}", process.last_lines()))??;
        Ok(Self { process, address })
    }

    /// Returns its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it has printed on standard output.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// Returns its log, which it prints on standard error.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Returns what it has printed on both streams.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Sends a signal to its process.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal).expect("the server runs");
    }

    /// Waits for the end of its process; returns the exit status and all output.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = until("the end of the server", || self.process.exit_status().expect("its status"));
        (status, self.output())
    }

    /// Stops it gracefully, which must succeed; returns all output.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, output) = self.wait();
        assert!(status.success(), "{status}:\n{output}");
        output
    }

    /// Ends it as a power cut would.
    pub fn crash(self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        request
            .send_to(self.address)
            .unwrap_or_else(|error| panic!("no response to {request:?}: {error}\n{}", self.output()))
    }

    /// Sends a request as the admin token.
    #[track_caller]
    pub fn as_admin(&self, request: Request) -> Response {
        self.send(&request.by(ADMIN))
    }

    /// Returns the status of a GET request with this secret.
    #[track_caller]
    pub fn status(&self, target: &str, secret: &str) -> u16 {
        self.send(&Request::get(target).by(secret)).status
    }

    /// Returns the value of a metric, given by its name and labels.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.send(&Request::get("/internal-backstage/prometheus")).text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    /// Logs in; returns the cookie, or the status of the refusal.
    ///
    /// # Errors
    /// The status, if it is not 200.
    #[track_caller]
    pub fn sign_in(&self, username: &str, password: &str) -> Result<String, u16> {
        let body = json!({ "username": username, "password": password });
        let response = self.send(&Request::post("/auth/simple/login", &body));
        match response.status {
            200 => Ok(response.cookie()),
            status => Err(status),
        }
    }

    /// Returns the status of a request for the signed-in user with this cookie.
    #[track_caller]
    pub fn status_with_cookie(&self, cookie: &str) -> u16 {
        self.send(&Request::get("/api/admin/user").header("cookie", cookie)).status
    }

    /// Returns the API tokens of the default project, as this secret sees them.
    #[track_caller]
    pub fn tokens_seen_by(&self, secret: &str) -> Vec<Value> {
        let response = self.send(&Request::get(TOKENS).by(secret));
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["tokens"].as_array().expect("a list").clone()
    }

    /// Returns the API tokens of the default project, as the admin token sees them.
    #[track_caller]
    pub fn tokens(&self) -> Vec<Value> {
        self.tokens_seen_by(ADMIN)
    }

    /// Returns the sorted names of the default project's API tokens, as this secret sees them.
    #[track_caller]
    pub fn token_names_seen_by(&self, secret: &str) -> Vec<String> {
        let tokens = self.tokens_seen_by(secret);
        let mut names: Vec<_> =
            tokens.iter().map(|token| token["tokenName"].as_str().expect("a name").to_owned()).collect();
        // Tokens of the same millisecond are listed in the order of their random ids.
        names.sort_unstable();
        names
    }

    /// Creates a client token in the default project by this secret; returns the new secret.
    #[track_caller]
    pub fn create_token_by(&self, secret: &str, name: &str) -> String {
        let body = json!({ "tokenName": name, "type": "client" });
        let response = self.send(&Request::post(TOKENS, &body).by(secret));
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["secret"].as_str().expect("a secret").to_owned()
    }

    /// Creates a client token in the default project; returns its secret.
    #[track_caller]
    pub fn create_token(&self, name: &str) -> String {
        self.create_token_by(ADMIN, name)
    }

    /// Deletes a token of the default project by its secret or id.
    #[track_caller]
    pub fn delete_token(&self, token: &str) -> Response {
        self.as_admin(Request::delete(&format!("{TOKENS}/{}", percent_encoded(token))))
    }
}

fn printed_address(output: &str) -> Option<SocketAddr> {
    let (_, url) = output.split_once(" serves on http")?;
    let (_, address) = url.split_once("://")?;
    let (address, _) = address.split_once(' ')?;
    address.parse().ok()
}

/// Encodes the text as one segment of a path.
pub fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
