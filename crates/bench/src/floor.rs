//! What the floors share: their flags, their route and their response.
//!
//! A floor does the least that a server on the same libraries can do. It does not authenticate, opens no
//! sealed secret and builds no body, so that the distance to it is the cost of all of that.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use anyhow::Context as _;
use clap::Args;

/// The one route, the same as the server's.
pub const ROUTE: &str = "/api/admin/projects/{project}/api-tokens";

/// The tokens of the measured project; a query that finds another number is an error, not a fast answer.
pub const TOKENS_OF_PROJECT: usize = 10;

/// The flags of every floor.
#[derive(Debug, Clone, Args)]
pub struct FloorFlags {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:4299")]
    pub listen: SocketAddr,

    /// Workers of actix-web; by default as many as cores that this process may use, as the server has them
    #[arg(long)]
    pub workers: Option<usize>,

    /// A file with the body to answer: what the server answers for a project of 10 tokens
    #[arg(long)]
    pub body: PathBuf,
}

impl FloorFlags {
    /// The body to answer.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn body(&self) -> anyhow::Result<Bytes> {
        let body = fs::read(&self.body).with_context(|| format!("cannot read {}", self.body.display()))?;
        Ok(body.into())
    }

    /// How many workers there will be.
    ///
    /// # Errors
    /// Where the number of cores cannot be found.
    pub fn workers(&self) -> anyhow::Result<usize> {
        Ok(match self.workers {
            Some(workers) => workers.max(1),
            None => std::thread::available_parallelism()?.get(),
        })
    }
}

/// The answer of every floor.
#[must_use]
pub fn answer(body: &Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.clone())
}
