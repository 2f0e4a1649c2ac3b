//! The interface of load generators: the request to send and the figures of one round. [`crate::wrk`] and
//! [`crate::h2load`] implement it.

use serde::Serialize;

/// A request for a load generator to repeat.
#[derive(Debug, Clone)]
pub struct Request {
    pub url: String,
    /// The value of the `Authorization` header.
    pub authorization: String,
    /// A JSON body. A request with a body is a POST, one without is a GET.
    pub body: Option<String>,
}

impl Request {
    /// Sends the request once and returns the body of the response.
    ///
    /// # Errors
    /// When the request fails or the response has an error status.
    pub async fn answer(&self) -> anyhow::Result<String> {
        let client = reqwest::Client::new();
        let request = match &self.body {
            None => client.get(&self.url),
            Some(body) => {
                client.post(&self.url).header("content-type", "application/json").body(body.clone())
            }
        };
        let response = request.header("authorization", &self.authorization).send().await?;
        Ok(response.error_for_status()?.text().await?)
    }
}

/// The figures of one round of load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Completed requests per second.
    pub requests_per_second: f64,
    /// The median latency in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile of the latency in milliseconds.
    pub p99_ms: f64,
}

/// A load generator.
pub trait Load {
    /// Sends the request repeatedly for this many seconds.
    ///
    /// # Errors
    /// When the generator fails or a response is not a success: such a round would not measure the intended request.
    fn run(&self, request: &Request, seconds: u32) -> impl Future<Output = anyhow::Result<Sample>>;
}

/// Waits until the server has finished its queued requests, which would otherwise slow down the next contestant.
///
/// # Errors
/// When the server does not respond.
pub async fn settled(request: &Request) -> anyhow::Result<()> {
    request.answer().await?;
    Ok(())
}
