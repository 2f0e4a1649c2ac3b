//! The task that reports this server among the replicas.

use std::{sync::Arc, time::Duration};

use latchkey_ports::ErrorChain;
use latchkey_service::UseCases;
use tokio::time::timeout;

use crate::{
    clock::ticks,
    outage::{Outage, Transition},
};

/// How often: some reports can fail before the server is left out of the list.
const EVERY: Duration = Duration::from_secs(10);

/// Reports the server. A failure is logged when it begins, not each time.
pub(super) async fn report(use_cases: Arc<UseCases>) {
    let (mut ticks, mut outage) = (ticks(EVERY), Outage::default());
    loop {
        ticks.tick().await;
        if let Some(Transition::Began(error)) = outage.observe(use_cases.replicas.report().await) {
            super::report::report(&error, "the server is not in the list of replicas; it is tried again");
        }
    }
}

/// Takes the server off the list. If that fails, it is left out after a while.
pub(super) async fn leave(use_cases: &UseCases, limit: Duration) {
    match timeout(limit, use_cases.replicas.leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(error = %ErrorChain(&error), "the server stays in the list of replicas for a minute");
        }
        Err(_) => tracing::debug!("the server stays in the list of replicas for a minute"),
    }
}
