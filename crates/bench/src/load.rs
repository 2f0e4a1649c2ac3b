//! What a load generator sends, and what one round of it measured. The load itself is made by [`crate::wrk`] and
//! [`crate::h2load`].

use serde::Serialize;

/// A request that is repeated.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// A JSON body, which makes it a POST.
    pub body: Option<String>,
}

impl Request {
    /// Sends it once; returns the body of the response.
    ///
    /// # Errors
    /// Where it is no success.
    pub async fn answer(&self) -> anyhow::Result<String> {
        let client = reqwest::Client::new();
        let asking = match &self.body {
            None => client.get(&self.url),
            Some(body) => {
                client.post(&self.url).header("content-type", "application/json").body(body.clone())
            }
        };
        let answer = asking.header("authorization", &self.authorization).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}

/// What one round of load measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Answers per second.
    pub requests_per_second: f64,
    /// Half of the answers came within this time, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers came within this time, in milliseconds.
    pub p99_ms: f64,
}

/// A load generator.
pub trait Load {
    /// Asks for that many seconds.
    ///
    /// # Errors
    /// Where the generator fails, or any answer is not a success: such a round measures something else.
    fn run(&self, request: &Request, seconds: u32) -> impl Future<Output = anyhow::Result<Sample>>;
}

/// Waits until a server has finished its queued requests: a slow server would otherwise slow down the next contestant.
///
/// # Errors
/// Where it does not answer.
pub async fn settled(request: &Request) -> anyhow::Result<()> {
    request.answer().await?;
    Ok(())
}
