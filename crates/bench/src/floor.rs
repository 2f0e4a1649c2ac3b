//! Command-line flags, route and response that the floors share.
//!
//! A floor does the minimum that a server on the same libraries can do. It does not authenticate, decrypts no secret
//! and builds no body: the difference between a floor and the server is the cost of those steps.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use anyhow::Context as _;
use clap::Args;

/// The measured route, as in the server.
pub const ROUTE: &str = "/api/admin/projects/{project}/api-tokens";

/// The number of tokens in the measured project. A floor whose query finds a different number responds with an error.
pub const TOKENS_OF_PROJECT: usize = 10;

/// The command-line flags of every floor.
#[derive(Debug, Clone, Args)]
pub struct FloorFlags {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:4299")]
    pub listen: SocketAddr,

    /// Worker threads of actix-web; by default one per core that this process may use, as in the server
    #[arg(long)]
    pub workers: Option<usize>,

    /// A file with the response body: the server's response for a project of 10 tokens
    #[arg(long)]
    pub body: PathBuf,
}

impl FloorFlags {
    /// Reads the response body from its file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn body(&self) -> anyhow::Result<Bytes> {
        let body = fs::read(&self.body).with_context(|| format!("cannot read {}", self.body.display()))?;
        Ok(body.into())
    }

    /// Returns the number of worker threads.
    ///
    /// # Errors
    /// When the number of cores cannot be determined.
    pub fn workers(&self) -> anyhow::Result<usize> {
        Ok(match self.workers {
            Some(workers) => workers.max(1),
            None => std::thread::available_parallelism()?.get(),
        })
    }
}

/// Returns the response of every floor.
#[must_use]
pub fn answer(body: &Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.clone())
}
