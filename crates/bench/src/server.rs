//! The server under test, known by its binary and its HTTP interface only.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use latchkey_testkit::process::{Process, Signal, built, free_port};
use latchkey_testkit::server::Server;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cores::Cores;
use crate::floor::TOKENS_OF_PROJECT;
use crate::load::Request;
use crate::stopwatch::Stopwatch;

/// The admin token of the throwaway servers.
const ADMIN_TOKEN: &str = "*:*.bench-throwaway-admin-token";
/// The master key of the throwaway servers.
pub const MASTER_KEY: &str = "62656e63682062656e63682062656e63682062656e63682062656e6368206265";
/// A project that every store has from its first start.
pub const PROJECT: &str = "default";

/// A program that serves HTTP on this machine until it is dropped.
#[derive(Debug)]
pub struct Listener {
    server: Server,
    base: String,
    authorization: String,
}

/// Prepares a start of the server: no configuration but what is given here, in a directory without a configuration file.
#[must_use]
pub fn configured(mut command: Command, directory: &Path, database_url: &str, port: u16) -> Command {
    command
        .arg("serve")
        .current_dir(directory)
        .env_clear()
        .env("DATABASE_URL", database_url)
        .env("PORT", port.to_string());
    command
}

impl Listener {
    /// Starts the server on a database.
    ///
    /// # Errors
    /// Where it does not get ready.
    pub fn server(
        program: &Path,
        cores: &Cores,
        directory: &Path,
        database_url: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = configured(cores.measured(program), directory, database_url, port);
        command.env("LATCHKEY_MASTER_KEY", MASTER_KEY).env("INIT_ADMIN_API_TOKENS", ADMIN_TOKEN);
        // `taskset` is looked up on it.
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self::start(&mut command, "latchkey", port, "/ready")
    }

    /// Starts the Unleash server, from a folder in which it is installed.
    ///
    /// # Errors
    /// Where it is not installed there, or does not get ready.
    pub async fn reference(folder: &Path, cores: &Cores, database_url: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = cores.measured(Path::new("node"));
        command
            .args(["-e", "require('unleash-server').start()"])
            .current_dir(folder)
            .env("DATABASE_URL", database_url)
            .env("DATABASE_SSL", "false")
            .env("PORT", port.to_string())
            .env("INIT_ADMIN_API_TOKENS", ADMIN_TOKEN)
            .env("NODE_ENV", "production")
            .env("CHECK_VERSION", "false")
            .env("SEND_TELEMETRY", "false")
            .env("LOG_LEVEL", "error");
        let mut reference = Self::start(&mut command, "unleash-server", port, "/health")?;
        reference.authorization = reference.personal_token().await?;
        Ok(reference)
    }

    /// Creates a personal access token for the first user of Unleash, which shows all tokens to an admin token in place of a
    /// project's.
    async fn personal_token(&self) -> anyhow::Result<String> {
        let client = Client::new();
        let login = json!({"username": "admin", "password": "unleash4all"});
        let answer = client.post(format!("{}/auth/simple/login", self.base)).json(&login).send().await?;
        let answer = answer.error_for_status()?;
        let cookie = answer.headers().get("set-cookie").context("no cookie")?.to_str()?;
        // The pair without its attributes.
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let token = json!({"description": "bench", "expiresAt": "2999-01-01T00:00:00.000Z"});
        let url = format!("{}/api/admin/user/tokens", self.base);
        // Unleash responds to a login before it has stored the session.
        let waited = Stopwatch::start();
        let answer = loop {
            let answer = client.post(&url).header("cookie", &cookie).json(&token).send().await?;
            if answer.status() != StatusCode::UNAUTHORIZED || waited.elapsed() > Duration::from_secs(10) {
                break answer;
            }
            sleep(Duration::from_millis(100)).await;
        };
        let token: Value = answer.error_for_status()?.json().await?;
        Ok(token.get("secret").and_then(Value::as_str).context("a token without a secret")?.to_owned())
    }

    /// Starts a floor that answers this body; a database is given where it has one.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn floor(name: &str, cores: &Cores, body: &Path, database_url: Option<&str>) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = cores.measured(&built(name)?);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.arg("--body").arg(body);
        command.arg("--workers").arg(cores.workers().to_string());
        if let Some(url) = database_url {
            command.arg("--database-url").arg(url);
        }
        Self::start(&mut command, name, port, &path())
    }

    fn start(command: &mut Command, name: &str, port: u16, path: &str) -> anyhow::Result<Self> {
        let process = Process::start(command, name)?.stopped_by(Signal::TERM);
        let server = Server::ready(process, (Ipv4Addr::LOCALHOST, port).into(), path)?;
        let base = format!("http://{}", server.address());
        Ok(Self { server, base, authorization: ADMIN_TOKEN.to_owned() })
    }

    /// What is measured: the list of the project's tokens.
    #[must_use]
    pub fn list(&self) -> Request {
        self.get(&path())
    }

    /// A GET request that is authorized.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        let url = format!("{}{path}", self.base);
        Request { url, authorization: self.authorization.clone(), body: None }
    }

    /// A POST request that is authorized.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Request {
        Request { body: Some(body.to_string()), ..self.get(path) }
    }

    /// Creates that many client tokens for all projects; gives back their secrets.
    ///
    /// # Errors
    /// Where the server refuses one.
    pub async fn create_tokens_for_all_projects(&self, number: usize) -> anyhow::Result<Vec<String>> {
        let mut secrets = Vec::with_capacity(number);
        for index in 0..number {
            let body = json!({"tokenName": format!("bench-{index}"), "type": "client"});
            let answer = self.post("/api/admin/api-tokens", &body).answer().await?;
            let token: Value = serde_json::from_str(&answer)?;
            let secret = token.get("secret").and_then(Value::as_str).context("a token without a secret")?;
            secrets.push(secret.to_owned());
        }
        Ok(secrets)
    }

    /// Creates the tokens of the measured project, as a user would.
    ///
    /// # Errors
    /// Where the server refuses one.
    pub async fn create_tokens(&self) -> anyhow::Result<()> {
        let client = Client::new();
        for number in 1..=TOKENS_OF_PROJECT {
            let kind = if number % 2 == 0 { "frontend" } else { "client" };
            let answer = client
                .post(self.list().url)
                .header("authorization", &self.authorization)
                .json(&json!({"tokenName": format!("bench-{number}"), "type": kind, "environment": "development",
                              "projects": [PROJECT]}))
                .send()
                .await?;
            let status = answer.status();
            ensure!(status == StatusCode::CREATED, "a token was refused: {status} {}", answer.text().await?);
        }
        Ok(())
    }

    /// The body of the list, which must hold the project's tokens.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn body(&self) -> anyhow::Result<String> {
        let body = self.list().answer().await?;
        let parsed: Value = serde_json::from_str(&body)?;
        let tokens = parsed.get("tokens").and_then(Value::as_array);
        let tokens = tokens.context("the list has no tokens")?;
        ensure!(
            tokens.len() == TOKENS_OF_PROJECT,
            "the list has {} tokens instead of {TOKENS_OF_PROJECT}",
            tokens.len()
        );
        Ok(body)
    }

    /// Returns the process.
    #[must_use]
    pub fn process(&self) -> &Process {
        self.server.process()
    }
}

fn path() -> String {
    crate::floor::ROUTE.replace("{project}", PROJECT)
}
