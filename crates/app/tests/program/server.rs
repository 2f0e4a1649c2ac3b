//! A server that runs, until it is dropped.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

/// The tokens of the project that every instance has.
pub(crate) const TOKENS: &str = "/api/admin/projects/default/api-tokens";

/// Longer than anything here takes; then it has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until there is something, and fails with its name where there is nothing for long.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        if let Some(found) = attempt() {
            return found;
        }
        thread::sleep(PAUSE);
    }
    panic!("in vain after {PATIENCE:?}: {what}");
}

/// A server, known by what it prints and by its HTTP interface.
pub(crate) struct Server {
    process: Child,
    url: String,
    client: Client,
    stdout: Stream,
    stderr: Stream,
}

/// What comes out of a stream, as far as it has come.
struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(stream: impl Read + Send + 'static, mut on_line: impl FnMut(&str) + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut kept = kept.lock().expect("the text");
                kept.push_str(&line);
                kept.push('\n');
                on_line(&line);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().expect("the text").clone()
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("read to the end");
        }
        self.so_far()
    }
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (found, address) = mpsc::channel();
        let stdout = Stream::of(process.stdout.take().expect("piped"), move |line| {
            let url = line.split(" serves on ").nth(1).and_then(|rest| rest.split(' ').next());
            // Nobody listens any more after the first.
            let _ = url.map(|url| found.send(url.to_owned()));
        });
        let mut stderr = Stream::of(process.stderr.take().expect("piped"), |_| {});
        let Ok(url) = address.recv_timeout(PATIENCE) else {
            let _ = process.kill();
            panic!("the server does not say where it is: {}", stderr.all());
        };
        let client = Client::builder().timeout(PATIENCE).build().expect("a client");
        let server = Self { process, url, client, stdout, stderr };
        until("readiness", || {
            let answer = server.client.get(server.at("/ready")).send().ok()?;
            answer.status().is_success().then_some(())
        });
        server
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn get(&self, path: &str, secret: &str) -> Response {
        let call = self.client.get(self.at(path)).header("authorization", secret);
        call.send().expect("an answer")
    }

    pub(crate) fn status(&self, path: &str, secret: &str) -> u16 {
        self.get(path, secret).status().as_u16()
    }

    /// Signs in; gives back the cookie, or the status of the refusal.
    pub(crate) fn sign_in(&self, username: &str, password: &str) -> Result<String, u16> {
        let body = json!({ "username": username, "password": password });
        let answer = self.client.post(self.at("/auth/simple/login")).json(&body).send().expect("an answer");
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        let cookie = answer.headers().get("set-cookie").expect("a cookie").to_str().expect("a text");
        Ok(cookie.split(';').next().expect("a pair").to_owned())
    }

    /// The status of what anybody who is recognised may ask.
    pub(crate) fn status_with_cookie(&self, cookie: &str) -> u16 {
        let call = self.client.get(self.at("/api/admin/user")).header("cookie", cookie);
        call.send().expect("an answer").status().as_u16()
    }

    /// Creates a token in the default project; gives back its secret.
    pub(crate) fn create(&self, name: &str, secret: &str) -> String {
        let body = json!({ "tokenName": name, "type": "client" });
        let call = self.client.post(self.at(TOKENS)).header("authorization", secret).json(&body);
        let answer = call.send().expect("an answer");
        assert_eq!(answer.status(), 201);
        let token: Value = answer.json().expect("a token");
        token["secret"].as_str().expect("a secret").to_owned()
    }

    /// The names of the default project's tokens, in their own order.
    pub(crate) fn names(&self, secret: &str) -> Vec<String> {
        let list: Value = self.get(TOKENS, secret).json().expect("a list");
        let tokens = list["tokens"].as_array().expect("tokens");
        let names = tokens.iter().map(|token| token["tokenName"].as_str().expect("a name").to_owned());
        let mut names: Vec<_> = names.collect();
        // Lists are in the order of creation, to the millisecond; within one, chance decides.
        names.sort_unstable();
        names
    }

    /// All that it printed for people so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// All that it logged so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "no signal could be sent");
    }

    /// Waits for its end; gives back how it ended and what it logged.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = until("the end of the server", || self.process.try_wait().expect("its state"));
        (status, self.stderr.all())
    }

    /// Ends it as a power cut would.
    pub(crate) fn crash(self) {
        self.signal("KILL");
        self.end();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
