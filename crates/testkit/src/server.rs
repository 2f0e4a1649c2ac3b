//! A running server: its process, its address, what it says.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::{
    ground::{ADMIN, Ground},
    waiting::{until, until_true},
    wire::{Answer, Call},
};

/// The tokens of the project that every instance has.
pub(crate) const TOKENS: &str = "/api/admin/projects/default/api-tokens";

/// A server that is stopped when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    output: Arc<Mutex<Vec<u8>>>,
    listeners: Vec<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(ground: &Ground) -> Self {
        // It takes a free port and says which. One that is chosen here could become another server's until it is taken, and
        // that one would answer in its place.
        let mut process = ground
            .program()
            .arg("serve")
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = Arc::default();
        let listeners = vec![
            listen(process.stdout.take().expect("piped"), &output),
            listen(process.stderr.take().expect("piped"), &output),
        ];
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { process, address: unknown, output, listeners };
        server.address = until("its address", || server.said_address());
        until_true("readiness", || {
            Call::get("/ready").send_to(server.address).is_ok_and(|answer| answer.status == 200)
        });
        server
    }

    fn said_address(&mut self) -> Option<SocketAddr> {
        if let Some(status) = self.process.try_wait().expect("its state") {
            self.listeners.drain(..).for_each(|listener| listener.join().expect("read to the end"));
            panic!("the server stopped with {status}:\n{}", self.said());
        }
        let said = self.said();
        let (_, url) = said.split_once(" serves on http://")?;
        let (address, _) = url.split_once(' ')?;
        Some(address.parse().expect("an address"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it has printed so far, on both streams.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().expect("the output")).into_owned()
    }

    /// Asks it to stop, waits until it has, and gives back all that it printed.
    pub(crate) fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(asked.success(), "no signal could be sent");
        let status = self.process.wait().expect("its end");
        self.listeners.drain(..).for_each(|listener| listener.join().expect("read to the end"));
        assert!(status.success(), "{status}:\n{}", self.said());
        self.said()
    }

    /// Ends it as a power cut would.
    pub(crate) fn crash(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("its end");
    }

    /// Sends a call; no answer is a failure.
    #[track_caller]
    pub(crate) fn send(&self, call: &Call) -> Answer {
        call.send_to(self.address)
            .unwrap_or_else(|error| panic!("no answer to {call:?}: {error}\n{}", self.said()))
    }

    /// One of the numbers that a monitor sees.
    #[track_caller]
    pub(crate) fn number(&self, name: &str) -> f64 {
        let text = self.send(&Call::get("/internal-backstage/prometheus")).text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    #[track_caller]
    pub(crate) fn as_admin(&self, call: Call) -> Answer {
        self.send(&call.by(ADMIN))
    }

    /// The tokens of the default project, as the admin token sees them.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Vec<Value> {
        let answer = self.as_admin(Call::get(TOKENS));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["tokens"].as_array().expect("a list").clone()
    }

    /// Creates a client token in the default project; gives back its secret.
    #[track_caller]
    pub(crate) fn create(&self, name: &str) -> String {
        let body = serde_json::json!({ "tokenName": name, "type": "client" });
        let answer = self.as_admin(Call::post(TOKENS, &body));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["secret"].as_str().expect("a secret").to_owned()
    }

    /// Deletes a token of the default project by its secret or id.
    #[track_caller]
    pub(crate) fn delete(&self, token: &str) -> Answer {
        self.as_admin(Call::delete(&format!("{TOKENS}/{}", percent_encoded(token))))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has stopped already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn listen(mut stream: impl Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            output.lock().expect("the output").extend_from_slice(&piece[..length]);
        }
    })
}

/// The text as one segment of a path.
pub(crate) fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
