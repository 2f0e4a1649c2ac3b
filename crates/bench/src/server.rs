//! Starts the servers under test and calls them over HTTP.

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

/// The admin token of the temporary servers.
const ADMIN_TOKEN: &str = "*:*.bench-throwaway-admin-token-0123456789";
/// The master key of the temporary servers.
pub const MASTER_KEY: &str = "62656e63682062656e63682062656e63682062656e63682062656e6368206265";
/// The measured project, which every store has from its first start.
pub const PROJECT: &str = "default";

/// A program that serves HTTP on this machine until it is dropped.
#[derive(Debug)]
pub struct Listener {
    server: Server,
    base: String,
    authorization: String,
}

/// Adds the arguments and the environment of a server that runs in this directory, without a configuration file and
/// without inherited variables.
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
    /// Starts Latchkey on a database.
    ///
    /// # Errors
    /// When the server does not become ready.
    pub fn server(
        program: &Path,
        cores: &Cores,
        directory: &Path,
        database_url: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = configured(cores.measured(program), directory, database_url, port);
        command.env("LATCHKEY_MASTER_KEY", MASTER_KEY).env("INIT_ADMIN_API_TOKENS", ADMIN_TOKEN);
        // `taskset` is started by name, which needs the search path.
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self::start(&mut command, "latchkey", port, "/ready")
    }

    /// Starts Unleash from the directory where it is installed.
    ///
    /// # Errors
    /// When Unleash is not installed there or does not become ready.
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
        reference.authorization = reference.personal_token("admin", "unleash4all").await?;
        Ok(reference)
    }

    /// Returns the server as a user with the role Admin asks it.
    ///
    /// # Errors
    /// When the user cannot be created.
    pub async fn as_user(mut self) -> anyhow::Result<Self> {
        const NAME: &str = "bench";
        const PASSWORD: &str = "bench-throwaway-password";
        let user = json!({"username": NAME, "password": PASSWORD, "rootRole": "Admin"});
        let request = Client::new().post(format!("{}/api/admin/user-admin", self.base)).json(&user);
        request.header("authorization", &self.authorization).send().await?.error_for_status()?;
        self.authorization = self.personal_token(NAME, PASSWORD).await?;
        Ok(self)
    }

    /// Creates a personal access token for a user. With an admin token, Unleash's list of a project would show the tokens of all
    /// projects, and a page of the console would be for users alone.
    async fn personal_token(&self, username: &str, password: &str) -> anyhow::Result<String> {
        let client = Client::new();
        let login = json!({"username": username, "password": password});
        let response = client.post(format!("{}/auth/simple/login", self.base)).json(&login).send().await?;
        let response = response.error_for_status()?;
        let cookie = response.headers().get("set-cookie").context("the login set no cookie")?.to_str()?;
        // The name and the value, without the attributes.
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let token = json!({"description": "bench", "expiresAt": "2999-01-01T00:00:00.000Z"});
        let url = format!("{}/api/admin/user/tokens", self.base);
        // Unleash responds to a login before it has stored the session.
        let waited = Stopwatch::start();
        let response = loop {
            let response = client.post(&url).header("cookie", &cookie).json(&token).send().await?;
            if response.status() != StatusCode::UNAUTHORIZED || waited.elapsed() > Duration::from_secs(10) {
                break response;
            }
            sleep(Duration::from_millis(100)).await;
        };
        let token: Value = response.error_for_status()?.json().await?;
        Ok(token.get("secret").and_then(Value::as_str).context("the new token has no secret")?.to_owned())
    }

    /// Starts a floor that responds with this body; a floor that runs a query also takes the URL of its database.
    ///
    /// # Errors
    /// When the floor does not become ready.
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

    /// Returns the request for the list of the measured project's tokens.
    #[must_use]
    pub fn list(&self) -> Request {
        self.get(&path())
    }

    /// Returns an authorized GET request.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        let url = format!("{}{path}", self.base);
        Request { url, authorization: self.authorization.clone(), body: None }
    }

    /// Returns an authorized POST request with a JSON body.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Request {
        Request { body: Some(body.to_string()), ..self.get(path) }
    }

    /// Creates this many client tokens for all projects and returns their secrets.
    ///
    /// # Errors
    /// When the server rejects a request.
    pub async fn create_tokens_for_all_projects(&self, number: usize) -> anyhow::Result<Vec<String>> {
        let mut secrets = Vec::with_capacity(number);
        for index in 0..number {
            let body = json!({"tokenName": format!("bench-{index}"), "type": "client"});
            let response = self.post("/api/admin/api-tokens", &body).answer().await?;
            let token: Value = serde_json::from_str(&response)?;
            let secret =
                token.get("secret").and_then(Value::as_str).context("the new token has no secret")?;
            secrets.push(secret.to_owned());
        }
        Ok(secrets)
    }

    /// Creates the tokens of the measured project over HTTP.
    ///
    /// # Errors
    /// When the server rejects a request.
    pub async fn create_tokens(&self) -> anyhow::Result<()> {
        let client = Client::new();
        for number in 1..=TOKENS_OF_PROJECT {
            let kind = if number % 2 == 0 { "frontend" } else { "client" };
            let response = client
                .post(self.list().url)
                .header("authorization", &self.authorization)
                .json(&json!({"tokenName": format!("bench-{number}"), "type": kind, "environment": "development",
                              "projects": [PROJECT]}))
                .send()
                .await?;
            let status = response.status();
            ensure!(status == StatusCode::CREATED, "token rejected: {status} {}", response.text().await?);
        }
        Ok(())
    }

    /// Returns the body of the list of the measured project's tokens.
    ///
    /// # Errors
    /// When the list does not have the expected number of tokens.
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

    /// Returns the server's process.
    #[must_use]
    pub fn process(&self) -> &Process {
        self.server.process()
    }
}

fn path() -> String {
    crate::floor::ROUTE.replace("{project}", PROJECT)
}
