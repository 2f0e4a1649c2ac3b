//! What load is: who is asked what, and what one round of it measured. The load itself is made by [`crate::wrk`] and
//! [`crate::h2load`].

use serde::Serialize;

/// What is asked for, again and again.
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
    /// Asks once; the body of the answer.
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

/// Returns when whoever was asked has done what was left over: a slow one works on at requests that nobody waits for any more, and
/// would so slow down the next one that is asked.
///
/// # Errors
/// Where it does not answer.
pub async fn settled(request: &Request) -> anyhow::Result<()> {
    request.answer().await?;
    Ok(())
}
