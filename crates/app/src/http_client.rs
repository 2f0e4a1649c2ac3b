//! The blocking HTTP client of commands and of the thread that sends traces.

use std::time::Duration;

use latchkey_delivery::tls;
use ureq::Agent;

/// Returns a client for this server. It follows no redirect, and returns responses of any status.
pub(crate) fn agent(url: &str, timeout: Duration) -> Agent {
    let mut config =
        Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).max_redirects(0);
    // Reading the authorities of this machine takes a while.
    if url.starts_with("https:") {
        config = config.tls_config(tls());
    }
    config.build().new_agent()
}
