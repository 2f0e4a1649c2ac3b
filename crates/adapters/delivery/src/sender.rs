//! Sends to webhooks over HTTP.

use std::{
    error::Error as StdError,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use latchkey_domain::WebhookSecret;
use latchkey_ports::{Clock, ErrorChain, Outgoing, Sent, WebhookSender};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError,
};
use ureq::{Agent, Error, unversioned::transport::DefaultConnector};

use crate::{AllowedNetworks, resolver::CheckedResolver, tls};

/// How long an attempt takes at most, from the look-up of the name to the head of the response.
const TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("Latchkey/", env!("CARGO_PKG_VERSION"));

/// Sends to webhooks by POST, each on a connection of its own. It follows no redirect, and uses no proxy.
pub struct HttpSender {
    allowed: AllowedNetworks,
    clock: Arc<dyn Clock>,
    /// For plain HTTP, and for HTTPS. Made when they are first needed.
    agents: [OnceLock<Agent>; 2],
}

impl HttpSender {
    /// Returns a sender to public addresses and to these networks.
    pub fn new(allowed: AllowedNetworks, clock: Arc<dyn Clock>) -> Self {
        Self { allowed, clock, agents: [OnceLock::new(), OnceLock::new()] }
    }

    fn agent(&self, is_https: bool) -> &Agent {
        let [plain, encrypted] = &self.agents;
        let agent = if is_https { encrypted } else { plain };
        agent.get_or_init(|| {
            let mut config = Agent::config_builder()
                .timeout_global(Some(TIMEOUT))
                .http_status_as_error(false)
                .max_redirects(0)
                // It would look the name up itself.
                .proxy(None)
                // A connection that the receiver has closed meanwhile would be an attempt that fails.
                .max_idle_connections(0)
                .user_agent(USER_AGENT);
            if is_https {
                config = config.tls_config(tls());
            }
            let resolver = CheckedResolver::new(self.allowed.clone());
            Agent::with_parts(config.build(), DefaultConnector::default(), resolver)
        })
    }
}

#[async_trait]
impl WebhookSender for HttpSender {
    async fn send(&self, outgoing: Outgoing) -> Sent {
        let started = self.clock.monotonic();
        let is_https = outgoing.url.is_https();
        // Reading the authorities of this machine blocks for a moment, once.
        let agent = self.agent(is_https).clone();
        let posted = tokio::task::spawn_blocking(move || post(&agent, &outgoing)).await;
        let duration = self.clock.monotonic().saturating_sub(started);
        let (status, error) = match posted {
            Ok(Ok(status)) if (200..300).contains(&status) => (Some(status), None),
            Ok(Ok(status)) => (Some(status), Some(format!("the receiver answered {status}"))),
            Ok(Err(error)) => (None, Some(error)),
            Err(error) => (None, Some(error.to_string())),
        };
        Sent { status, duration, error }
    }
}

/// Posts once, and returns the status of the response, whose body is not read.
fn post(agent: &Agent, Outgoing { url, id, at, body, secret }: &Outgoing) -> Result<u16, String> {
    let seconds = at.millis().div_euclid(1_000);
    let signature = sign(secret, id, seconds, body).map_err(|error| chain(&error))?;
    let request = agent
        .post(url.as_str())
        .content_type("application/json")
        .header(HEADER_WEBHOOK_ID, id)
        .header(HEADER_WEBHOOK_TIMESTAMP, seconds.to_string())
        .header(HEADER_WEBHOOK_SIGNATURE, signature);
    match request.send(body.as_str()) {
        Ok(response) => Ok(response.status().as_u16()),
        // Its text alone: it says which setting is in the way.
        Err(Error::Other(error)) => Err(chain(&*error)),
        Err(error) => Err(chain(&error)),
    }
}

fn sign(secret: &WebhookSecret, id: &str, seconds: i64, body: &str) -> Result<String, WebhookError> {
    Webhook::new(secret.reveal())?.sign(id, seconds, body.as_bytes())
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    ErrorChain(error).to_string()
}

#[cfg(test)]
mod tests;
